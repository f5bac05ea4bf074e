"""The item feed as a user learner reads it: changes from a Redis stream, snapshots at its start.

In: the entries that `udfs.feed.writer` writes. Out: the replica's rows, set to absolute values.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable

from udfs.errors import ServiceError
from udfs.feed import parameters
from udfs.feed.entries import unpack
from udfs.models.item_cf.wire import read_row
from udfs.ranking.recommender import Recommender
from udfs.stores.redis_feed import RedisFeed

log = logging.getLogger(__name__)
_WATCH_S = 60.0  # how long after its start a replica looks for snapshots of restored state
_SETTLED_S = 15.0  # by then a replica has all snapshots: each is written every 10 s


class FeedReader:
    """The replica's side of the feed: loads snapshots, then follows the log.

    Args:
        alone: whether this is the job's only user learner: then the log contains only its own
            changes, already applied, and is not read. Snapshots of restored state are still read.
        keep_s: how long the log keeps an entry: a replica that was away longer loads snapshots.

    Attributes:
        read: bytes unpacked so far.
    """

    def __init__(self, feed: RedisFeed, item_shards: int, alone: bool, keep_s: float) -> None:
        self._feed, self._shards = feed, item_shards
        self._alone, self._keep_s = alone, keep_s
        self._position, self.read = "0-0", 0
        self._origins: dict[int, bytes | None] = {}
        self._started = self._read_at = self._watched_at = time.monotonic()

    def start(self, models: Recommender) -> int:
        """Load the snapshots that exist; returns how many items the catalogue then has."""
        self._position = self._feed.end()
        self._load(range(self._shards), models)
        return models.catalogue.living

    @property
    def settled(self) -> bool:
        """Whether the replica has loaded all snapshots, or has waited long enough for them."""
        waited = time.monotonic() - self._started > _SETTLED_S
        return waited or len(self._origins) == self._shards

    def refresh(self, models: Recommender) -> int:
        """Bring the replica up to date; returns how many rows were read."""
        now = time.monotonic()
        count = 0
        if now - self._started < _WATCH_S and now - self._watched_at >= 0.5:
            self._watched_at = now
            count += self._load(self._restored(), models)
            if count:  # items loaded at once were popular before
                models.trending.forget()
        if self._alone:
            return count
        if now - self._read_at > self._keep_s / 2:
            count += self._load(range(self._shards), models)
        self._read_at = now
        return count + self._follow(models)

    def _restored(self) -> list[int]:
        """The shards with a new snapshot of state that was restored after this replica began."""
        origins = self._feed.origins(range(self._shards))
        return [
            shard
            for shard, origin in enumerate(origins)
            if origin and origin.endswith(b":1") and origin != self._origins.get(shard)
        ]

    def _load(self, shards: Iterable[int], models: Recommender) -> int:
        count = 0
        for shard in shards:
            origin, data = self._feed.snapshot(shard)
            if data:
                self._origins[shard] = origin
                count += self.apply(data, models)
                count += sum(self.apply(chunk, models) for chunk in self._feed.pairs(shard))
        return count

    def _follow(self, models: Recommender) -> int:
        count = 0
        for position, data in self._feed.follow(self._position):
            self._position = position
            count += self.apply(data, models)
        return count

    def apply(self, data: bytes, models: Recommender) -> int:
        """Apply one entry; an entry that cannot be read is logged and skipped."""
        self.read += len(data)
        try:
            feed, rows = unpack(data, models.catalogue.dtype)
            pairs = [read_row(row, "an entry of the item feed") for row in feed.pairs]
            shared = parameters.read(feed.parameters)
        except ServiceError as error:
            log.warning("the item feed has an entry that is skipped: %s", error)
            return 0
        models.put(feed.items, rows, feed.counted, pairs, shared)
        return len(rows)
