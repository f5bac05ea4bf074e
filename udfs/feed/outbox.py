"""What a learner owes the item learners: gathered over any number of calls, packed at once.

In: the items that each call of `Learner.learn` has touched, its events, pairs and shared
parameters. Out: one message per item shard.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from udfs.feed import change_kernels
from udfs.feed.change_kernels import Demand, Owed, People
from udfs.feed.deltas import Touched, pack_deltas
from udfs.feed.parameters import Parameters
from udfs.memory.catalogue import Catalogue
from udfs.memory.columns import Table, column
from udfs.memory.history_kernels import Batch
from udfs.memory.users import Users
from udfs.models.factors import arrays
from udfs.models.item_cf.arrays import Windows
from udfs.models.item_cf.wire import split_pairs


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
        self._windows: list[Windows] = []
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
        self._count, fresh, newest = change_kernels.tally(
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
        names = {k: c.ids[slots[k]] or "" for k in np.flatnonzero(events).tolist()}
        change = np.empty((n, r.before.shape[1]), np.float32)
        keys, owners = np.empty(n, np.uint64), np.empty(n, np.int32)
        change_kernels.changes(
            slots, r.before, arrays.item_factors(c), c.keys, shards, change, keys, owners
        )
        pairs = []
        if self._windows:
            windows = Windows.join(self._windows)
            pairs = split_pairs(windows, c.keys, shards, count, self._items.number)
        touched = Touched(keys, names, change, r.weight[:n], r.weight_at[:n], events, owners)
        self._count, self._windows = 0, []
        return pack_deltas(touched, now_ms, pairs, shared, self._origin)
