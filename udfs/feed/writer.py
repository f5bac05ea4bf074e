"""The item feed as an item shard writes it: changed items for the replicas in the user learners.

In: rows of a `Catalogue` that owns one shard of the items. Out: entries of the Redis stream
`feed:log` (trimmed by age) and one snapshot per item shard, `feed:snapshot:{<shard>}`, with its
origin in `feed:epoch:{<shard>}`. What was taken together is beside it in chunks, the hash
`feed:pairs:{<shard>}`, because it is many times larger and most of it stays as it is. The braces
keep them on one node of a Redis Cluster, in the order in which they are written. All values are
absolute, so reading twice is harmless. Packed as MessagePack, versioned; not for front ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from udfs.feed.changes import Changes
from udfs.feed.entries import VERSION, FeedRows, feed_key
from udfs.memory.catalogue import Catalogue
from udfs.stores.redis_writer import Command, RedisWriter

_encode = msgspec.msgpack.Encoder().encode


class FeedWriter:
    """One item shard's side of the feed: builds commands, sends nothing itself.

    Args:
        epoch: when this learner started, ms. keep_s: how long the log keeps an entry.

    Attributes:
        written: bytes packed so far, without the keys and the protocol around them.
    """

    def __init__(self, prefix: str, shard: int, epoch: int, restored: bool, keep_s: float) -> None:
        self._prefix, self.shard, self._epoch = prefix, shard, epoch
        self.restored, self._keep_ms = restored, int(keep_s * 1000)
        self.written = 0
        self._kept = feed_key(prefix, "epoch", shard)

    def lost(self, writer: RedisWriter) -> bool:
        """Whether Redis has no snapshot of this shard: none was written, or it was emptied."""
        return writer.try_to(("EXISTS", self._kept)) == [0]

    def _pack(
        self, catalogue: Catalogue, slots: NDArray[np.integer[Any]], changes: Changes
    ) -> bytes:
        rows = catalogue.rows(slots).tobytes()
        names = catalogue.names(slots.tolist())
        data = _encode(
            FeedRows(VERSION, self.shard, self._epoch, self.restored, names, rows, *changes)
        )
        self.written += len(data)
        return data

    def changes(
        self, catalogue: Catalogue, slots: NDArray[np.integer[Any]], changes: Changes, now_ms: int
    ) -> Command:
        """The command that adds the rows of `slots` and `changes` to the log."""
        oldest = f"{max(now_ms - self._keep_ms, 0)}-0"
        data = self._pack(catalogue, slots, changes)
        return ("XADD", f"{self._prefix}feed:log", "MINID", "~", oldest, "*", "rows", data)

    def snapshot(
        self, catalogue: Catalogue, ranker: bytes, chunks: Mapping[int, Changes], *, whole: bool
    ) -> list[Command]:
        """The commands that replace the shard's snapshot.

        Args:
            chunks: pairs by chunk: those that changed since the last snapshot, or all if `whole`.
        """
        data = self._pack(catalogue, catalogue.living_slots(), Changes(ranker=ranker))
        origin = f"{self._epoch}:{int(self.restored)}"
        pairs = feed_key(self._prefix, "pairs", self.shard)
        none = np.zeros(0, np.int32)
        return [
            *([("DEL", pairs)] if whole else []),
            *(("HSET", pairs, str(n), self._pack(catalogue, none, c)) for n, c in chunks.items()),
            ("SET", feed_key(self._prefix, "snapshot", self.shard), data),
            ("SET", self._kept, origin),
        ]
