"""KafkaWriter against librdkafka's own in-process broker, over its real protocol."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from typing import Any

import pytest

from flink_app.simulator import ShopSettings, simulate
from flink_app.writers import kafka
from flink_app.writers.kafka import KafkaWriter
from udfs.errors import ServiceError

MOCK: dict[str, str | int | bool] = {"test.mock.num.brokers": 1}


def records(writer: KafkaWriter, topic: str, count: int) -> list[Any]:
    client = pytest.importorskip("confluent_kafka")
    broker = next(iter(writer._producer.list_topics(timeout=30).brokers.values()))
    consumer = client.Consumer(
        {
            "bootstrap.servers": f"{broker.host}:{broker.port}",
            "group.id": "test",
            "enable.auto.commit": False,
        }
    )
    partitions = consumer.list_topics(topic, timeout=30).topics[topic].partitions
    consumer.assign([client.TopicPartition(topic, number, 0) for number in partitions])
    found: list[Any] = []
    while len(found) < count:
        batch = consumer.consume(count - len(found), timeout=30)
        assert batch, f"only {len(found)} of {count} records arrived"
        found += batch
    consumer.close()
    return found


def test_events_arrive_keyed_by_user_and_in_order_per_user() -> None:
    pytest.importorskip("confluent_kafka")
    writer = KafkaWriter("mock:1", "shop", MOCK)
    with writer:
        assert simulate(ShopSettings(users=30, items=30), writer, events=400) == 400
        found = records(writer, "shop", 400)
    numbers = defaultdict(list)
    partitions = defaultdict(set)
    for record in found:
        event = json.loads(record.value())
        assert record.key().decode() == event["user"]
        numbers[event["user"]].append(int(event["id"][1:]))
        partitions[event["user"]].add(record.partition())
    assert all(ids == sorted(ids) for ids in numbers.values())
    assert all(len(places) == 1 for places in partitions.values())
    assert sorted(number for ids in numbers.values() for number in ids) == list(range(400))


def test_lines_about_items_are_keyed_by_item() -> None:
    pytest.importorskip("confluent_kafka")
    writer = KafkaWriter("mock:1", "items", MOCK)
    with writer:
        writer.write([b'{"kind":"item","item":"kettle"}', b'{"user":"ann","item":"kettle"}'])
        writer.flush()
        found = records(writer, "items", 2)
    assert sorted(record.key() for record in found) == [b"ann", b"kettle"]


def test_events_arrive_even_if_the_queue_of_the_producer_is_full() -> None:
    pytest.importorskip("confluent_kafka")
    options = {**MOCK, "queue.buffering.max.messages": 10}
    writer = KafkaWriter("mock:1", "small", options)
    with writer:
        simulate(ShopSettings(users=30, items=30), writer, events=100)
        assert len(records(writer, "small", 100)) == 100


def test_without_confluent_kafka_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "confluent_kafka", None)
    with pytest.raises(ServiceError, match="pip install confluent-kafka"):
        KafkaWriter("localhost:9092", "shop")


def test_a_broker_that_does_not_answer_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("confluent_kafka")
    monkeypatch.setattr(kafka, "_CONNECT_S", 0.2)
    with pytest.raises(ServiceError, match=r"localhost:1, topic 'shop' cannot be used.*Check that"):
        KafkaWriter("localhost:1", "shop")


def test_a_misspelt_option_is_reported() -> None:
    pytest.importorskip("confluent_kafka")
    with pytest.raises(ServiceError, match="nonsense"):
        KafkaWriter("localhost:1", "shop", {"nonsense": 1})


def test_an_event_that_is_not_delivered_is_reported() -> None:
    pytest.importorskip("confluent_kafka")
    slow = {**MOCK, "test.mock.broker.rtt": 200, "message.timeout.ms": 50}
    writer = KafkaWriter("mock:1", "shop", slow)
    writer.write([b'{"user":"u1","item":"i1"}'])
    with pytest.raises(ServiceError, match=r"topic 'shop' did not accept an event: .*timed out"):
        writer.flush()
