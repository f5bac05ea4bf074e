"""The columnar batch that travels from `parse` to the user learner: one row per accepted event.

In: the columns `parse` decoded, ids as `list[str]`, numbers as NumPy arrays of shape (n,). Out: an
`EventBatch`, its bytes (`pack`), and its parts by shard (`split`).
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from udfs.errors import SourceError
from udfs.events.columns import COLUMNS
from udfs.events.old_batches import read_old
from udfs.events.rows import CONSUMED as CONSUMED
from udfs.events.rows import Events

VERSION = 3
"""The version of the packed form. It names its columns, so a new column needs no new version.
Versions 1 and 2 are still read."""


class EventBatch(Events, frozen=True, eq=False, kw_only=True):
    """n events in arrival order.

    Attributes:
        opened: when the micro-batch's window opened, milliseconds since 1970-01-01 UTC.
    """

    opened: int

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, EventBatch):
            return NotImplemented
        return self.opened == other.opened and _bytes(self) == _bytes(other)

    __hash__ = None  # type: ignore[assignment]


def from_columns(columns: Mapping[str, Any], opened: int) -> EventBatch:
    """Build a batch from n values of each column, converting them to the columns' own kinds.

    A column in which no event has a value is left out.
    """
    converted = {
        name: column.convert(columns[name]) for name, column in COLUMNS.items() if name in columns
    }
    kept = {name: v for name, v in converted.items() if not COLUMNS[name].blank(v)}
    return EventBatch(columns=kept, opened=opened)


def make_batch(
    users: list[str],
    items: list[str],
    weights: NDArray[Any],
    flags: NDArray[Any],
    ts: NDArray[Any],
    ids: list[str],
    opened: int,
    **more: Any,
) -> EventBatch:
    """Like `from_columns`, with the built-in columns as arguments; `more` are other columns by
    name.

    >>> batch = make_batch(["ann"], ["7"], np.ones(1), np.ones(1), np.array([9]), [""], 5)
    >>> len(batch), batch.weights.tolist(), batch.ts.tolist()
    (1, [1.0], [9])
    """
    own = {"users": users, "items": items, "weights": weights, "flags": flags, "ts": ts, "ids": ids}
    return from_columns(own | more, opened)


class _Packed(msgspec.Struct, array_like=True):
    """A batch as it is written; numbers are the bytes of little-endian arrays."""

    version: int
    opened: int
    columns: dict[str, list[str] | bytes]


_encoder = msgspec.msgpack.Encoder(enc_hook=np.ndarray.tobytes)
_decoder = msgspec.msgpack.Decoder(_Packed)


def pack(batch: EventBatch) -> bytes:
    """The batch as MessagePack, for an edge of the job's graph."""
    return _encoder.encode((VERSION, batch.opened, batch.columns))


def _bytes(batch: EventBatch) -> dict[str, bytes]:
    return {name: _encoder.encode(values) for name, values in batch.columns.items()}


def unpack(data: bytes) -> EventBatch:
    """The batch that `pack` wrote, here or by another millirec.

    A column that is not registered here is ignored; one that was not written gets its fill.

    Raises:
        SourceError: the bytes have another version, or are not a batch at all.
    """
    try:
        packed = _decoder.decode(data)
    except msgspec.DecodeError as error:
        return _old_or_damaged(data, error)
    if packed.version != VERSION:
        raise _other_version(packed.version)
    return _whole(packed.columns, packed.opened)


def _whole(written: Mapping[str, list[str] | bytes], opened: int) -> EventBatch:
    """A batch of the columns that were written; all must be there and have the same length."""
    columns: dict[str, Any] = {}
    n = len(written.get("users", ()))
    for name, column in COLUMNS.items():
        values = written.get(name)
        if values is None:
            if column.fill is None:
                raise _damaged(f"has no column {name!r}")
            continue
        if isinstance(values, list) is not (column.dtype is None):
            raise _damaged(f"has a column {name!r} of another kind")
        if len(values) != n * column.size:
            raise _damaged(f"of {n} users has columns of other lengths, such as {name!r}")
        columns[name] = values if isinstance(values, list) else np.frombuffer(values, column.dtype)
    return EventBatch(columns=columns, opened=opened)


