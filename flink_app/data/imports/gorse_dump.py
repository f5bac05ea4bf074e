"""Reads the file of `gorse-cli dump`: users, items and feedback as messages of Protobuf.

In: the file, as `master/rest.go` of Gorse writes it: numbers of 64 bits, little-endian, of which
-1, -2 and -3 begin users, items and feedback, 0 ends all, and any other is the length of the
message behind it. Out: records as in Gorse's exports of JSON.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

import msgspec

from flink_app.data.imports.lines import Record, Unusable
from udfs.errors import SourceError

_LENGTH = struct.Struct("<q")
_KINDS = {-1: "User", -2: "Item", -3: "Feedback"}
_MOST = 1 << 28
"""Bytes of a message; more is a damaged file."""

# protocol/protocol.proto of Gorse: name, number, and type, of the fields that are read.
_TEXT, _TEXTS, _FLAG, _NUMBER = "text", "texts", "flag", "number"
_JSON, _TIME = "json", "time"
_FIELDS: dict[str, dict[str, tuple[int, str]]] = {
    "User": {"UserId": (1, _TEXT), "Labels": (2, _JSON), "Comment": (3, _TEXT)},
    "Item": {
        "ItemId": (2, _TEXT),
        "IsHidden": (3, _FLAG),
        "Categories": (4, _TEXTS),
        "Timestamp": (5, _TIME),
        "Labels": (6, _JSON),
        "Comment": (7, _TEXT),
    },
    "Feedback": {
        "FeedbackType": (2, _TEXT),
        "UserId": (3, _TEXT),
        "ItemId": (4, _TEXT),
        "Value": (5, _NUMBER),
        "Timestamp": (6, _TIME),
    },
}


def is_dump(path: Path) -> bool:
    """Whether a file begins like a dump: with users. SourceError: it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(_LENGTH.size) == _LENGTH.pack(-1)
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}") from error


def records(path: Path) -> Iterator[Record]:
    """The records of a dump.

    Raises:
        SourceError: the file is damaged, or has been cut off.
    """
    with path.open("rb") as file:
        kind, number = "", 0
        while (size := _number(file, path)) != 0:
            if size in _KINDS:
                kind, number = _KINDS[size], 0
                continue
            number += 1
            place = f"{path}, {kind.lower()} {number}"
            if not kind or not 0 < size <= _MOST or len(data := file.read(size)) < size:
                raise SourceError(f"{place}: the dump is damaged or cut off: make it again")
            yield _record(place, kind, data)


def _number(file: IO[bytes], path: Path) -> int:
    data = file.read(_LENGTH.size)
    if len(data) < _LENGTH.size:
        raise SourceError(f"{path} ends in the middle: make the dump again")
    return int(_LENGTH.unpack(data)[0])


def _record(place: str, kind: str, data: bytes) -> Record:
    from google.protobuf.message import DecodeError

    try:
        message = _messages()[kind].FromString(data)
        found = {name: _value(message, name, what) for name, (_, what) in _FIELDS[kind].items()}
    except (DecodeError, msgspec.MsgspecError, OverflowError) as error:
        return Record(place, Unusable(f"it cannot be read: {error}"))
    return Record(place, found)


def _value(message: Any, name: str, what: str) -> Any:
    value = getattr(message, name)
    if what == _JSON:
        return msgspec.json.decode(value) if value else None
    if what == _TIME:
        if not message.HasField(name):
            return None
        since = timedelta(seconds=value.seconds, microseconds=value.nanos // 1000)
        return f"{(datetime(1970, 1, 1) + since).isoformat()}Z"
    return list(value) if what == _TEXTS else value


@lru_cache
def _messages() -> dict[str, Any]:
    """The classes of the messages; Protobuf comes with PyFlink."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2

    types = descriptor_pb2.FieldDescriptorProto
    kinds = {
        _TEXT: types.TYPE_STRING,
        _TEXTS: types.TYPE_STRING,
        _FLAG: types.TYPE_BOOL,
        _NUMBER: types.TYPE_DOUBLE,
        _JSON: types.TYPE_BYTES,
        _TIME: types.TYPE_MESSAGE,
    }
    file = descriptor_pb2.FileDescriptorProto(name="gorse.proto", package="gorse", syntax="proto3")
    file.dependency.append(timestamp_pb2.DESCRIPTOR.name)
    for kind, fields in _FIELDS.items():
        message = file.message_type.add(name=kind)
        for name, (number, what) in fields.items():
            label = types.LABEL_REPEATED if what == _TEXTS else types.LABEL_OPTIONAL
            field = message.field.add(name=name, number=number, label=label, type=kinds[what])
            if what == _TIME:
                field.type_name = ".google.protobuf.Timestamp"
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(timestamp_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    return {
        kind: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"gorse.{kind}"))
        for kind in _FIELDS
    }
