"""Which topics of Kafka a job reads from and writes to.

In: a `Config`. Out: each `UsedTopic` in use.
"""

from __future__ import annotations

from typing import NamedTuple

from flink_app.config.input_options import DeadLetters, Source
from flink_app.config.tree import Config


class UsedTopic(NamedTuple):
    """A topic: what is in it, its brokers with commas between, and its name."""

    what: str
    brokers: str
    name: str


def topics(config: Config) -> list[UsedTopic]:
    """Those of all that is in Kafka: events, items, dead letters, what was ranked, lists.

    >>> from flink_app.config import load
    >>> given = ["source.kind=kafka", "source.brokers=k:1", "lists_topic.topic=recs"]
    >>> [one.name for one in topics(load(None, given, {}).config)]
    ['events', 'recs', 'recs-shared']
    """
    source, lists = config.source, config.lists_topic
    sections: list[tuple[str, Source | DeadLetters]] = [
        ("events", source),
        ("items", config.items),
        ("dead letters", config.dead_letters),
    ]
    found = [
        UsedTopic(what, section.brokers or source.brokers, section.topic)
        for what, section in sections
        if section.kind == "kafka"
    ]
    if config.ranker.log_topic:
        found.append(UsedTopic("ranker's log", source.brokers, config.ranker.log_topic))
    names = (lists.topic, shared_topic(lists.topic)) if lists.topic else ()
    return found + [UsedTopic("lists", lists.brokers or source.brokers, name) for name in names]


def shared_topic(topic: str) -> str:
    """The topic of lists that all share, by that of users' lists."""
    return f"{topic}-shared"
