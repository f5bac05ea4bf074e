"""The item feed as an item shard writes it: changed items for the replicas in the user learners.

In: rows of a `Catalogue` that owns one shard of the items. Out: entries of the log, and one
snapshot per item shard in chunks (see `udfs.stores.redis_feed`). All values are absolute, so
reading an entry twice is harmless. Entries are versioned MessagePack, not meant for front ends.
"""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from udfs.feed import parameters
from udfs.feed.changes import Changes
from udfs.feed.entries import VERSION, FeedRows, change_dtype
from udfs.feed.marks import NEW
from udfs.feed.parameters import Parameters
from udfs.memory.catalogue import Catalogue
from udfs.models.item_cf.feed_rows import PairRows
from udfs.stores.redis_feed import BEGUN, ITEMS, PAIRS, RedisFeed

_encode = msgspec.msgpack.Encoder().encode
_FIELDS = "seen", "popularity_at", "popularity", "sums", "events", "bias", "spread"


class FeedWriter:
    """The item shard's side of the feed.

    Args:
        epoch: when this learner started, ms. restored: whether it started from a checkpoint or
            savepoint.
        keep_s: how long the log keeps an entry.
    """

    def __init__(
        self, feed: RedisFeed, shard: int, epoch: int, restored: bool, keep_s: float
    ) -> None:
        self._feed, self.shard, self._epoch = feed, shard, epoch
        self.restored, self._keep_ms = restored, int(keep_s * 1000)
        self._number = 0
        self._origin = ""

    def lost(self) -> bool:
        """Whether Redis has another snapshot of this shard than the last written here: it was
        emptied, or has come back with older data; or none was written yet."""
        return self._feed.lost(self.shard, self._origin)

    def _empty(self) -> FeedRows:
        return FeedRows(VERSION, self.shard, self._epoch, self.restored, [], b"")

    def append(
        self, catalogue: Catalogue, changes: Changes, flags: NDArray[np.uint8], now_ms: int
    ) -> int:
        """Add changes to the log; returns the bytes of the entry. `flags` are those of
        `udfs.feed.marks`."""
        slots = changes.slots
        takers = catalogue.takers[slots]
        new = np.flatnonzero(flags[slots] & NEW).astype("<i4")
        rows = msgspec.structs.replace(
            self._empty(),
            parameters=parameters.pack(changes.parameters),
            factors=catalogue.dimensions,
            changed=_changed(catalogue, slots).tobytes(),
            new=new.tobytes(),
            names=catalogue.names(slots[new].tolist()),
            counts=changes.pairs,
            takers=takers.tobytes() if takers.any() else b"",
        )
        data = _encode(rows)
        self._feed.append(data, now_ms - self._keep_ms, changes.besides)
        return len(data)

    def begin(self, *, items: bool, pairs: bool) -> None:
        """Begin a snapshot; drop the items or pairs of the last one, if these are to be whole."""
        if items:
            self._origin = f"{self._epoch}:0:{self._number}{BEGUN.decode()}"
        self._feed.begin(self.shard, [*[ITEMS] * items, *[PAIRS] * pairs], self._origin)

    def put(
        self, catalogue: Catalogue, number: int, slots: NDArray[np.int32], pairs: PairRows | None
    ) -> int:
        """Replace a chunk of the snapshot, items or their pairs; returns its bytes."""
        entry = msgspec.structs.replace(
            self._empty(),
            items=catalogue.names(slots.tolist()),
            rows=catalogue.rows(slots).tobytes(),
            counts=pairs or PairRows(),
        )
        kind = ITEMS if pairs is None else PAIRS
        data = _encode(entry)
        self._feed.put(self.shard, kind, number, data)
        return len(data)

    def finish(self, shared: Parameters) -> bool:
        """End a snapshot; returns whether Redis still had what was written before."""
        kept = not self.lost()
        self._number += 1
        self._origin = f"{self._epoch}:{int(self.restored)}:{self._number}"
        entry = msgspec.structs.replace(self._empty(), parameters=parameters.pack(shared))
        self._feed.finish(self.shard, _encode(entry), self._origin)
        return kept


def _changed(catalogue: Catalogue, slots: NDArray[np.int32]) -> NDArray[np.void]:
    """The items in `slots` for the log."""
    c = catalogue
    rows = np.empty(len(slots), change_dtype(c.dimensions))
    rows["key"], rows["factor"], rows["context"] = c.keys[slots], c.q[slots], c.y[slots]
    for name in _FIELDS:
        rows[name] = getattr(c, name)[slots]
    return rows
