"""What a learner owes the item learners: gathered over any number of calls, packed at once.

In: the items that each call of `Learner.learn` has touched, its events, pairs and shared
parameters. Out: one message per item shard.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from udfs.direct import Direct
from udfs.feed import change_kernels
from udfs.feed.change_kernels import Grouped, Named, Owed
from udfs.feed.deltas import pack_grouped
from udfs.feed.parameters import Parameters
from udfs.memory import takers
from udfs.memory.catalogue import Catalogue
from udfs.memory.columns import Table, column
from udfs.memory.popularity_kernels import SPANS
from udfs.models.factors import arrays
from udfs.models.item_cf.arrays import Windows
from udfs.models.item_cf.wire import Pairs, split_pairs


class _Items(Table):
    """Of each catalogue slot: its place among what is owed, memory of `split_pairs`, and users who
    took it for the first time, see `Deltas`."""

    place = column(np.int32)
    number = column(np.int32, fill=-1)
    takers = column(np.uint8)


class _Rows(Table):
    """The items that are owed, in order, see `Owed`: they keep their memory between batches."""

    slots = column(np.int32)
    before = column(np.float32, ("w",))
    weight = column(np.float64)
    weight_at = column(np.float64)
    events = column(np.int64)
    sums = column(np.float64, (len(SPANS),))
    change = column(np.float32, ("w",))
    keys = column(np.uint64)
    shards = column(np.int32)
    touched = column(np.int32)


class Outbox:
    """See the module. While anything is owed, the catalogue's slots stay where they are, and
    nothing but learning changes them.

    Attributes:
        count: how many items are owed. batch: the number of the last batch. Both are set by what
            learns. took: whether any user took an item for the first time.

    Args:
        shards: how many item shards there are. origin: the subtask of this learner.
    """

    def __init__(self, catalogue: Catalogue, shards: int, origin: int) -> None:
        self._catalogue, self._shards, self._origin = catalogue, shards, origin
        self._items = catalogue.attach(_Items())
        self._rows = _Rows(w=2 * catalogue.dimensions + 4)
        self._grouped = Grouped.room(0, catalogue.dimensions, shards)
        self._collect = Direct(change_kernels.collect)
        self._pairs = Windows.room(0, 0)
        self._owed: Owed | None = None
        self.count, self.batch, self.took = 0, 0, False

    @property
    def empty(self) -> bool:
        """Whether nothing is owed."""
        return not self.count

    def room(self, events: int, each: int) -> Owed:
        """What is owed, with room for the items that a batch may touch: those of its events, and
        as many more for each event."""
        rows, owed, place = self._rows, self._owed, self._items.place
        rows.reserve(self.count + min(events * (1 + each), self._catalogue.size) + events)
        self.batch += 1
        if owed is None or owed.slots is not rows.slots or owed.place is not place:
            owed = self._owed = Owed(
                rows.slots,
                rows.before,
                rows.weight,
                rows.weight_at,
                rows.events,
                rows.sums,
                place,
            )
        return owed

    @property
    def touched(self) -> NDArray[np.int32]:
        """As much room for items."""
        return self._rows.touched

    def pack(self, now_ms: int, pairs: Windows | None, shared: Parameters) -> dict[int, bytes]:
        """One message per item shard that has changes; nothing is owed any more.

        Args:
            pairs: what the events were paired with. shared: what was added to shared parameters.
        """
        if self.empty and not shared:
            return {}
        c, r, n = self._catalogue, self._rows, self.count
        shards = c.shards(self._shards)
        if len(self._grouped.keys) < n:
            self._grouped = Grouped.room(2 * n, c.dimensions, self._shards)
        named = Named(c.keys, shards, r.change, r.keys, r.shards)
        self._collect(self.room(0, 0), n, arrays.item_factors(c), named, self._grouped)
        ids, slots = c.ids, self._grouped.named
        slots = slots[: self._grouped.starts[2, -1]]
        names = [ids[slot] or "" for slot in slots.tolist()]
        split, self.count = self._split(pairs, shards) if pairs else [], 0
        taken = b""
        if self.took:
            taken = self._items.takers[slots].tobytes()
            self._items.takers[slots], self.took = 0, False
        return pack_grouped(self._grouped, names, now_ms, split, shared, self._origin, taken)

    def take(self, slots: NDArray[np.int32]) -> None:
        """Owe that users took items for the first time: int32[n], items of events of the batch."""
        takers.add(self._items.takers, slots, np.ones(len(slots), np.int64))
        self.took = True

    def _split(self, windows: Windows, shards: NDArray[np.int32]) -> list[Pairs]:
        """The pairs by item shard."""
        room = self._pairs
        m, p = len(windows.heads), len(windows.others)
        if len(room.heads) < m or len(room.others) < p:
            room = self._pairs = Windows.room(2 * m, 2 * p)
        return split_pairs(
            windows, self._catalogue.keys, shards, self._shards, self._items.number, room
        )
