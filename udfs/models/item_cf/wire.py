"""Pairs in transit from the user learner, which finds them, to the rows of the item learners.

In: the `Windows` of a batch. Out: one message per item shard, which names items by their key;
functions that apply it to the rows that a shard owns; and those rows as versioned bytes, in Flink's
state and in the item feed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import isfinite
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from udfs.direct import Direct
from udfs.errors import ServiceError
from udfs.memory.columns import Table, column
from udfs.memory.key_table import KeyTable
from udfs.models.item_cf import counting_kernels, row_kernels
from udfs.models.item_cf.neighbours import Neighbours, Row, Windows

VERSION = 1
_select = Direct(counting_kernels.select)
_HEAD = np.dtype(
    [
        ("version", "u1"),
        ("reserved", "u1"),
        ("length", "<u2"),
        ("reserved2", "<u4"),
        ("clock", "<i8"),
        ("weight", "<f8"),
    ]
)
PAIRS_HEAD, PAIR = _HEAD.itemsize, 12
"""Bytes of a row of pairs: a head, and a part for each neighbour."""


class Pairs(msgspec.Struct, frozen=True, array_like=True):
    """The part of a batch's `Windows` that concerns one item shard.

    Attributes:
        learned: events that were learned, including those left out here.
        keys: uint64[k], the items by `events.item_key`.
        order, heads, gains, starts, others, distances: as in `Windows`; items are positions in
            `keys`.
    """

    learned: int
    keys: bytes
    order: bytes
    heads: bytes
    gains: bytes
    starts: bytes
    others: bytes
    distances: bytes


def split_pairs(
    windows: Windows,
    keys: NDArray[np.uint64],
    shards: NDArray[np.int32],
    count: int,
    place: NDArray[np.int32] | None = None,
    memory: Windows | None = None,
) -> list[Pairs]:
    """The pairs of a batch by item shard: those with an item of the shard at either end.

    Args:
        keys, shards: uint64[I], int32[I], key and item shard of each slot that occurs.
        place: int32[I], all −1, left so; by default made anew. memory: room for as many events and
            pairs; by default made anew.
    """
    w, m, p = windows, len(windows.heads), len(windows.others)
    if place is None:
        place = np.full(len(shards), -1, np.int32)
    out = memory or Windows.room(m, p)
    used = np.empty(min(m + p, len(shards)), np.int32)
    parts = []
    for shard in range(count):
        given = w, shards, np.int32(shard), place, used, out
        events, pairs, names = _select(*given, varying=(shards,))
        parts.append(
            Pairs(
                w.learned,
                keys[used[:names]].tobytes(),
                out.order[:events].tobytes(),
                out.heads[:events].tobytes(),
                out.gains[:events].tobytes(),
                out.starts[: events + 1].tobytes(),
                out.others[:pairs].tobytes(),
                out.distances[:pairs].tobytes(),
            )
        )
    return parts


class KeyIndex(Table):
    """A number for each item key that a subtask has seen, by which rows name their neighbours."""

    keys = column(np.uint64)

    def __init__(self) -> None:
        super().__init__()
        self._table = KeyTable()

    def numbers(self, keys: NDArray[np.uint64]) -> NDArray[np.int32]:
        """The numbers of keys, int32[n]; new ones for unknown keys."""
        found, fresh = self._table.number(keys)
        total = len(self._table)
        self.reserve(total)
        self.keys[total - len(fresh) : total] = fresh
        return found


class Counted(NamedTuple):
    """The pairs of several messages, counted.

    Attributes:
        rows: int32[r], the distinct rows that changed.
        heads, others: int32[events], int32[pairs], the row of each, −1: none here.
        sizes: int64[M, 4], learned events, keys, events and pairs of each message.
    """

    rows: NDArray[np.int32]
    heads: NDArray[np.int32]
    others: NDArray[np.int32]
    sizes: NDArray[np.int64]


def apply_pairs(
    messages: Sequence[Pairs],
    neighbours: Neighbours,
    index: KeyIndex,
    rows_of: Callable[[NDArray[np.uint64]], NDArray[np.int32]],
) -> Counted:
    """Count the pairs of messages, in order, in the rows of their owner.

    Args:
        rows_of: the row of each key, int32[k], −1 if the owner has no such item.
    """
    sizes = np.array(
        [(p.learned, len(p.keys) // 8, len(p.heads) // 4, len(p.distances)) for p in messages],
        np.int64,
    ).reshape(-1, 4)
    learned, _, events, pairs = map(int, sizes.sum(axis=0))

    def joined(name: str, dtype: str) -> NDArray[Any]:
        # Writable: the kernels are compiled only for such arrays.
        return np.frombuffer(bytearray().join([getattr(p, name) for p in messages]), dtype)

    keys = joined("keys", "<u8")
    none = np.zeros(0, np.int32)
    given = Windows(
        learned,
        joined("order", "<i4"),
        none,
        joined("heads", "<i4"),
        joined("gains", "<f4"),
        joined("starts", "<i4"),
        joined("others", "<i4"),
        joined("distances", "u1"),
    )
    out = Windows.room(events, pairs)._replace(
        learned=learned, gains=given.gains, distances=given.distances
    )
    heads, others = np.empty(events, np.int32), np.empty(pairs, np.int32)
    row_kernels.join(sizes, given, index.numbers(keys), rows_of(keys), out, heads, others)
    return Counted(neighbours.count(out, heads, others), heads, others, sizes)


def pack_row(row: Row, keys: NDArray[np.uint64]) -> bytes:
    """A row as bytes: 24, and 12 for each neighbour; `keys` has the key of each number that it may
    use."""
    head = np.zeros(1, _HEAD)
    head["version"], head["length"] = VERSION, len(row.slots)
    head["clock"], head["weight"] = row.clock, row.weight
    return head.tobytes() + keys[row.slots].tobytes() + row.values.tobytes()


class PackedRows(NamedTuple):
    """r rows as `pack_row` packs them, one after the other, uint8[n]; row k begins at byte
    `starts[k]` and ends at `starts[k + 1]`."""

    data: NDArray[np.uint8]
    starts: list[int]

    def parts(self, begin: int, end: int) -> list[bytes]:
        """The rows `begin` to `end` − 1."""
        return [self.data[a:b].tobytes() for a, b in pairwise(self.starts[begin : end + 1])]


def pack_rows(
    neighbours: Neighbours, rows: NDArray[np.int32], keys: NDArray[np.uint64]
) -> PackedRows:
    """Each of `rows` (int32[r]) as `pack_row` packs it, all at once."""
    n = neighbours
    starts = np.zeros(len(rows) + 1, np.int64)
    np.cumsum(PAIRS_HEAD + PAIR * n.lengths[rows].astype(np.int64), out=starts[1:])
    out = np.empty(int(starts[-1]) // 4, np.uint32)
    row_kernels.pack(rows, n.table, n.clock, n.gain, keys, starts // 4, out)
    return PackedRows(out.view(np.uint8), starts.tolist())


class KeyRow(NamedTuple):
    """A row whose neighbours are named by key: clock, weight, uint64[k], float32[k]."""

    clock: int
    weight: float
    keys: NDArray[np.uint64]
    values: NDArray[np.float32]


def read_row(data: bytes, what: str) -> KeyRow:
    """The row that `pack_row` wrote; non-finite and negative numbers read as 0.

    Raises:
        ServiceError: the row has another version, or a length that does not fit.
    """
    size = _HEAD.itemsize
    if len(data) >= size and data[0] == VERSION:
        head = np.frombuffer(data, _HEAD, 1)[0]
        length = int(head["length"])
        if len(data) == size + 12 * length:
            values = np.frombuffer(data, "<f4", length, size + 8 * length)
            values = np.where(np.isfinite(values) & (values > 0), values, np.float32(0.0))
            weight = float(head["weight"])
            keys = np.frombuffer(data, "<u8", length, size)
            counted = max(weight, 0.0) if isfinite(weight) else 0.0
            return KeyRow(int(head["clock"]), counted, keys, values)
        raise ServiceError(
            f"{what} has {len(data)} bytes and says it has {length} neighbours: it is damaged; "
            "restore an earlier checkpoint."
        )
    found = data[0] if data else "no"
    raise ServiceError(
        f"{what} is stored in form {found}, this millirec reads form {VERSION}: restore with the "
        "release that wrote it, or start without the old state."
    )
