"""The item feed as a user learner reads it: changes from a Redis stream, snapshots at its start.

In: the entries that `udfs.feed.writer` writes. Out: the replica's rows, set to absolute values.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from udfs.errors import ServiceError
from udfs.feed import parameters
from udfs.feed.entries import unpack
from udfs.memory.catalogue import Catalogue
from udfs.models.item_cf.feed_rows import ReadRows, read_short
from udfs.models.item_cf.neighbours import Neighbours
from udfs.models.item_cf.wire import read_row
from udfs.models.popular.noised import read_sums
from udfs.ranking.recommender import Recommender
from udfs.stores.redis_feed import RedisFeed

log = logging.getLogger(__name__)
_WATCH_S = 60.0  # how long after its start a replica looks for snapshots of restored state
_LOOK_S = 0.1  # how often it looks: pairs with items that it does not know yet are lost
_NOISED_S = 30.0  # how often it looks for counts with noise, which change once a day
_CLOSED_S = 10.0  # how long the end of the input waits for them at most
_SETTLED_S = 15.0  # by then a replica has all snapshots: each is written every 10 s


class FeedReader:
    """The replica's side of the feed: loads snapshots, then follows the log.

    Args:
        alone: whether this is the job's only user learner: then the log contains only its own
            changes, already applied, and is not read. Snapshots of restored state are still read.
        keep_s: how long the log keeps an entry: a replica that was away longer loads snapshots.
        origin: this user learner's number, as in its messages: entries that contain only its own
            changes are not unpacked.

    Attributes:
        read: bytes unpacked so far.
    """

    def __init__(
        self, feed: RedisFeed, item_shards: int, alone: bool, keep_s: float, origin: int = -1
    ) -> None:
        self._feed, self._shards, self._origin = feed, item_shards, origin
        self._alone, self._keep_s = alone, keep_s
        self._position, self.read = "0-0", 0
        self._origins: dict[int, bytes] = {}
        self._started = self._read_at = self._watched_at = time.monotonic()
        self._unknown: set[int] = set()  # shards that have items without a name here
        self._loaded_at, self._noised_at = self._started, 0.0

    def start(self, models: Recommender) -> int:
        """Load the snapshots that exist; returns how many items the catalogue then has."""
        self.read_noised(models)
        now = self._feed.end()
        # Without any, the log is of this job only: others may have begun to learn before.
        self._position = now if self._load(range(self._shards), models) else "0-0"
        return models.catalogue.living

    @property
    def settled(self) -> bool:
        """Whether the replica has loaded all snapshots, or has waited long enough for them."""
        waited = time.monotonic() - self._started > _SETTLED_S
        return waited or len(self._origins) == self._shards

    def refresh(self, models: Recommender) -> int:
        """Bring the replica up to date; returns how many rows were read."""
        now = time.monotonic()
        if now - self._noised_at >= _NOISED_S:
            self.read_noised(models)
        shards: set[int] = set()
        if now - self._started < _WATCH_S and now - self._watched_at >= _LOOK_S:
            self._watched_at = now
            shards.update(self._restored())
            if shards:  # items loaded at once were popular before
                models.trends.trending.forget()
        if self._alone:
            return self._load(shards, models)
        if now - self._read_at > self._keep_s / 2:
            shards.update(range(self._shards))
        if now - self._loaded_at > self._keep_s / 2:
            shards |= self._unknown
        self._read_at = now
        count = self._load(sorted(shards), models)
        if shards:
            self._unknown -= shards
            self._loaded_at, self._position = now, "0-0"
        return count + self._follow(models, again=bool(shards))

    def read_noised(self, models: Recommender) -> dict[int, int]:
        """Set the counts with noise, if there are to be any; returns the last day of each shard."""
        noised, days = models.popular.noised, dict[int, int]()
        self._noised_at = time.monotonic()
        if noised is None:
            return days
        for shard, data in enumerate(self._feed.noised(range(self._shards))):
            if data is not None:
                try:
                    found = read_sums(data)
                except ServiceError as error:
                    log.warning("the counts with noise of a shard are skipped: %s", error)
                    continue
                noised.put(found, time.time_ns() // 1_000_000)
                days[shard] = found.day
        return days

    def await_noised(self, models: Recommender, day: int) -> None:
        """At the end of the input: wait until the item learners have closed a day of all items that
        lines describe, `_CLOSED_S` at most; they do so when every user learner has ended."""
        c, until = models.catalogue, time.monotonic() + _CLOSED_S
        shards = np.unique(c.shards(self._shards)[c.metadata.described[: c.size]]).tolist()
        days = self.read_noised(models)
        while any(days.get(shard, 0) < day for shard in shards) and time.monotonic() < until:
            time.sleep(0.02)
            days = self.read_noised(models)
        if late := [shard for shard in shards if days.get(shard, 0) < day]:
            log.warning(
                "the last day of %d item shards was not closed within %.0f s: what is published "
                "does not have it. Start the job again with the same input if it is to have it",
                len(late),
                _CLOSED_S,
            )

    def _restored(self) -> list[int]:
        """The shards with a new snapshot of state that was restored after this replica began."""
        origins = self._feed.origins(range(self._shards))
        return [
            shard
            for shard, origin in enumerate(origins)
            if _writer(origin).endswith(b":1") and _writer(origin) != self._origins.get(shard)
        ]

    def _load(self, shards: Iterable[int], models: Recommender) -> int:
        count = 0
        for shard in shards:
            origin, data = self._feed.snapshot(shard)
            if data:
                self._origins[shard] = _writer(origin)
                count += self.apply(data, models)
                count += sum(self.apply(chunk, models) for chunk in self._feed.chunks(shard))
        return count

    def _follow(self, models: Recommender, *, again: bool) -> int:
        """Read the log from the position on.

        Args:
            again: whether this is the whole log, after snapshots that may be older than parts of
                it: then its own changes are wanted too, but nothing of an earlier item learner.
        """
        count = 0
        for position, data, besides in self._feed.follow(self._position):
            self._position = position
            if again or besides < 0 or besides != self._origin:
                count += self.apply(data, models, again=again)
        return count

    def apply(self, data: bytes, models: Recommender, *, again: bool = False) -> int:
        """Apply one entry; an entry that cannot be read is logged and skipped."""
        self.read += len(data)
        try:
            feed, rows, changed = unpack(data, models.catalogue.dtype)
            pairs = [read_row(row, "an entry of the item feed") for row in feed.pairs]
            shared = parameters.read(feed.parameters)
            counts = read_short(feed.counts)
        except ServiceError as error:
            log.warning("the item feed has an entry that is skipped: %s", error)
            return 0
        if again and feed.epoch < int(self._origins.get(feed.shard, b"0").split(b":")[0] or 0):
            return 0
        models.put(feed.items, rows, feed.counted, pairs, shared)
        if len(changed) and not put_changed(models.catalogue, feed.names, changed):
            self._unknown.add(feed.shard)
        if feed.takers:
            put_takers(models.catalogue, changed["key"], feed.takers)
        if len(counts.own) and models.counting:
            put_counts(models.catalogue, models.neighbours, counts)
        return len(rows) + len(changed)


def put_changed(catalogue: Catalogue, names: Sequence[str], changed: NDArray[np.void]) -> bool:
    """Set items of the log to absolute values; returns whether all are known.

    Args:
        names: ids of those that may be new. changed: records of `change_dtype`.
    """
    if names:
        catalogue.slots(names)
    slots = catalogue.known(changed["key"])
    catalogue.put(slots, changed)
    return bool((slots >= 0).all()) or catalogue.living >= catalogue.max_items


def put_takers(catalogue: Catalogue, keys: NDArray[np.uint64], takers: bytes) -> None:
    """Set how many users took the items with these keys, uint64[m]."""
    slots = catalogue.known(keys)
    known = slots >= 0
    catalogue.takers[slots[known]] = np.frombuffer(takers, np.uint8)[known]


def put_counts(catalogue: Catalogue, neighbours: Neighbours, counts: ReadRows) -> None:
    """Set rows of pairs to absolute values."""
    others = catalogue.slots_of_keys(counts.keys)[counts.numbers]
    neighbours.put_rows(
        catalogue.known(counts.own),
        counts.clocks,
        counts.weights,
        counts.starts,
        others,
        counts.values,
    )


def _writer(origin: bytes | None) -> bytes:
    """Of a snapshot's origin, which item learner wrote it: without the snapshot's number.

    >>> _writer(b"1700000000000:1:7"), _writer(None)
    (b'1700000000000:1', b'')
    """
    return b":".join((origin or b"").split(b":")[:2])
