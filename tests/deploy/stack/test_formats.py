"""Avro and Protobuf by a real registry, on the real stack, written and read by Confluent's own
serializers: what can be read is learned, the rest are dead letters, lists come back."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from confluent_kafka import Producer
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

from benchmarks.faults.topic import last_records
from deploy.download import fetch, pinned
from deploy.stack import Stack
from flink_app.config import load
from flink_app.connections.schema_registry import list_format
from tests.deploy.stack.cluster import Cluster, package
from tests.flink_app.jobs import lists
from tests.udfs.formats.messages import message_class
from tests.waiting import wait_for
from udfs.errors import ServiceError
from udfs.formats.settings import ListFormat
from udfs.options.schema_registry import VALUE_FORMATS

pytestmark = pytest.mark.stack
USERS = 20
ITEMS = """\
syntax = "proto3";
package shop;
import "google/protobuf/timestamp.proto";
message Other { string x = 1; }
message Item {
  string item = 1;
  optional string title = 2;
  repeated string categories = 3;
  google.protobuf.Timestamp ts = 4;
}
"""


def event_schema(version: int) -> str:
    """Events of one version: the second has a type, the third a session too."""
    time = {"type": "long", "logicalType": "timestamp-millis"}
    more = [("action", "click"), ("session", "")][: version - 1]
    fields = [("customer", "string"), ("sku", "string"), ("at", time)]
    every = [{"name": name, "type": kind} for name, kind in fields]
    every += [{"name": name, "type": "string", "default": default} for name, default in more]
    return json.dumps({"type": "record", "name": "Event", "fields": every})


class Topics:
    """Writes and reads values with a schema."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.url = stack.component("registry").address
        self.client = SchemaRegistryClient({"url": self.url})
        self._producer = Producer({"bootstrap.servers": stack.kafka_bootstrap})

    def produce(self, topic: str, values: list[bytes]) -> None:
        """Messages in both partitions: each TaskManager then knows the schemas."""
        for number, value in enumerate(values):
            self._producer.produce(topic, value, partition=number % 2)
        assert self._producer.flush(30) == 0

    def events(self, version: int, begin: int, end: int) -> list[bytes]:
        """Numbered events of `USERS` users as values."""
        write = AvroSerializer(self.client, event_schema(version))
        context = SerializationContext("shop_events", MessageField.VALUE)
        more = {"action": "view"} if version > 1 else {}
        found = []
        for n in range(begin, end):
            event = {"customer": f"ü{n % USERS}", "sku": f"i{n * 7 % 30}", "at": 1795548161115 + n}
            found.append(write(event | more | ({"session": ""} if version > 2 else {}), context))
        return [value for value in found if value is not None]

    def items(self, number: int) -> list[bytes]:
        """Items as values of Protobuf."""
        made = message_class(ITEMS, "Item")
        write = ProtobufSerializer(made, self.client, {"use.deprecated.format": False})
        context = SerializationContext("shop_items", MessageField.VALUE)
        found = []
        for n in range(number):
            item = made(item=f"i{n}", title=f"Töpf {n}", categories=["pots"])
            item.ts.FromSeconds(1795548161)
            found.append(write(item, context))
        return [value for value in found if value is not None]


@pytest.fixture
def topics(running: Stack, jars: Path) -> Iterator[Topics]:
    """A registry, which ends with the test."""
    try:
        fetch(pinned("registry"), jars)
    except ServiceError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"the archive of the registry is needed: {error}")
    running.up(["registry"])
    try:
        yield Topics(running)
    finally:
        running.down(["registry"])


def stats(client: Any) -> dict[str, str]:
    """The job's totals."""
    return {k.decode(): v.decode() for k, v in client.hgetall("stats").items()}


def logged() -> str:
    """What Flink has logged, see tests/conftest.py."""
    logs = Path(os.environ["FLINK_LOG_DIR"]).glob("*.log")
    return "".join(log.read_text(errors="replace") for log in logs)


