"""Messages of Protobuf as dictionaries, by the schemas' text alone."""

from __future__ import annotations

import base64

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from udfs.formats.protobuf import compiled, reader, writer
from udfs.formats.schema import RegisteredSchema, Unfit

TEXT = """\
syntax = "proto3";
package shop;
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
import "places/place.proto";

message First { map<string, int64> counts = 1; message Nested { string item = 1; } }
message Event {
  string user = 1;
  Type type = 2;
  google.protobuf.Timestamp ts = 3;
  optional double value = 4;
  google.protobuf.StringValue session = 5;
  map<int32, Place> at = 6;
  repeated string tags = 7;
  int64 number = 8;
  bytes raw = 9;
  repeated Type types = 10;
  oneof which { string a = 11; int32 b = 12; }
  Event again = 13;
  map<bool, string> said = 14;
  enum Type { UNSPECIFIED = 0; view = 1; buy = 2; }
}
"""
PLACE = 'syntax = "proto2"; package shop; message Place { optional string city = 1; }'
SCHEMA = RegisteredSchema("protobuf", TEXT, {"places/place.proto": PLACE})
EVENT = b"\x02\x02"
"""The index of `Event`: one number, 1."""


def field(number: int, data: bytes) -> bytes:
    """A field of a length, on the wire."""
    return bytes([number << 3 | 2, len(data)]) + data


def test_a_message_becomes_what_json_would_be() -> None:
    read = reader(SCHEMA)
    body = field(1, b"ann") + b"\x10\x02" + field(3, Timestamp(seconds=5).SerializeToString())
    body += b"\x21" + bytes(8) + field(5, b"") + field(6, b"\x08\x07\x12\x04\x0a\x02NY")
    body += field(7, b"red") + b"\x40" + b"\xff" * 9 + b"\x01" + field(9, b"\xff")
    body += field(10, b"\x01\x09") + field(11, b"x") + field(13, field(1, b"bob"))
    body += field(14, b"\x08\x01\x12\x01y") + b"\xf8\x01\x05"  # of a newer version: left out
    assert read(EVENT + body) == {
        "user": "ann",
        "type": "buy",
        "ts": "1970-01-01T00:00:05Z",
        "value": 0.0,
        "session": "",
        "at": {"7": {"city": "NY"}},
        "tags": ["red"],
        "number": -1,
        "raw": b"\xff",
        "types": ["view", 9],
        "a": "x",
        "again": {"user": "bob"},
        "said": {"true": "y"},
    }
    assert read(EVENT) == {}, "what is not set is left out"


def test_the_index_says_which_message_it_is() -> None:
    read = reader(SCHEMA)
    counted = field(1, field(1, b"a") + b"\x10\x05")
    assert read(b"\0" + counted) == read(b"\x02\0" + counted) == {"counts": {"a": 5}}
    assert read(b"\x04\x00\x00" + field(1, b"mug")) == {"item": "mug"}, "no map's entry"
    for bad in (b"\x02\x08", b"\x02\x01", b"\x06\0\0\0", b"\x01", b"\xff" * 6, b"", b"\x04\x02"):
        with pytest.raises((ValueError, IndexError)):
            read(bad)


ITEM = """\
syntax = "proto3";
message Item {
  string item = 1;
  bool available = 2;
  optional bool hidden = 3;
  optional int32 stock = 4;
  int32 sold = 5;
  repeated bool seen = 6;
  Item like = 7;
}
"""


def test_false_is_said_also_where_it_is_not_on_the_wire() -> None:
    read = reader(RegisteredSchema("protobuf", ITEM))
    sold_out = field(1, b"mug") + b"\x10\x00\x20\x00"
    assert read(b"\0" + sold_out) == {"item": "mug", "available": False, "stock": 0}
    assert read(b"\0" + field(1, b"mug")) == {"item": "mug", "available": False}
    assert read(b"\0\x10\x01\x18\x00") == {"available": True, "hidden": False}
    assert read(b"\0" + field(7, b"")) == {"available": False, "like": {"available": False}}
    old = RegisteredSchema("protobuf", 'syntax = "proto2"; message A { optional bool b = 1; }')
    assert reader(old)(b"\0") == {}, "which has no flags without presence"


ODD = """\
syntax = "proto3";
import "google/protobuf/any.proto";
import "google/protobuf/wrappers.proto";
message Odd {
  string user = 1;
  google.protobuf.Any more = 2;
  repeated google.protobuf.Any all = 3;
  map<string, google.protobuf.Any> named = 4;
  google.protobuf.Int64Value count = 5;
  repeated google.protobuf.UInt64Value counts = 6;
}
message Like { string of_item = 1; }
"""


