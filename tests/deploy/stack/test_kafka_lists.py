"""Lists in a compacted topic, of events by key and value, on the real stack."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import redis
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource  # type: ignore[attr-defined]

from benchmarks.faults.topic import last_records
from deploy.stack import Stack
from tests.deploy.stack.cluster import Cluster, package
from tests.flink_app.jobs import lists
from tests.waiting import wait_for
from udfs.ranking.features import names

pytestmark = pytest.mark.stack

TOPIC = "recommendations"
RUN = "-d", "-p", "2", "-pym", "flink_app.main"


def produce(stack: Stack, pairs: list[tuple[str, str]]) -> None:
    """Messages of `user_events`: the key is the user, the value the item."""
    producer = Producer(
        {"bootstrap.servers": stack.kafka_bootstrap, "partitioner": "murmur2_random"}
    )
    for user, item in pairs:
        producer.produce("user_events", key=user.encode(), value=item.encode())
    assert producer.flush(30) == 0


def partitions(stack: Stack, topic: str) -> dict[bytes, int]:
    """The partition of each key."""
    consumer = Consumer(
        {"bootstrap.servers": stack.kafka_bootstrap, "group.id": "p", "enable.partition.eof": True}
    )
    found: dict[bytes, int] = {}
    for number in consumer.list_topics(topic, timeout=10).topics[topic].partitions:
        consumer.assign([TopicPartition(topic, number, 0)])
        while (message := consumer.poll(10)) is not None and not message.error():
            found[message.key() or b""] = number
    consumer.close()
    return found


def values(stack: Stack, topic: str) -> list[bytes]:
    """The values of a topic, whatever their keys."""
    consumer = Consumer(
        {"bootstrap.servers": stack.kafka_bootstrap, "group.id": "v", "enable.partition.eof": True}
    )
    found = []
    for number in consumer.list_topics(topic, timeout=10).topics[topic].partitions:
        consumer.assign([TopicPartition(topic, number, 0)])
        while (message := consumer.poll(10)) is not None and not message.error():
            found.append(message.value() or b"")
    consumer.close()
    return found


def settings(stack: Stack, topic: str) -> dict[str, str]:
    admin = AdminClient({"bootstrap.servers": stack.kafka_bootstrap})
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
    found: Any = admin.describe_configs([resource])[resource].result()
    return {name: entry.value for name, entry in found.items()}


def test_the_topic_says_what_redis_says(running: Stack, cluster: Cluster, tmp_path: Path) -> None:
    broker, client = running.kafka_bootstrap, redis.Redis.from_url(running.redis_url)
    pairs = [(f"ü{n * 7919 % 30}", f"film {n * 104729 % 40}") for n in range(900)]
    produce(running, [*pairs, ("odd\x1e\x1f\n", "film 1"), ("odd\x1e\x1f\n", 'a "film"')])
    lists_topic = (
        f"lists_topic.topic={TOPIC}",
        "source.preset=key-value",
        "lists_topic.delivery=exactly-once",
        "flink.options.execution.checkpointing.interval=1s",
        "ranker.log=kafka:ranked",
        "ranker.sample=1",
    )
    archive = package(running, tmp_path / "live.zip", "user_events", *lists_topic)
    job = cluster.submit(*RUN, "-pyfs", str(archive))

    def agree() -> bool:
        found = last_records(broker, TOPIC)
        return len(found) == 31 and {
            f"rec:{user}": json.loads(value) for user, value in found.items() if value
        } == lists(running.redis_url)

    wait_for(agree, 180)
    # Of users and items that are known by now, but not together: each is told of.
    produce(running, [(f"ü{n % 30}", f"film {(n + n // 30) % 40}") for n in range(30, 240)])
    wait_for(lambda: len(values(running, "ranked")) > 30, 120)
    wait_for(agree, 120)
    produce(running, [("ü3", '{"kind":"forget","user":"ü3"}')])
    wait_for(lambda: last_records(broker, TOPIC).get("ü3", b"-") is None, 120)
    assert client.get("rec:ü3") is None
    shared = last_records(broker, f"{TOPIC}-shared")
    assert {"popular", "trending"} <= shared.keys()
    assert any(key.startswith("similar:film ") for key in shared)

    ranked = [json.loads(value) for value in values(running, "ranked")]
    assert {row["user"] for row in ranked} == {None}
    assert {row["taken"] for row in ranked} <= {item for _, item in pairs}
    assert any("film 1" in row["items"] for row in ranked)
    for row in ranked:
        assert sorted(row["features"]) == sorted(names())
        assert {*map(len, row["features"].values())} == {len(row["items"])}

    chosen = settings(running, TOPIC)
    assert (chosen["cleanup.policy"], chosen["compression.type"]) == ("compact", "zstd")
    assert int(chosen["delete.retention.ms"]) == 7 * 86_400_000
    events, written = partitions(running, "user_events"), partitions(running, TOPIC)
    assert len({*events.values()}) > 1
    assert written == {key: events[key] for key in written}
    cluster.cancel(job)
