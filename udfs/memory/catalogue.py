"""The items a learner knows, as parallel arrays: a replica in each user learner, the original in
the item learners.

In: item ids as they occur, absolute rows from the item feed or from state. Out: slots (int32
positions in the arrays) and the arrays that the kernels work on. All other data of items are
in tables attached to the catalogue: they grow, drop expired items and are compacted with it.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from udfs.direct import Direct
from udfs.events.batch import item_key
from udfs.memory import random_kernels, record_kernels, vector_kernels
from udfs.memory.clusters import AUTOMATIC, ClusterIndex
from udfs.memory.columns import Table, column
from udfs.memory.key_table import KeyTable
from udfs.memory.metadata import Metadata
from udfs.memory.popularity_kernels import SPANS
from udfs.memory.vector_kernels import LIMIT, SPREAD_LIMIT
from udfs.state.records import ITEM_VERSION, item_dtype

_encode = msgspec.json.Encoder().encode
_NONE = np.zeros(0, np.int32)
_STORED = record_kernels.Columns._fields


class Catalogue(Table):
    """Slots 0 to `size` − 1; every array has room for more.

    Attributes:
        q, y, bias: float32[I, d] twice and float32[I]: an item's factor as a candidate, that as
            part of a history, and its bias.
        spread: float32[I, 3], summed mean squared gradients of q, y and bias.
        axis, along, across: float32[d], float32[I] twice: bounds of products with q, see `measure`.
        strong: int32[64], slots of the last lists by factors, which are tried first for the next.
        clusters: searched instead of all items if lists need not be exact.
        alive: bool[I], items that are learned. A slot that is not alive is an expired item, or an
            item known only by its key from a user's history.
        shown: bool[I], those of them that lists may have now. metadata: what else is known of them.
        popularity, popularity_at, sums: float64[I], float64[I], float64[I, 4], decayed sum of
            positive weights, its time (ms), the sums of `popularity_kernels.SPANS` as of then.
        events, seen: int64[I], events counted and the time of the last, ms.
        takers, stamp: uint8[I], int64[I], see `item_dtype`; the last batch that touched the item.
        keys, checksum: uint64[I], int64[I], `item_key`, and CRC-32 of the id, for the item's shard.
        text, text_at, text_length: the JSON fragments of the items, for `lists`.

    Args:
        search: "exact", "approximate", or "auto": approximate from `AUTOMATIC` items on.
    """

    keys = column(np.uint64)
    q = column(np.float32, ("d",))
    y = column(np.float32, ("d",))
    bias = column(np.float32)
    spread = column(np.float32, (3,))
    along = column(np.float32)
    across = column(np.float32)
    alive = column(np.bool_)
    shown = column(np.bool_)
    popularity = column(np.float64)
    popularity_at = column(np.float64)
    sums = column(np.float64, (len(SPANS),))
    events = column(np.int64)
    seen = column(np.int64)
    takers = column(np.uint8)
    stamp = column(np.int64)
    checksum = column(np.int64)
    _shards = column(np.int32)
    text_at = column(np.int64)
    text_length = column(np.int32)

    def __init__(self, dimensions: int, seed: int, max_items: int, search: str = "exact") -> None:
        super().__init__(d=dimensions)
        self.dimensions, self.seed, self.max_items = dimensions, seed, max_items
        self._clustered_from = {"exact": np.inf, "approximate": 0, "auto": AUTOMATIC}[search]
        self.clusters: ClusterIndex | None = None
        self.dtype = item_dtype(dimensions)
        self.ids: list[str | None] = []
        self._slots: dict[str, int] = {}  # of the living
        self._by_key = KeyTable()
        self.living = 0
        self.expired = 0
        self.axis = np.zeros(dimensions, np.float32)
        self.strong = np.zeros(64, np.int32)
        self._measured = self._sharded = 0
        self._measure = Direct(vector_kernels.measure)
        self.text = np.zeros(32 * self.room, np.uint8)
        self._text_end = 0
        self.metadata = self.attach(Metadata())

    @property
    def size(self) -> int:
        """Slots in use."""
        return len(self.ids)

    def slots(self, items: Sequence[str]) -> NDArray[np.int32]:
        """The slot of each item, int32[n]; new items are initialised. −1 if the catalogue is full.

        >>> Catalogue(4, seed=1, max_items=1).slots(["a", "b", "a"]).tolist()
        [0, -1, 0]
        """
        get = self._slots.get
        found = list(map(get, items, repeat(-1)))
        if -1 in found:
            missing = dict.fromkeys(
                [item for item, slot in zip(items, found, strict=True) if slot < 0]
            )
            if room := max(self.max_items - self.living, 0):
                self.measure(self._admit([*missing][:room]))
                found = list(map(get, items, repeat(-1)))
        return np.array(found, np.int32)

    def find(self, items: Sequence[str]) -> NDArray[np.int32]:
        """The slot of each item, int32[n]; −1 if no such item is alive."""
        return np.fromiter(map(self._slots.get, items, repeat(-1)), np.int32, len(items))

    def known(self, keys: NDArray[np.uint64]) -> NDArray[np.int32]:
        """The slot of each living item by `item_key`, int32[n]; −1 if there is none."""
        slots = self._by_key.find(keys)
        return np.where(self.alive[slots], slots, np.int32(-1)) if self.size else slots

    def slots_of_keys(self, keys: NDArray[np.uint64]) -> NDArray[np.int32]:
        """The slot of each item by `item_key`, int32[n]; an unknown key gets a new, dead slot."""
        slots, fresh = self._by_key.number(keys)
        known = self.size
        self.reserve(known + len(fresh))
        self.ids += [None] * len(fresh)
        self.keys[known : self.size] = fresh
        return slots

    def _admit(self, items: Sequence[str]) -> NDArray[np.int32]:
        """Make distinct items alive that are not yet, with initial factors; returns their slots."""
        keys = np.fromiter(map(item_key, items), np.uint64, len(items))
        slots, ids = self.slots_of_keys(keys), self.ids
        for item, slot in zip(items, slots.tolist(), strict=True):
            self._slots[item] = slot
            if ids[slot] == item:
                self.expired -= 1
                continue
            ids[slot] = item
            self.checksum[slot] = zlib.crc32(item.encode())
            self._sharded = min(self._sharded, slot)
            self._write_text(slot, item)
        self.alive[slots] = self.shown[slots] = True
        self.living += len(slots)
        first = np.empty((len(slots), self.dimensions), np.float32)
        random_kernels.initial_factors(self.keys[slots], self.seed, first)
        self.q[slots] = first
        for name in _STORED[1:]:
            getattr(self, name)[slots] = 0
        return slots

    def measure(self, slots: NDArray[np.int32]) -> None:
        """Update the bounds (`vector_kernels.measure`) or the clusters after a change of `q` or
        `bias` of these slots. Bounds are correct for any axis. The best one is near the factors'
        first principal axis, computed again whenever all have changed ten times on average."""
        if self.bounded:
            self._measure(self.q, self.axis, slots, self.along, self.across, varying=(slots,))
            self.measured(len(slots))
        elif self.clusters is None:
            self.cluster()
        else:
            self.clusters.place(slots, self.q, self.bias)

    @property
    def bounded(self) -> bool:
        """Whether lists are made by the bounds, not by clusters."""
        return self.clusters is None and self.living < self._clustered_from

    def measured(self, count: int) -> None:
        """Record that the bounds of so many slots were updated."""
        self._measured += count
        if self._measured <= 10 * max(self.size, 100):
            return
        self._measured = 0
        q, axis = self.q[: self.size], self.axis if self.axis.any() else np.ones_like(self.axis)
        for _ in range(4):  # power iteration
            axis = q.T @ (q @ axis)
            axis /= max(np.linalg.norm(axis), np.float32(1e-30))
        self.axis = axis
        every = np.arange(self.size, dtype=np.int32)
        self._measure(self.q, axis, every, self.along, self.across, varying=(every,))

    def cluster(self) -> None:
        """Search the best items by cluster from now on."""
        self.clusters = ClusterIndex(self.dimensions)
        self.clusters.place(self.living_slots().astype(np.int32), self.q, self.bias)

    def _write_text(self, slot: int, item: str) -> None:
        text = np.frombuffer(b'{"item":' + _encode(item) + b',"score":', np.uint8)
        end = self._text_end + len(text)
        if end > len(self.text):
            larger = np.zeros(max(2 * len(self.text), end), np.uint8)
            larger[: self._text_end] = self.text[: self._text_end]
            self.text = larger
        self.text[self._text_end : end] = text
        self.text_at[slot], self.text_length[slot] = self._text_end, len(text)
        self._text_end = end

    def shards(self, count: int) -> NDArray[np.int32]:
        """The item shard of each slot, int32[size], of `count`, which must not change."""
        if self._sharded < self.size:
            fresh = slice(self._sharded, self.size)
            self._shards[fresh] = self.checksum[fresh] % count
            self._sharded = self.size
        return self._shards[: self.size]

    def living_slots(self) -> NDArray[np.intp]:
        """The slots of all living items, ascending."""
        return np.flatnonzero(self.alive[: self.size])

    def names(self, slots: Iterable[int]) -> list[str]:
        """The ids of the items in `slots`."""
        return [name for slot in slots if (name := self.ids[slot]) is not None]

    def rows(self, slots: NDArray[np.integer[Any]]) -> NDArray[np.void]:
        """The records of the items in `slots`, of `item_dtype`."""
        out = np.empty((len(slots), self.dtype.itemsize // 4), np.float32)
        columns = record_kernels.Columns(*[getattr(self, name) for name in _STORED])
        record_kernels.pack(slots.astype(np.int32), columns, ITEM_VERSION, out)
        return out.view(self.dtype).reshape(len(slots))

    def put_rows(self, items: Sequence[str], rows: NDArray[np.void]) -> None:
        """Set items to the values of their records, as far as there is room for them."""
        self.put(self.slots(items), rows)

    def put(self, slots: NDArray[np.int32], rows: NDArray[np.void]) -> None:
        """Set the items in `slots` (−1: skipped) to records with the fields of `item_dtype`."""
        if slots.size and slots.min() < 0:
            rows, slots = rows[slots >= 0], slots[slots >= 0]
        for array, name in ((self.q, "factor"), (self.y, "context"), (self.bias, "bias")):
            array[slots] = np.clip(rows[name].astype(np.float32), -LIMIT, LIMIT)
        self.spread[slots] = np.clip(rows["spread"], 0.0, SPREAD_LIMIT)
        if self.clusters is not None and 2 * len(slots) >= self.living:
            self.cluster()  # clusters of initial factors would not separate later
        else:
            self.measure(slots)
        for name in set(_STORED[4:]) & {*(rows.dtype.names or ())}:
            getattr(self, name)[slots] = rows[name]

    def expire(self, before_ms: int) -> list[str]:
        """Drop the items last seen before `before_ms`: they are neither learned nor shown until
        they occur again. Returns their ids."""
        slots = self.living_slots()
        slots = slots[self.seen[slots] < before_ms]
        self.alive[slots] = self.shown[slots] = False
        for table in self.attached:
            table.clear(slots)
        self.living -= len(slots)
        self.expired += len(slots)
        names = self.names(slots.tolist())
        for name in names:
            del self._slots[name]
        return names

    @property
    def wasteful(self) -> bool:
        """Whether more slots are held by expired items than by living ones."""
        return self.expired > max(1000, self.living)

    def compact(self, held: NDArray[np.int32] = _NONE) -> NDArray[np.int32]:
        """Free the slots of items that are not alive; all attached tables move along.

        Args:
            held: int32[h], slots to keep anyway, because histories name them. Such an item is then
                known only by its key.

        Returns: int32[room], the new slot of each old one, −1 if it is gone, for all that holds
            slots elsewhere.
        """
        stays = self.alive.copy()
        stays[held] = True
        kept = np.flatnonzero(stays)
        names, alive = [self.ids[slot] for slot in kept.tolist()], self.alive[kept].tolist()
        place = self.keep(kept)
        self.ids = [name if lives else None for name, lives in zip(names, alive, strict=True)]
        self._slots = {name: slot for slot, name in enumerate(self.ids) if name is not None}
        self._by_key = KeyTable()
        self._by_key.number(self.keys[: self.size])
        by_key = np.flatnonzero(~self.alive[: self.size])
        keys = self.keys[by_key]
        self.clear(by_key)
        self.keys[by_key] = keys
        self.expired = self._sharded = self._text_end = 0
        for name, slot in self._slots.items():
            self._write_text(slot, name)
        self.strong[:] = 0
        if self.clusters is not None:
            self.clusters = None
            self.measure(self.living_slots().astype(np.int32))
        return place