def test_events_items_and_lists_by_a_registry(
    running: Stack, cluster: Cluster, topics: Topics, tmp_path: Path
) -> None:
    client = redis.Redis.from_url(running.redis_url)
    good = topics.events(1, 0, 300) + topics.events(2, 300, 600)
    bad = [b"junk", b"\0\0\0", good[0][:-1], good[0] + b"\0", b"\0\x7f\0\0\0" + good[0][5:]]
    json_line = json.dumps({"customer": "ü0", "sku": "i1", "at": 1795548161115}).encode()
    topics.produce("shop_events", [*good, *bad, json_line, b""])
    topics.produce("shop_items", [*topics.items(30), b"\0\0\0\0\1\xff", b"junk"])
    settings = (
        "source.format=avro",
        "source.fields.user=customer",
        "source.fields.item=sku",
        "source.fields.ts=at",
        "source.fields.type=action",
        "items.kind=kafka",
        "items.topic=shop_items",
        "items.format=protobuf",
        "lists_topic.topic=avro_lists",
        "lists_topic.format=avro",
        f"schema_registry.url={topics.url}",
        "dead_letters.kind=kafka",
        "dead_letters.topic=shop_dead",
    )
    archive = package(running, tmp_path / "formats.zip", "shop_events", *settings)
    job = cluster.submit("-d", "-p", "2", "-pym", "flink_app.main", "-pyfs", str(archive))
    learned = {"learned": "601", "dead": "7", "described": "30"}
    wait_for(lambda: learned.items() <= stats(client).items(), 180)
    assert json.loads(client.get("item:i3") or b"")["title"] == "Töpf 3"
    letters = [json.loads(line) for line in cluster.read("shop_dead", 7)]
    reasons = sorted(letter["reason"] for letter in letters)
    wanted_reasons = ["not_framed"] * 3 + ["unfit_schema", "unknown_schema"]
    assert reasons == [*wanted_reasons, "unreadable_value", "unreadable_value"], letters
    assert all(letter["source"].startswith("kafka:shop_") for letter in letters)

    # Lists as others read them.
    read = AvroDeserializer(topics.client)
    wanted = lists(running.redis_url)

    def agree() -> bool:
        found = last_records(running.kafka_bootstrap, "avro_lists")
        context = SerializationContext("avro_lists", MessageField.VALUE)
        values = {f"rec:{user}": read(value, context) for user, value in found.items()}
        return {k: v["id"] for k, v in values.items()} == {k: v["id"] for k, v in wanted.items()}

    wait_for(agree, 120)

    # Without the registry what is known is read, and a new schema waits.
    new = topics.events(3, 601, 610)
    running.kill("registry")
    topics.produce("shop_events", good[:10])
    wait_for(lambda: stats(client)["learned"] == "611", 120)
    topics.produce("shop_events", new)
    wait_for(lambda: "asking again until it does" in logged(), 120)
    assert stats(client)["learned"] == "611"
    assert running.revive() == ["registry"]
    wait_for(lambda: stats(client)["learned"] == "620", 120)
    assert stats(client)["dead"] == "7"
    cluster.cancel(job)


def test_the_registry_takes_the_schemas_of_lists_unless_others_are_there(topics: Topics) -> None:
    def format_of(topic: str, name: str) -> ListFormat:
        given = f"schema_registry.url={topics.url}", f"lists_topic.format={name}"
        return list_format(load(None, [*given, f"lists_topic.topic={topic}"], {}).config)

    for name in VALUE_FORMATS:
        form = format_of(f"{name}_lists", name)
        assert format_of(f"{name}_lists", name) == form
        registered = topics.client.get_schema(form.own)
        assert registered.schema_type == name.upper()
        subject = f"{name}_lists-shared-value"
        assert topics.client.get_latest_version(subject).schema_id == form.shared
    other = Schema('{"type":"record","name":"Other","fields":[]}', "AVRO")
    topics.client.register_schema("other-value", other)
    topics.client.set_compatibility("other-value", "BACKWARD")
    with pytest.raises(ServiceError, match="change the subject's compatibility"):
        format_of("other", "avro")
