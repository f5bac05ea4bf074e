"""The item feed as an item shard writes it: changed items for the replicas in the user learners.

In: rows of a `Catalogue` that owns one shard of the items. Out: entries of the log, and one
snapshot per item shard with its pairs in chunks (see `udfs.stores.redis_feed`). All values are
absolute, so reading an entry twice is harmless. Entries are versioned MessagePack, not meant for
front ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from udfs.feed import parameters
from udfs.feed.changes import Changes
from udfs.feed.entries import VERSION, FeedRows
from udfs.feed.parameters import Parameters
from udfs.memory.catalogue import Catalogue
from udfs.stores.redis_feed import RedisFeed, Snapshot

_encode = msgspec.msgpack.Encoder().encode


class FeedWriter:
    """The item shard's side of the feed.

    Args:
        epoch: when this learner started, ms. restored: whether it started from a checkpoint or
            savepoint.
        keep_s: how long the log keeps an entry.

    Attributes:
        written: bytes packed so far, without the keys and the protocol around them.
    """

    def __init__(
        self, feed: RedisFeed, shard: int, epoch: int, restored: bool, keep_s: float
    ) -> None:
        self._feed, self.shard, self._epoch = feed, shard, epoch
        self.restored, self._keep_ms = restored, int(keep_s * 1000)
        self.written = 0

    def lost(self) -> bool:
        """Whether Redis has no snapshot of this shard: none was written, or Redis was emptied."""
        return self._feed.lost(self.shard)

    def _pack(
        self, catalogue: Catalogue, slots: NDArray[np.integer[Any]], changes: Changes
    ) -> bytes:
        data = _encode(
            FeedRows(
                VERSION,
                self.shard,
                self._epoch,
                self.restored,
                catalogue.names(slots.tolist()),
                catalogue.rows(slots).tobytes(),
                changes.counted,
                changes.pairs,
                parameters.pack(changes.parameters),
            )
        )
        self.written += len(data)
        return data

    def append(
        self, catalogue: Catalogue, slots: NDArray[np.integer[Any]], changes: Changes, now_ms: int
    ) -> None:
        """Add the rows of `slots` and `changes` to the log."""
        self._feed.append(self._pack(catalogue, slots, changes), now_ms - self._keep_ms)

    def replace(
        self,
        catalogue: Catalogue,
        shared: Parameters,
        chunks: Mapping[int, Changes],
        *,
        whole: bool,
    ) -> None:
        """Replace the shard's snapshot.

        Args:
            chunks: pairs by chunk: the chunks that changed since the last snapshot, or all if
                `whole`.
        """
        none = np.zeros(0, np.int32)
        self._feed.replace(
            self.shard,
            Snapshot(
                entry=self._pack(catalogue, catalogue.living_slots(), Changes(parameters=shared)),
                pairs={n: self._pack(catalogue, none, chunk) for n, chunk in chunks.items()},
                whole=whole,
                origin=f"{self._epoch}:{int(self.restored)}",
            ),
        )
