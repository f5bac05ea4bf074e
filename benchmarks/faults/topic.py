"""The lists in a Kafka topic, for comparison with those in Redis.

In: a topic. Out: the last record of each key, as a reader that begins at the beginning has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import redis
from confluent_kafka import Consumer, TopicPartition

from benchmarks.load import known

_ANSWER_S = 10.0


def last_records(bootstrap: str, topic: str) -> dict[str, bytes | None]:
    """The newest committed value of each key, None after a tombstone; {} without the topic."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "last-records",
            "log_level": 0,
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
        }
    )
    found: dict[str, bytes | None] = {}
    for number in _partitions(consumer, topic):
        consumer.assign([TopicPartition(topic, number, 0)])
        while (record := consumer.poll(_ANSWER_S)) is not None and not record.error():
            found[(record.key() or b"").decode()] = record.value()
    consumer.close()
    return found


def differing(
    client: redis.Redis, users: Iterable[str], records: Mapping[str, bytes | None]
) -> int:
    """Users of whom the topic's last record counts other events than the list in Redis, or is there
    without one.

    A list that was made for a change of an item, not for an event, may be in Redis alone if the job
    failed before the brokers had it.
    """
    names = list(users)
    stored: Any = client.mget([f"rec:{name}" for name in names] or ["rec:"])
    pairs = zip(names, stored, strict=False)
    return sum(events(records.get(name)) != events(value) for name, value in pairs)


def events(value: bytes | None) -> int:
    """How many events a list counts; −1: there is none."""
    return known(value) if value else -1


def _partitions(consumer: Consumer, topic: str) -> list[int]:
    known = consumer.list_topics(timeout=_ANSWER_S).topics
    return list(known[topic].partitions) if topic in known else []
