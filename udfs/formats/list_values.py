"""Lists as values in Confluent's wire format: Avro or Protobuf, by schemas that the job registers.

In: the JSON of a list, as in Redis, and the id of its schema. Out: bytes. The fields are those of
JSON, by the same names; `tests/udfs/formats/test_list_values.py` compares them with the contract.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from udfs.formats import avro, protobuf
from udfs.options.schema_registry import ValueFormat


def _field(name: str, kind: Any, doc: str) -> dict[str, Any]:
    return {"name": name, "type": kind, "doc": doc}


def _maybe(name: str, kind: Any, doc: str) -> dict[str, Any]:
    return {"name": name, "type": ["null", kind], "default": None, "doc": doc}


def _some(name: str, kind: Any, doc: str) -> dict[str, Any]:
    return {"name": name, "type": {"type": "array", "items": kind}, "default": [], "doc": doc}


def _record(name: str, *fields: dict[str, Any]) -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": list(fields)}


_WHY = _record(
    "Why",
    _field("model", "string", "the model that contributed most"),
    _some("because", "string", "items of the user's history that contributed most"),
    _maybe("followed", "string", "whom the user follows who took the item"),
)
_ENTRY = _record(
    "Entry",
    _field("item", "string", "the item's id"),
    _field("score", "double", "0 to 1, comparable within one list"),
    _field("why", _WHY, "where the item comes from"),
)
_EXPLORED = _record(
    "Explored",
    _field("item", "string", "an item that stands in the list to become known"),
    _field("chance", "double", "the probability with which it was chosen"),
)
AVRO: dict[str, Any] = {
    **_record(
        "RecommendationList",
        _maybe("user", "string", "whose list it is"),
        _maybe("item", "string", "the item that those of the list are similar to"),
        _maybe("category", "string", "the category whose popular items they are"),
        _maybe("segment", "string", "the segment of users whose popular items they are"),
        _field("id", "string", "the list's id"),
        _field("at", {"type": "long", "logicalType": "timestamp-millis"}, "when it was made"),
        _field("v", "int", "the version of the form: raised when a field changes its meaning"),
        _field("source", "string", "what made the list"),
        _some("items", _ENTRY, "best first"),
        _some("consumed", "string", "popular items that the user has consumed"),
        _some("explored", _EXPLORED, "items that stand in the list to become known"),
    ),
    "namespace": "millirec",
}

PROTOBUF = """\
syntax = "proto3";
package millirec;

message RecommendationList {
  optional string user = 1;
  optional string item = 2;
  optional string category = 3;
  optional string segment = 4;
  string id = 5;
  int64 at = 6;
  int32 v = 7;
  string source = 8;
  repeated Entry items = 9;
  repeated string consumed = 10;
  repeated Explored explored = 11;
}

message Entry {
  string item = 1;
  double score = 2;
  optional Why why = 3;
}

message Why {
  string model = 1;
  repeated string because = 2;
  optional string followed = 3;
}

message Explored {
  string item = 1;
  double chance = 2;
}
"""

SCHEMAS: dict[str, str] = {"avro": msgspec.json.encode(AVRO).decode(), "protobuf": PROTOBUF}
"""The text of each, as it is registered."""

_decode = msgspec.json.Decoder(dict[str, Any]).decode


def list_writer(value_format: ValueFormat, number: int) -> Callable[[bytes], bytes]:
    """What makes a value of the JSON of a list.

    Args:
        number: the id of the schema.
    """
    write = (avro if value_format == "avro" else protobuf).writer(SCHEMAS[value_format])
    head = b"\0" + number.to_bytes(4, "big")
    return lambda value: head + write(_decode(value))