def _old_or_damaged(data: bytes, error: Exception) -> EventBatch:
    found = read_old(data)
    if found is not None:
        return _whole(*found)
    try:
        head = msgspec.msgpack.decode(data)
    except msgspec.DecodeError:
        head = None
    version = head[0] if isinstance(head, list) and head else VERSION
    if version not in (1, 2, VERSION):
        raise _other_version(version) from None
    raise SourceError(
        f"an event batch of {len(data)} bytes cannot be read: {error}. The operator before "
        "this one must run the same millirec; redeploy the job as one package."
    ) from error


def _other_version(version: object) -> SourceError:
    return SourceError(
        f"an event batch has version {version}, this millirec reads version {VERSION}: "
        "redeploy the job so that all its operators run the same version."
    )


def _damaged(what: str) -> SourceError:
    return SourceError(
        f"an event batch {what}, so it is damaged: "
        "redeploy the job so that all its operators run the same version."
    )


def split(batch: EventBatch, shard_of: Sequence[int] | NDArray[np.int64]) -> dict[int, EventBatch]:
    """The batch split by shard; each part keeps the order of the batch.

    Args:
        batch: n events.
        shard_of: the shard of each event, n integers.

    Returns:
        One batch for each shard that occurs, by ascending shard; `opened` is copied.
    """
    shards: NDArray[np.int64] = np.asarray(shard_of, dtype=np.int64)
    if len(shards) != len(batch):
        raise ValueError(f"{len(shards)} shards were given for {len(batch)} events")
    if not len(batch):
        return {}
    if (shards == shards[0]).all():
        return {int(shards[0]): batch}
    # Every column is sorted once; a part is then a slice of it.
    order = np.argsort(shards, kind="stable")
    ordered = shards[order]
    places = (np.flatnonzero(ordered[1:] != ordered[:-1]) + 1).tolist()
    names = ordered[[0, *places]].tolist()
    return dict(zip(names, cut(batch.take(order), places), strict=True))


def cut(batch: EventBatch, places: Iterable[int]) -> Iterator[EventBatch]:
    """The batch in parts that begin at 0 and at each of `places`, which are ascending."""
    begin, whole, opened = 0, batch.columns.items(), batch.opened
    for end in (*places, len(batch)):
        if end > begin:
            columns = {name: values[begin:end] for name, values in whole}
            yield EventBatch(columns=columns, opened=opened)
        begin = end


def join(batches: Sequence[EventBatch]) -> EventBatch:
    """The events of one or more batches in order, as one batch with the earliest `opened`."""
    if len(batches) == 1:
        return batches[0]
    columns = {
        name: column.joined([batch.column(name) for batch in batches])
        for name, column in COLUMNS.items()
        if any(name in batch.columns for batch in batches)
    }
    return EventBatch(columns=columns, opened=min(batch.opened for batch in batches))


def user_shard(user: str, shards: int) -> int:
    """The shard of a user: CRC-32 of the UTF-8 id, modulo `shards`. It must never change while
    a job keeps its state.

    >>> user_shard("alice", 32)
    7
    """
    return zlib.crc32(user.encode()) % shards


def user_shards(users: Sequence[str], shards: int) -> NDArray[np.int64]:
    """The shard of each of n users, int64[n]; see `user_shard`.

    >>> user_shards(["alice", "bob"], 32).tolist() == [7, user_shard("bob", 32)]
    True
    """
    if shards == 1:
        return np.zeros(len(users), np.int64)
    return np.fromiter(map(zlib.crc32, map(str.encode, users)), np.int64, len(users)) % shards


def item_key(item: str) -> int:
    """A stable unsigned 64-bit hash of an item's id: BLAKE2b (RFC 7693), 8 bytes, little endian.

    >>> item_key("1580")
    4048507677070676398
    """
    return int.from_bytes(hashlib.blake2b(item.encode(), digest_size=8).digest(), "little")


def recurrences(users: Sequence[str]) -> Iterator[int]:
    """The places at which to cut `users` so that no part contains a user twice.

    >>> list(recurrences(["a", "b", "a", "c", "c", "b"]))
    [2, 4]
    """
    seen: set[str] = set()
    for place, user in enumerate(users):
        if user in seen:
            yield place
            seen = set()
        seen.add(user)
