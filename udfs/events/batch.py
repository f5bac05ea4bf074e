"""The columnar batch that travels from `parse` to the user learner: one row per accepted event.

In: the columns `parse` decoded, `users` and `items` as `list[str]`, numbers as NumPy arrays of
shape (n,). Out: an `EventBatch`, its bytes (`pack`), and its parts by shard (`split`).
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from udfs.errors import SourceError

VERSION = 2
"""Of the packed form: raise it whenever a column is added, removed or changes its meaning.
Version 1, which had no ratings, is still read."""

CONSUMED = 1
"""Bit 0 of `flags`: the user has consumed the item, so it need not be recommended again."""


class EventBatch(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """n events in arrival order; every column has n entries.

    Attributes:
        version: the packed form's number; first, so that it can be read whatever follows it.
        users: the users' ids.
        items: the items' ids.
        weights: float32[n] as little-endian bytes; how much each event says, negative for dislike.
        flags: uint8[n] as bytes; see `CONSUMED`.
        ts: int64[n] as little-endian bytes; milliseconds since 1970-01-01 UTC.
        ids: the events' own ids, "" where there is none.
        opened: when the micro-batch's window opened, milliseconds since 1970-01-01 UTC.
        ratings: float32[n] as little-endian bytes; the rating as it was given, NaN for an event
            without; empty where no event has one that is to be learned.
    """

    version: int = VERSION
    users: list[str]
    items: list[str]
    weights: bytes
    flags: bytes
    ts: bytes
    ids: list[str]
    opened: int
    ratings: bytes = b""

    def __len__(self) -> int:
        return len(self.users)

    @property
    def weights_array(self) -> NDArray[np.float32]:
        """The weights: float32, shape (n,), a read-only view."""
        return np.frombuffer(self.weights, dtype="<f4")

    @property
    def flags_array(self) -> NDArray[np.uint8]:
        """The flags: uint8, shape (n,), a read-only view."""
        return np.frombuffer(self.flags, dtype=np.uint8)

    @property
    def ratings_array(self) -> NDArray[np.float32]:
        """The ratings: float32, shape (n,), NaN for an event without."""
        if not self.ratings:
            return np.full(len(self), np.nan, np.float32)
        return np.frombuffer(self.ratings, dtype="<f4")

    @property
    def consumed_array(self) -> NDArray[np.bool_]:
        """Whether each event counts as consumed: bool, shape (n,)."""
        return (self.flags_array & CONSUMED).astype(np.bool_)

    @property
    def ts_array(self) -> NDArray[np.int64]:
        """The times: int64, shape (n,), milliseconds since the epoch, a read-only view."""
        return np.frombuffer(self.ts, dtype="<i8")


def make_batch(
    users: list[str],
    items: list[str],
    weights: NDArray[Any],
    flags: NDArray[Any],
    ts: NDArray[Any],
    ids: list[str],
    opened: int,
) -> EventBatch:
    """Build a batch from arrays of shape (n,), converting them to the batch's own dtypes.

    >>> batch = make_batch(["ann"], ["7"], np.ones(1), np.ones(1), np.array([9]), [""], 5)
    >>> len(batch), batch.weights_array.tolist(), batch.ts_array.tolist()
    (1, [1.0], [9])
    """
    return EventBatch(
        users=users,
        items=items,
        weights=weights.astype("<f4").tobytes(),
        flags=flags.astype(np.uint8).tobytes(),
        ts=ts.astype("<i8").tobytes(),
        ids=ids,
        opened=opened,
    )


_READABLE = 1, VERSION
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(EventBatch)


def pack(batch: EventBatch) -> bytes:
    """The batch as MessagePack, for an edge of the job's graph."""
    return _encoder.encode(batch)


def unpack(data: bytes) -> EventBatch:
    """The batch that `pack` wrote.

    Raises:
        SourceError: the bytes are of another version, or are not a batch at all.
    """
    try:
        batch = _decoder.decode(data)
    except msgspec.DecodeError as error:
        version = _version_of(data)
        if version not in (None, *_READABLE):
            raise _other_version(version) from None
        raise SourceError(
            f"an event batch of {len(data)} bytes cannot be read: {error}. The operator before "
            "this one must run the same millirec; redeploy the job as one package."
        ) from error
    if batch.version not in _READABLE:
        raise _other_version(batch.version)
    n = len(batch.users)
    sizes = (len(batch.items), len(batch.ids), len(batch.flags))
    bytes_ = (len(batch.weights), len(batch.ratings or batch.weights), len(batch.ts))
    if sizes != (n, n, n) or bytes_ != (4 * n, 4 * n, 8 * n):
        raise SourceError(
            f"an event batch of {n} users has columns of other lengths, so it is damaged: "
            "redeploy the job so that all its operators run the same version."
        )
    return batch


def _version_of(data: bytes) -> object:
    """The version of a packed batch whose other columns cannot be read; None if it has none."""
    try:
        head = msgspec.msgpack.decode(data)
    except msgspec.DecodeError:
        return None
    return head[0] if isinstance(head, list) and head else None


