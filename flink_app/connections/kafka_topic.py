"""Makes the compacted topics that lists go to, by Kafka's own client in the connector's jar.

In: brokers, properties of the client as the job itself uses them, and a topic. Out: the topic, or
a ServiceError that says what is wrong with the one that is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from py4j.protocol import Py4JJavaError
from pyflink.java_gateway import get_gateway

from flink_app.config.masking import masked
from udfs.errors import ServiceError

_DAY_MS = 86_400_000
SETTINGS = {
    "cleanup.policy": "compact",
    # A reader that is away for less sees each tombstone.
    "delete.retention.ms": str(7 * _DAY_MS),
    # Nothing of a user who is forgotten stays in a segment that is not compacted.
    "max.compaction.lag.ms": str(_DAY_MS),
    "compression.type": "zstd",
}
"""What a new topic has."""

_ANSWER_S = 20
_SHADED = "org.apache.flink.kafka.shaded.org.apache.kafka"


class Topic(NamedTuple):
    """A topic to write to.

    Attributes:
        name: of it. like: a topic on the same brokers of whose number of partitions it is made, if
            it is not there yet; "": the brokers decide.
    """

    name: str
    like: str = ""


def require_topic(brokers: str, properties: Mapping[str, str], topic: Topic) -> None:
    """Make the topic unless it is there, with settings by which the last list of each key stays.

    Raises:
        ServiceError: the brokers do not answer, refuse it, or it has other settings.
    """
    try:
        admin = _admin(brokers, properties)
        try:
            fault = _make_or_look(admin, topic)
        finally:
            admin.close(_seconds(1))
    except Py4JJavaError as error:
        why = masked("lists_topic.brokers", _reason(error.java_exception))
        raise ServiceError(
            f"Kafka at {brokers} does not let the job use the topic {topic.name!r} of "
            f"lists_topic.topic: {why}. Correct lists_topic.brokers or lists_topic.properties, or "
            "make the topic yourself (docs/kafka-lists.md)."
        ) from error
    if fault:
        raise ServiceError(fault)


def _make_or_look(admin: Any, topic: Topic) -> str:
    """Make the topic; of one that is there, why it is not fit."""
    names = _sent(admin.listTopics().names())
    if names.contains(topic.name):
        return unfit(topic.name, _settings(admin, topic.name))
    _make(admin, topic, _partitions(admin, topic.like) if names.contains(topic.like) else 0)
    return ""


def _reason(error: Any) -> str:
    """What Java says was the first cause."""
    while error.getCause() is not None:
        error = error.getCause()
    return str(error.getMessage() or error.getClass().getSimpleName()).rstrip(".")


def unfit(name: str, settings: Mapping[str, str]) -> str:
    """Why a topic is not fit for lists, as a sentence; "" if it is.

    >>> unfit("recs", {"cleanup.policy": "compact", "delete.retention.ms": "604800000"})
    ''
    >>> unfit("recs", {"cleanup.policy": "delete", "delete.retention.ms": "604800000"})
    "the topic 'recs' of lists_topic.topic has cleanup.policy=delete, so lists of users who do \
nothing for a while would be lost: set cleanup.policy=compact, or name another topic, which the \
job makes."
    """
    policy, kept = settings.get("cleanup.policy", ""), settings.get("delete.retention.ms", "")
    if policy != "compact":
        return (
            f"the topic {name!r} of lists_topic.topic has cleanup.policy={policy}, so lists of "
            "users who do nothing for a while would be lost: set cleanup.policy=compact, or name "
            "another topic, which the job makes."
        )
    least = SETTINGS["delete.retention.ms"]
    if not kept.isdecimal() or int(kept) < int(least):
        return (
            f"the topic {name!r} of lists_topic.topic has delete.retention.ms={kept}, so a reader "
            "that is away for longer would keep lists of users who were forgotten: set it to "
            f"{least} (seven days) or more."
        )
    return ""


def _admin(brokers: str, properties: Mapping[str, str]) -> Any:
    jvm: Any = get_gateway().jvm
    given = jvm.java.util.Properties()
    for name, value in properties.items():
        given.setProperty(name, value)
    given.setProperty("bootstrap.servers", brokers)
    given.setProperty("default.api.timeout.ms", str(_ANSWER_S * 1000))
    given.setProperty("request.timeout.ms", str(_ANSWER_S * 500))
    return _class("clients.admin.AdminClient").create(given)


def _class(name: str) -> Any:
    found: Any = get_gateway().jvm
    for part in f"{_SHADED}.{name}".split("."):
        found = getattr(found, part)
    return found


def _make(admin: Any, topic: Topic, partitions: int) -> None:
    jvm: Any = get_gateway().jvm
    optional = jvm.java.util.Optional
    number = optional.of(jvm.java.lang.Integer(partitions)) if partitions else optional.empty()
    new = _class("clients.admin.NewTopic")(topic.name, number, optional.empty())
    settings = jvm.java.util.HashMap()
    for name, value in SETTINGS.items():
        settings.put(name, value)
    made = admin.createTopics(jvm.java.util.Collections.singletonList(new.configs(settings)))
    _sent(made.all())


def _partitions(admin: Any, name: str) -> int:
    """How many partitions a topic has."""
    found = admin.describeTopics(get_gateway().jvm.java.util.Collections.singletonList(name))
    return int(_sent(found.allTopicNames()).get(name).partitions().size())


def _settings(admin: Any, name: str) -> dict[str, str]:
    jvm: Any = get_gateway().jvm
    resource = _class("common.config.ConfigResource")
    one = resource(resource.Type.TOPIC, name)
    found = _sent(admin.describeConfigs(jvm.java.util.Collections.singletonList(one)).all())
    config = found.get(one)
    return {key: str(config.get(key).value()) for key in SETTINGS}


def _sent(future: Any) -> Any:
    return future.get(_ANSWER_S, get_gateway().jvm.java.util.concurrent.TimeUnit.SECONDS)


def _seconds(number: int) -> Any:
    return get_gateway().jvm.java.time.Duration.ofSeconds(number)