def test_an_any_of_an_unknown_type_is_left_out_and_costs_nothing_else() -> None:
    read = reader(RegisteredSchema("protobuf", ODD))
    unknown = field(1, b"type.googleapis.com/shop.Gone") + field(2, b"\xff")
    known = field(1, b"type.googleapis.com/Like") + field(2, field(1, b"7"))
    body = field(1, b"ann") + field(2, unknown) + field(3, unknown) + field(3, known)
    for key, more in ((b"a", unknown), (b"b", known)):
        body += field(4, field(1, key) + field(2, more))
    value = {"@type": "type.googleapis.com/Like", "of_item": "7"}
    assert read(b"\0" + body) == {"user": "ann", "all": [value], "named": {"b": value}}


def test_numbers_of_64_bits_are_numbers_in_googles_types_too() -> None:
    read = reader(RegisteredSchema("protobuf", ODD))
    body = field(5, b"\x08" + b"\xff" * 9 + b"\x01") + field(6, b"\x08\x05") + field(6, b"")
    assert read(b"\0" + body) == {"count": -1, "counts": [5, 0]}


@given(st.binary(max_size=64))
def test_any_bytes_are_a_message_or_an_exception(body: bytes) -> None:
    try:
        found = READ(body)
    except Exception:
        return
    assert isinstance(found, dict)


READ = reader(SCHEMA)


def test_what_nests_deeper_than_protobuf_allows_is_an_exception() -> None:
    with pytest.raises(Exception, match="parsing"):
        reader(SCHEMA)(EVENT + b"\x6b" * 100_000)


@pytest.mark.parametrize(
    ("text", "references", "why"),
    [
        ("message {", {}, "protoc does not compile it"),
        ('import "missing.proto";', {}, "protoc does not compile it"),
        ('syntax = "proto3";', {"../x.proto": ""}, "outside of its own files"),
        ('syntax = "proto3";', {"/etc/x.proto": ""}, "outside of its own files"),
    ],
)
def test_a_schema_that_is_none(text: str, references: dict[str, str], why: str) -> None:
    with pytest.raises(Unfit, match=why):
        reader(RegisteredSchema("protobuf", text, references))


@pytest.mark.parametrize(
    "names",
    [["a", "a/b.proto"], ["a/b.proto", "a"], ["."], [""], ["a\0b"], ["a" * 300], ["\ud800"]],
)
def test_a_reference_whose_name_is_no_file_name(names: list[str]) -> None:
    references = dict.fromkeys(names, 'syntax = "proto3";')
    with pytest.raises(Unfit, match="cannot be written as a file"):
        reader(RegisteredSchema("protobuf", 'syntax = "proto3"; message A {}', references))


@pytest.mark.parametrize("name", ["../x.proto", "a/../../x.proto", "/tmp/x.proto", "//tmp/x"])
@pytest.mark.parametrize("described", [True, False])
def test_no_name_leads_out_of_the_folder(name: str, described: bool) -> None:
    other = compiled(RegisteredSchema("protobuf", PLACE)).serialized_pb
    text = base64.standard_b64encode(other).decode() if described else PLACE
    with pytest.raises(Unfit, match="outside of its own files"):
        reader(RegisteredSchema("protobuf", 'syntax = "proto3";', {name: text}))


def test_a_schema_may_import_a_file_of_any_name() -> None:
    names = ["value.proto", "_value.proto", "given", "descriptors/x.proto"]
    references = {
        name: f'syntax = "proto3"; message {kind} {{ string city = 1; }}'
        for name, kind in zip(names, ("Place", "Street", "A", "B"), strict=True)
    }
    text = 'syntax = "proto3"; import "value.proto"; import "_value.proto";'
    text += "message E { Place at = 1; Street on = 2; }"
    body = field(1, field(1, b"NY")) + field(2, field(1, b"5th"))
    found = reader(RegisteredSchema("protobuf", text, references))(b"\0" + body)
    assert found == {"at": {"city": "NY"}, "on": {"city": "5th"}}


def test_a_schema_may_be_a_descriptor_as_confluents_serializer_registers_it() -> None:
    def described(text: str, **others: str) -> str:
        file = compiled(RegisteredSchema("protobuf", text, others))
        return base64.standard_b64encode(file.serialized_pb).decode()

    place = described(PLACE)
    for text in (TEXT, described(TEXT, **SCHEMA.references)):
        for other in (PLACE, place):
            schema = RegisteredSchema("protobuf", text, {"places/place.proto": other})
            body = EVENT + field(1, b"ann") + field(3, b"\x08\x05")
            assert reader(schema)(body) == {"user": "ann", "ts": "1970-01-01T00:00:05Z"}


def test_two_schemas_with_the_same_names_do_not_meet() -> None:
    texts = [f'syntax = "proto3"; package p; message E {{ string {name} = 1; }}' for name in "ab"]
    readers = [reader(RegisteredSchema("protobuf", text)) for text in texts]
    assert [read(b"\0" + field(1, b"x")) for read in readers] == [{"a": "x"}, {"b": "x"}]
    assert readers[0](writer(texts[0])({"a": "y"})) == {"a": "y"}
