"""Batches packed by versions 1 and 2, which may wait in a job's state at an upgrade.

In: bytes. Out: the columns as `udfs.events.batch.pack` writes them today, by name.
"""

from __future__ import annotations

import msgspec


class _Old(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """Version 2; version 1 ends before `ratings`. Ratings are empty where no event has one."""

    version: int
    users: list[str]
    items: list[str]
    weights: bytes
    flags: bytes
    ts: bytes
    ids: list[str]
    opened: int
    ratings: bytes = b""


_decoder = msgspec.msgpack.Decoder(_Old)


def read_old(data: bytes) -> tuple[dict[str, list[str] | bytes], int] | None:
    """The columns of a batch of version 1 or 2 and when it opened; None if it is not such a
    batch."""
    try:
        old = _decoder.decode(data)
    except msgspec.DecodeError:
        return None
    if old.version not in (1, 2):
        return None
    columns: dict[str, list[str] | bytes] = {
        "users": old.users,
        "items": old.items,
        "weights": old.weights,
        "flags": old.flags,
        "ts": old.ts,
        "ids": old.ids,
    }
    if old.ratings:
        columns["ratings"] = old.ratings
    return columns, old.opened
