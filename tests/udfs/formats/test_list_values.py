"""Lists with a schema hold what lists as JSON do: each field of the contract, by its name."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

from tests.udfs.formats.messages import message_class
from tests.udfs.formats.pretend import pretended
from udfs.formats import avro, protobuf
from udfs.formats.list_values import AVRO, PROTOBUF, SCHEMAS, list_writer
from udfs.formats.schema import RegisteredSchema
from udfs.lists.contract import Entry, Explored, RecommendationList
from udfs.options.schema_registry import VALUE_FORMATS, ValueFormat

READERS = {"avro": avro.reader, "protobuf": protobuf.reader}
WHOLE = {
    "user": "ann", "id": "1a-6e", "at": 1795548161115, "v": 1, "source": "ranker",
    "items": [
        {"item": "ü", "score": 1.0, "why": {"model": "item-cf", "because": ["98", "12"]}},
        {"item": "b", "score": 0.8636, "why": {"model": "social", "followed": "bob"}},
    ],
    "consumed": ["98"], "explored": [{"item": "b", "chance": 0.25}],
}  # fmt: skip


def read(name: ValueFormat, value: dict[str, Any]) -> dict[str, Any]:
    """A list, written and read again."""
    data = list_writer(name, 258)(json.dumps(value).encode())
    assert data[:5] == b"\0\0\0\1\2"
    found = READERS[name](RegisteredSchema(name, SCHEMAS[name]))(data[5:])
    assert isinstance(found, dict)
    return found


def bare(value: Any) -> Any:
    """A value without what is empty or null, and times in ms."""
    if isinstance(value, dict):
        return {k: bare(v) for k, v in value.items() if v not in (None, [])}
    if isinstance(value, list):
        return [bare(one) for one in value]
    return round(value.timestamp() * 1000) if hasattr(value, "timestamp") else value


@pytest.mark.parametrize("name", VALUE_FORMATS)
def test_a_list_comes_back(name: ValueFormat) -> None:
    assert bare(read(name, WHOLE)) == WHOLE
    for owner in ("item", "category", "segment"):
        shared = {owner: "x", "id": "a", "at": 1, "v": 1, "source": "mf", "items": []}
        assert bare(read(name, shared)) == {k: v for k, v in shared.items() if v != []}
    popular = {"id": "a", "at": 1, "v": 1, "source": "popular", "items": WHOLE["items"]}
    assert bare(read(name, popular)) == popular


def test_confluents_deserializers_read_them() -> None:
    context = SerializationContext("recs", MessageField.VALUE)
    value = json.dumps(WHOLE).encode()
    with pretended() as there:
        client = SchemaRegistryClient({"url": there.url})
        for number, name in enumerate(VALUE_FORMATS, 1):
            there.add(number, SCHEMAS[name], name.upper())
        found = AvroDeserializer(client)(list_writer("avro", 1)(value), context)
        assert bare(found) == WHOLE
        made = message_class(PROTOBUF, "RecommendationList")
        read = ProtobufDeserializer(made, {"use.deprecated.format": False}, client)
        message = read(list_writer("protobuf", 2)(value), context)
        assert (message.user, message.items[1].why.followed) == ("ann", "bob")
        assert message.at == WHOLE["at"]


def test_the_schemas_have_the_fields_of_the_contract() -> None:
    for form in (RecommendationList, Entry, Explored):
        wanted = {field.name for field in msgspec.structs.fields(form)}
        in_avro = named(AVRO)[form.__name__]
        assert {field["name"] for field in in_avro["fields"]} == wanted
        body = SCHEMAS["protobuf"].split(f"message {form.__name__} {{")[1].split("}")[0]
        lines = body.strip().splitlines()
        assert {line.split(" = ")[0].split()[-1] for line in lines} == wanted


def named(schema: Any) -> dict[str, Any]:
    """The records in a schema, by name."""
    found: dict[str, Any] = {}
    if isinstance(schema, dict):
        if schema.get("type") == "record":
            found[schema["name"]] = schema
        for part in schema.values():
            found |= named(part)
    elif isinstance(schema, list):
        for part in schema:
            found |= named(part)
    return found
