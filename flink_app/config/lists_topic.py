"""Checks the section of the lists that go to Kafka.

In: a `Config`. Out: nothing, or a ConfigError that says what to write.
"""

from __future__ import annotations

import re

from flink_app.config.addresses import check_brokers
from flink_app.config.hints import hint
from flink_app.config.lists_topic_options import KINDS
from flink_app.config.topics import shared_topic, topics
from flink_app.config.tree import Config
from udfs.errors import ConfigError

_NAME = re.compile(r"[a-zA-Z0-9._-]{1,242}")  # Kafka's 249, less "-shared"
_INTERVAL = "execution.checkpointing.interval"


def check_lists_topic(config: Config) -> None:
    """Raise ConfigError unless lists can go to the topic, if one is named.

    >>> from flink_app.config import load
    >>> check_lists_topic(load(None, ["lists_topic.topic=recommendations"], {}).config)
    >>> check_lists_topic(load(None, ["lists_topic.topic=my lists"], {}).config)
    Traceback (most recent call last):
    udfs.errors.ConfigError: lists_topic.topic is "my lists": Kafka takes letters, digits, ".", \
"_" and "-", 242 at most here.
    """
    section = config.lists_topic
    if not section.topic:
        return
    if not _NAME.fullmatch(section.topic):
        raise ConfigError(
            f'lists_topic.topic is "{section.topic}": Kafka takes letters, digits, ".", "_" and '
            '"-", 242 at most here.'
        )
    brokers = section.brokers or config.source.brokers
    check_brokers("lists_topic.brokers", brokers)
    _check_kinds(section.kinds)
    _check_apart(config, brokers)
    if section.delivery == "exactly-once" and not (
        config.state.checkpoints or _INTERVAL in config.flink.options
    ):
        raise ConfigError(
            'lists_topic.delivery is "exactly-once" but there are no checkpoints, which commit the '
            "lists: name a folder in state.checkpoints."
        )


def _check_kinds(kinds: list[str]) -> None:
    if not kinds:
        raise ConfigError(
            f"lists_topic.kinds is empty: name some of {', '.join(KINDS)}, or leave "
            "lists_topic.topic empty."
        )
    for kind in kinds:
        if kind not in KINDS:
            meant = hint(kind, KINDS, f"choose from {', '.join(KINDS)}.")
            raise ConfigError(f'lists_topic.kinds: "{kind}" is no kind of lists: {meant}')


def _check_apart(config: Config, brokers: str) -> None:
    """The lists must not go where the job reads, or where other records are."""
    name = config.lists_topic.topic
    for what, at, topic in topics(config):
        if what != "lists" and at == brokers and topic in (name, shared_topic(name)):
            raise ConfigError(
                f'lists_topic.topic is "{name}", and "{topic}" is the topic of the {what}: choose '
                "another topic for lists."
            )
