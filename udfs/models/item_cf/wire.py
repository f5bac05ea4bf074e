"""Pairs in transit from the user learner, which finds them, to the rows of the item learners.

In: the `Windows` of a batch. Out: one message per item shard, which names items by their key;
functions that apply it to the rows that a shard owns; and those rows as versioned bytes, in Flink's
state and in the item feed.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from udfs.errors import ServiceError
from udfs.memory.columns import Table, column
from udfs.memory.key_table import KeyTable
from udfs.models.item_cf import counting_kernels
from udfs.models.item_cf.neighbours import Neighbours, Row, Windows

VERSION = 1
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
) -> list[Pairs]:
    """The pairs of a batch by item shard: those with an item of the shard at either end.

    Args:
        keys, shards: uint64[I], int32[I], key and item shard of each slot that occurs.
        place: int32[I], all −1, left so; by default made anew.
    """
    w, m, p = windows, len(windows.heads), len(windows.others)
    if place is None:
        place = np.full(len(shards), -1, np.int32)
    out, used = Windows.room(m, p), np.empty(min(m + p, len(shards)), np.int32)
    parts = []
    for shard in range(count):
        events, pairs, names = counting_kernels.select(w, shards, np.int32(shard), place, used, out)
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


def apply_pairs(
    pairs: Pairs,
    neighbours: Neighbours,
    index: KeyIndex,
    rows_of: Callable[[NDArray[np.uint64]], NDArray[np.int32]],
) -> NDArray[np.int32]:
    """Count the pairs of a message in the rows of their owner; returns the rows changed, int32[r].

    Args:
        rows_of: the row of each key, int32[k], −1 if the owner has no such item.
    """
    keys = np.frombuffer(pairs.keys, "<u8")
    numbers, rows = index.numbers(keys), rows_of(keys)
    heads, others = np.frombuffer(pairs.heads, "<i4"), np.frombuffer(pairs.others, "<i4")
    windows = Windows(
        pairs.learned,
        np.frombuffer(pairs.order, "<i4"),
        np.zeros(0, np.int32),
        numbers[heads],
        np.frombuffer(pairs.gains, "<f4"),
        np.frombuffer(pairs.starts, "<i4"),
        numbers[others],
        np.frombuffer(pairs.distances, np.uint8),
    )
    return neighbours.count(windows, rows[heads], rows[others])


def pack_row(row: Row, keys: NDArray[np.uint64]) -> bytes:
    """A row as bytes: 24, and 12 for each neighbour; `keys` has the key of each number that it may
    use."""
    head = np.zeros(1, _HEAD)
    head["version"], head["length"] = VERSION, len(row.slots)
    head["clock"], head["weight"] = row.clock, row.weight
    return head.tobytes() + keys[row.slots].tobytes() + row.values.tobytes()


def pack_rows(
    neighbours: Neighbours, rows: NDArray[np.int32], keys: NDArray[np.uint64]
) -> list[bytes]:
    """Each of `rows` (int32[r]) as `pack_row` packs it, all at once."""
    n = neighbours
    lengths = n.lengths[rows].astype(np.int64)
    total = int(lengths.sum())
    names, values = np.empty(total, np.uint64), np.empty(total, np.float32)
    counting_kernels.flatten(rows, n.ids, n.values, n.lengths, n.gain, keys, names, values)
    head = np.zeros(len(rows), _HEAD)
    head["version"], head["length"], head["clock"] = VERSION, lengths, n.clock
    head["weight"] = n.counts[rows] / n.gain
    heads, named, counted = head.tobytes(), names.tobytes(), values.tobytes()
    ends = np.cumsum(lengths).tolist()
    size = _HEAD.itemsize
    return [
        heads[k * size : (k + 1) * size] + named[8 * a : 8 * b] + counted[4 * a : 4 * b]
        for k, (a, b) in enumerate(zip([0, *ends], ends, strict=False))
    ]


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
