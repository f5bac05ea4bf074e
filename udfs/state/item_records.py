"""What is known of an item or a user besides events: fields, each as of a time.

In: changes of fields. Out: the record as versioned bytes, in Flink's state by item or by user, and
its fields as they are now. The newest time of each field wins, so that changes may come late, in
any order, or twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from udfs.errors import ServiceError

VERSION = 1
_ATTRIBUTES, _DELETED = "attributes", "deleted"
_OWN = "attributes."  # how the keys of single attributes begin

Record = dict[str, tuple[int, Any]]
"""Field → (time in ms, value); None: deleted. `deleted` is true, or false if the item was back in
the same millisecond: fields from before are gone in both cases. Each attribute has a key
"attributes.<name>" of its own; the value of "attributes" itself is always None: all older ones are
deleted."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[int, Record]).decode


def pack_record(record: Record) -> bytes:
    """The record as bytes."""
    return _encode((VERSION, record))


def unpack_record(data: bytes | None, what: str) -> Record:
    """The record that `pack_record` wrote; an empty one of None.

    Args:
        what: names it in errors.

    Raises:
        ServiceError: it has another version, or is damaged.
    """
    if data is None:
        return {}
    try:
        version, record = _decode(data)
    except msgspec.DecodeError as error:
        raise ServiceError(f"{what} is damaged: {error}. Restore an earlier checkpoint.") from error
    if version != VERSION:
        raise ServiceError(
            f"{what} is stored in form {version}, this millirec reads form {VERSION}: restore with "
            "the release that wrote it."
        )
    return record


def merged(record: Record, ts: int, fields: Mapping[str, Any]) -> Record:
    """The record with the fields of a change that are not older than its own. Only newer fields
    bring a deleted item back, or a change of the same time that says that it is not deleted:
    databases delete a row and insert it again in one transaction.

    >>> one = merged({}, 5, {"title": "Mug", "attributes": {"colour": "red"}})
    >>> two = merged(one, 3, {"title": "Cup", "price": 2.5, "attributes": {"size": "L"}})
    >>> fields_of(two)
    {'title': 'Mug', 'price': 2.5, 'attributes': {'colour': 'red', 'size': 'L'}}
    >>> fields_of(merged(two, 4, {"deleted": True}))
    {'title': 'Mug', 'attributes': {'colour': 'red'}}
    """
    found = dict(record)
    for name, value in fields.items():
        if name == _ATTRIBUTES and value is not None:
            for attribute, own in value.items():
                _set(found, _OWN + attribute, ts, own)
        elif name != _DELETED or value or (value is False and deleted_at(found) == ts):
            _set(found, name, ts, value)
    if _DELETED in found:
        since, gone = found[_DELETED]
        oldest = since + bool(gone)
        found = {name: one for name, one in found.items() if one[0] >= oldest or name == _DELETED}
    return found


def _set(record: Record, name: str, ts: int, value: Any) -> None:
    if name not in record or record[name][0] <= ts:
        record[name] = ts, value


def deleted_at(record: Record) -> int | None:
    """When the item was deleted, ms; None if it never was, or was back at once."""
    ts, value = record.get(_DELETED, (0, None))
    return ts if value else None


def as_of(record: Record) -> int:
    """The newest time of any field, ms; 0 of an empty record."""
    return max((ts for ts, _ in record.values()), default=0)


def fields_of(record: Record) -> dict[str, Any]:
    """The fields as they are now, in the form of `udfs.events.item_changes.FIELDS`: without those
    that are deleted; `deleted` itself only if nothing newer is known of the item."""
    floor = record.get(_ATTRIBUTES, (-1, None))[0]
    fields: dict[str, Any] = {}
    attributes: dict[str, Any] = {}
    for name, (ts, value) in record.items():
        if value is None or name == _DELETED:
            continue
        if name.startswith(_OWN):
            if ts > floor:
                attributes[name.removeprefix(_OWN)] = value
        else:
            fields[name] = value
    if attributes:
        fields[_ATTRIBUTES] = attributes
    if not fields and deleted_at(record) is not None:
        return {_DELETED: True}
    return fields
