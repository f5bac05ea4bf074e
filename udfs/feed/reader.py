"""The item feed: changed items from the item learners to the replicas in the user learners.

In: rows of a `Catalogue` that owns one shard of the items. Out: entries of the Redis stream
`feed:log` (trimmed by age) and one snapshot per item shard, `feed:snapshot:{<shard>}`, with its
origin in `feed:epoch:{<shard>}`. What was taken together stands beside it in chunks, the hash
`feed:pairs:{<shard>}`, because it is many times larger and most of it stays as it is. The braces
keep them on one node of a Redis Cluster, in the order in which they are written. All values are
absolute, so reading twice is harmless. Packed as MessagePack, versioned; not for front ends.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from udfs.errors import ServiceError
from udfs.feed.entries import VERSION, FeedRows, feed_key, unpack
from udfs.memory.catalogue import Catalogue
from udfs.models.item_cf.wire import read_row
from udfs.ranking.recommender import Models
from udfs.stores.redis_writer import Command, RedisWriter

log = logging.getLogger(__name__)
_WATCH_S = 60.0  # how long after its start a replica looks for snapshots of restored state
_SETTLED_S = 15.0  # after its start a replica has all snapshots there are: one is written in 10 s


class Changes(NamedTuple):
    """What an item shard publishes beside its items; as in `FeedRows`."""

    counted: Sequence[str] = ()
    pairs: Sequence[bytes] = ()
    ranker: bytes = b""


_encode = msgspec.msgpack.Encoder().encode


def feed_keys(prefix: str, item_shards: int) -> list[str]:
    """Every key of the feed: what a job that starts afresh deletes."""
    shards = range(item_shards)
    kinds = [feed_key(prefix, kind, n) for kind in ("snapshot", "pairs", "epoch") for n in shards]
    return [f"{prefix}feed:log", *kinds]


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


class FeedReader:
    """A replica's side of the feed: loads snapshots, then follows the log.

    Args:
        alone: whether this is the job's only user learner: then every change in the log is an echo
            of its own, already applied, and the log is not read. Snapshots of restored state are.
        keep_s: how long the log keeps an entry: a replica that was away longer loads snapshots.

    Attributes:
        read: bytes unpacked so far.
    """

    def __init__(
        self, writer: RedisWriter, prefix: str, item_shards: int, alone: bool, keep_s: float
    ) -> None:
        self._writer, self._prefix, self._shards = writer, prefix, item_shards
        self._alone, self._keep_s = alone, keep_s
        self._position, self.read = "0-0", 0
        self._origins: dict[int, bytes] = {}
        self._started = self._read_at = self._watched_at = time.monotonic()

    def start(self, models: Models) -> int:
        """Load what snapshots there are; returns how many items the catalogue then has."""
        now = self._writer.send([("TIME",)])[0]
        # A little earlier than now: an entry read twice is harmless, one missed is not.
        self._position = f"{int(now[0]) * 1000 - 1000}-0"
        self._load(range(self._shards), models)
        return models.catalogue.living

    @property
    def settled(self) -> bool:
        """Whether the replica holds what there is to hold, or has waited long enough for it."""
        waited = time.monotonic() - self._started > _SETTLED_S
        return waited or len(self._origins) == self._shards

    def refresh(self, models: Models) -> int:
        """Bring the replica up to date; returns how many rows were read."""
        now = time.monotonic()
        count = 0
        if now - self._started < _WATCH_S and now - self._watched_at >= 0.5:
            self._watched_at = now
            count += self._load(self._restored(), models)
            if count:  # what has come at once was popular before
                models.trending.forget()
        if self._alone:
            return count
        if now - self._read_at > self._keep_s / 2:
            count += self._load(range(self._shards), models)
        self._read_at = now
        return count + self._follow(models)

    def _restored(self) -> list[int]:
        """The shards with a new snapshot of state that was restored after this replica began."""
        keys = [feed_key(self._prefix, "epoch", shard) for shard in range(self._shards)]
        origins = self._writer.send([("GET", key) for key in keys])
        return [
            shard
            for shard, origin in enumerate(origins)
            if origin and origin.endswith(b":1") and origin != self._origins.get(shard)
        ]

    def _load(self, shards: Iterable[int], models: Models) -> int:
        count = 0
        for shard in shards:
            keys = [feed_key(self._prefix, kind, shard) for kind in ("epoch", "snapshot")]
            origin, data = self._writer.send([("MGET", *keys)])[0]
            if data:
                self._origins[shard] = origin
                count += self.apply(data, models)
                pairs = feed_key(self._prefix, "pairs", shard)
                for chunk in self._writer.send([("HKEYS", pairs)])[0]:
                    # One by one: together they may be more than one reply should hold.
                    data = self._writer.send([("HGET", pairs, chunk)])[0]
                    count += self.apply(data, models) if data else 0
        return count

    def _follow(self, models: Models) -> int:
        count = 0
        while True:
            stream = f"{self._prefix}feed:log"
            command: Command = ("XREAD", "COUNT", "64", "STREAMS", stream, self._position)
            reply = self._writer.send([command])[0]
            entries = reply[0][1] if reply else []
            for position, fields in entries:
                self._position = position.decode()
                count += self.apply(fields[1], models)
            if len(entries) < 64:
                return count

    def apply(self, data: bytes, models: Models) -> int:
        """Apply one entry; what cannot be read is logged and left out, never trusted."""
        self.read += len(data)
        try:
            feed, rows = unpack(data, models.catalogue.dtype)
            pairs = [read_row(row, "an entry of the item feed") for row in feed.pairs]
        except ServiceError as error:
            log.warning("the item feed holds an entry that is left out: %s", error)
            return 0
        models.put(feed.items, rows, feed.counted, pairs, feed.ranker)
        return len(rows)
