"""What a learner owes the item learners: gathered over any number of calls, packed at once.

In: the items that each call of `Learner.learn` has touched, its events, pairs and shared
parameters. Out: one message per item shard.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from udfs.direct import Direct
from udfs.feed import change_kernels
from udfs.feed.change_kernels import Demand, Grouped, Owed, People
from udfs.feed.deltas import Touched, pack_deltas
from udfs.feed.parameters import Parameters
from udfs.memory.catalogue import Catalogue
from udfs.memory.columns import Table, column
from udfs.memory.history_kernels import Batch
from udfs.memory.users import Users
from udfs.models.factors import arrays
from udfs.models.item_cf.arrays import Windows
from udfs.models.item_cf.wire import Pairs, split_pairs


class _Items(Table):
    """Of each catalogue slot: its place among what is owed, and memory of `split_pairs`."""

    place = column(np.int32)
    number = column(np.int32, fill=-1)


class _Rows(Table):
    """The items that are owed, in order, see `Owed`: they keep their memory between batches."""

    slots = column(np.int32)
    before = column(np.float32, ("w",))
    weight = column(np.float64)
    weight_at = column(np.float64)
    events = column(np.int64)
    change = column(np.float32, ("w",))
    keys = column(np.uint64)
    shards = column(np.int32)


class Outbox:
    """See the module. While anything is owed, the catalogue's slots stay where they are, and
    nothing but learning changes them.

    Attributes:
        touched: how many items stand in the last `room`: to be set.

    Args:
        shards: how many item shards there are. origin: the subtask of this learner.
    """

    def __init__(self, catalogue: Catalogue, shards: int, half_life_ms: float, origin: int) -> None:
        self._catalogue, self._shards, self._origin = catalogue, shards, origin
        self._half_life_ms = half_life_ms
        self._items = catalogue.attach(_Items())
        self._rows = _Rows(w=2 * catalogue.dimensions + 4)
        self._grouped = Grouped.room(0, catalogue.dimensions, shards)
        self._tally, self._changes = Direct(change_kernels.tally), Direct(change_kernels.changes)
        self._windows: list[Windows] = []
        self._pairs = Windows.room(0, 0)
        self._count = self._batch = self.touched = 0

    @property
    def empty(self) -> bool:
        """Whether nothing is owed."""
        return not (self._count or self._windows)

    def room(self, count: int, events: int) -> arrays.Touched:
        """Room for `count` items that a batch of `events` events may touch, and for those of its
        events; its number is above those of all before."""
        rows, begin = self._rows, self._count
        rows.reserve(begin + count + events)
        self._batch += 1
        return arrays.Touched(
            self._catalogue.stamp, self._batch, rows.slots[begin:], rows.before[begin:]
        )

    def add(
        self, batch: Batch, ts: NDArray[np.int64], users: Users, now_ms: int
    ) -> tuple[int, int]:
        """Count a batch that was learned.

        Args:
            ts: int64[n], the events' times, ms.

        Returns: how many users were met for the first time, and the latest time.
        """
        c, r = self._catalogue, self._rows
        self._count, fresh, newest = self._tally(
            batch,
            ts,
            now_ms,
            self._half_life_ms,
            People(users.events, users.last, users.seen),
            Demand(c.popularity, c.popularity_at, c.events, c.seen),
            arrays.item_factors(c),
            Owed(r.slots, r.before, r.weight, r.weight_at, r.events, self._items.place),
            self._count,
            self.touched,
        )
        return fresh, newest

    def pair(self, windows: Windows) -> None:
        """Add the pairs of a batch."""
        if windows.learned:
            self._windows.append(windows)

    def pack(self, now_ms: int, shared: Parameters) -> dict[int, bytes]:
        """One message per item shard that has changes; nothing is owed any more.

        Args:
            shared: what was added to shared parameters.
        """
        c, r, n, count = self._catalogue, self._rows, self._count, self._shards
        if self.empty and not shared:
            return {}
        slots, events, shards = r.slots[:n], r.events[:n], c.shards(count)
        ids, some = c.ids, slots.tolist()
        names = {k: ids[some[k]] or "" for k in np.flatnonzero(events).tolist()}
        self._changes(
            slots, r.before, arrays.item_factors(c), c.keys, shards, r.change, r.keys, r.shards
        )
        if len(self._grouped.keys) < n:
            self._grouped = Grouped.room(2 * n, c.dimensions, count)
        touched = Touched(
            r.keys[:n], names, r.change[:n], r.weight[:n], r.weight_at[:n], events, r.shards[:n]
        )
        pairs, self._count = self._split(shards), 0
        return pack_deltas(touched, now_ms, pairs, shared, self._origin, self._grouped)

    def _split(self, shards: NDArray[np.int32]) -> list[Pairs]:
        """The pairs by item shard; then none are owed."""
        if not self._windows:
            return []
        windows, room = Windows.join(self._windows), self._pairs
        self._windows = []
        m, p = len(windows.heads), len(windows.others)
        if len(room.heads) < m or len(room.others) < p:
            room = self._pairs = Windows.room(2 * m, 2 * p)
        return split_pairs(
            windows, self._catalogue.keys, shards, self._shards, self._items.number, room
        )