def _other_version(version: object) -> SourceError:
    return SourceError(
        f"an event batch has version {version}, this millirec reads version {VERSION}: "
        "redeploy the job so that all its operators run the same version."
    )


def split(batch: EventBatch, shard_of: Sequence[int]) -> dict[int, EventBatch]:
    """The batch cut by shard, each part in the order of the batch.

    Args:
        batch: n events.
        shard_of: the shard of each event, n integers.

    Returns:
        One batch per shard that occurs, by ascending shard; `opened` is copied.
    """
    shards = np.asarray(shard_of, dtype=np.int64)
    if len(shards) != len(batch):
        raise ValueError(f"{len(shards)} shards were given for {len(batch)} events")
    if not len(batch):
        return {}
    order = np.argsort(shards, kind="stable")
    names, starts = np.unique(shards[order], return_index=True)
    if len(names) == 1:
        return {int(names[0]): batch}
    # Every column is put in order once; a part is then a slice of it.
    pick = itemgetter(*order.tolist())
    users, items, ids = list(pick(batch.users)), list(pick(batch.items)), list(pick(batch.ids))
    weights = batch.weights_array[order].tobytes()
    flags = batch.flags_array[order].tobytes()
    ts = batch.ts_array[order].tobytes()
    ratings = batch.ratings_array[order].tobytes() if batch.ratings else b""
    edges = [*starts.tolist(), len(batch)]
    return {
        name: EventBatch(
            users=users[start:end],
            items=items[start:end],
            weights=weights[4 * start : 4 * end],
            flags=flags[start:end],
            ts=ts[8 * start : 8 * end],
            ids=ids[start:end],
            opened=batch.opened,
            ratings=ratings[4 * start : 4 * end],
        )
        for name, start, end in zip(names.tolist(), edges[:-1], edges[1:], strict=True)
    }


def user_shard(user: str, shards: int) -> int:
    """The shard of a user: CRC-32 of the UTF-8 id, modulo `shards`. Fixed for the life of a state.

    >>> user_shard("alice", 32)
    7
    """
    return zlib.crc32(user.encode()) % shards


def item_key(item: str) -> int:
    """A stable unsigned 64-bit hash of an item's id: BLAKE2b (RFC 7693), 8 bytes, little endian.

    >>> item_key("1580")
    4048507677070676398
    """
    return int.from_bytes(hashlib.blake2b(item.encode(), digest_size=8).digest(), "little")


def select(batch: EventBatch, keep: NDArray[np.bool_]) -> EventBatch:
    """The events of a batch that `keep`, bool[n], says."""
    kept = np.flatnonzero(keep).tolist()
    return EventBatch(
        users=[batch.users[n] for n in kept],
        items=[batch.items[n] for n in kept],
        weights=batch.weights_array[keep].tobytes(),
        flags=batch.flags_array[keep].tobytes(),
        ts=batch.ts_array[keep].tobytes(),
        ids=[batch.ids[n] for n in kept],
        opened=batch.opened,
        ratings=batch.ratings_array[keep].tobytes() if batch.ratings else b"",
    )


def join(batches: Sequence[EventBatch]) -> EventBatch:
    """The events of one batch or more, one after the other, as one that opened with the first."""
    if len(batches) == 1:
        return batches[0]
    rated = any(batch.ratings for batch in batches)
    return EventBatch(
        users=[user for batch in batches for user in batch.users],
        items=[item for batch in batches for item in batch.items],
        weights=b"".join(batch.weights for batch in batches),
        flags=b"".join(batch.flags for batch in batches),
        ts=b"".join(batch.ts for batch in batches),
        ids=[id_ for batch in batches for id_ in batch.ids],
        opened=min(batch.opened for batch in batches),
        ratings=b"".join(batch.ratings_array.tobytes() for batch in batches) if rated else b"",
    )


def cut(batch: EventBatch, places: Iterable[int]) -> Iterator[EventBatch]:
    """The batch in parts that begin at 0 and at each of `places`, ascending."""
    begin = 0
    for end in (*places, len(batch)):
        if end > begin:
            yield EventBatch(
                users=batch.users[begin:end],
                items=batch.items[begin:end],
                weights=batch.weights[4 * begin : 4 * end],
                flags=batch.flags[begin:end],
                ts=batch.ts[8 * begin : 8 * end],
                ids=batch.ids[begin:end],
                opened=batch.opened,
                ratings=batch.ratings[4 * begin : 4 * end],
            )
        begin = end


def recurrences(users: Sequence[str]) -> Iterator[int]:
    """Where a user comes again, counted from there: no part between holds one twice.

    >>> list(recurrences(["a", "b", "a", "c", "c", "b"]))
    [2, 4]
    """
    seen: set[str] = set()
    for place, user in enumerate(users):
        if user in seen:
            yield place
            seen = set()
        seen.add(user)
