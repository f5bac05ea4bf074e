"""The step of an item shard: what is done with a message of changes, and when a timer fires.

In: packed `Deltas` and times, with the handles of the shard's state and the item feed. Out: the
state and the feed, written, and effects: timers, accounts, counts. Flink is not used here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec

from udfs.accounts import Account
from udfs.feed import parameters
from udfs.feed.entries import KEEP_S, PUBLISH_MS
from udfs.feed.parameters import RANKER, Parameters, Shared
from udfs.feed.writer import FeedWriter
from udfs.learning.effects import Count, Effect, Report, Wake
from udfs.learning.item_shard import ItemShard
from udfs.learning.settings import JobSettings
from udfs.learning.timers import Timers, next_tick
from udfs.memory.catalogue import Catalogue
from udfs.models.item_cf.neighbours import Neighbours
from udfs.models.item_cf.wire import KeyIndex
from udfs.ranking.ranker import Ranker
from udfs.state.handles import Cell, Log, Rows
from udfs.stores.redis_feed import RedisFeed

_INBOX_BYTES = 32 * 1024 * 1024  # folded at once when the inbox grows beyond it,
_ROW_BYTES = 2_000  # or beyond this many per item, about what folding them all writes
_FOLD_MS = 5_000
_PUBLISH, _SNAPSHOT = "publish", "snapshot"  # names of timers
_ALL = 2**63 - 1  # a time, ms, at which everything is due
PAIRS_MS = 1_000  # how often changed pairs go to the log: their rows are long and change slowly


class ItemHandles(NamedTuple):
    """The state of the operator `item learner`, by shard; the names are those in Flink.

    Attributes:
        ranker: the ranker's parameters, float64[2P]. shared: all other parameters, MessagePack.
    """

    items: Rows
    pairs: Rows
    layout: Cell
    ranker: Cell
    shared: Cell
    inbox: Log

    def parameters(self) -> dict[str, bytes]:
        """The shared parameters by name, packed."""
        others = msgspec.msgpack.decode(self.shared.value() or b"\x80", type=dict[str, bytes])
        ranker = self.ranker.value()
        return others | ({RANKER: ranker} if ranker else {})

    def put(self, shared: Parameters) -> None:
        """Write them."""
        packed = parameters.pack(shared)
        if ranker := packed.pop(RANKER, b""):
            self.ranker.update(ranker)
        if packed:
            self.shared.update(msgspec.msgpack.encode(packed))


class Published:
    """One shard with what the step records about it."""

    def __init__(self, shard: ItemShard, feed: FeedWriter) -> None:
        self.shard, self.feed, self.timers = shard, feed, Timers()
        self.inbox_bytes = self.folded_ms = self.pairs_ms = self.snapshot_ms = 0
        self.written: dict[str, int] = {}

    def wrote(self, kind: str, before: int) -> int:
        """Record the bytes written to the feed since `before`, for the next account; returns
        them."""
        count = self.feed.written - before
        self.written[kind] = self.written.get(kind, 0) + count
        return count

    def account(self) -> Report:
        """The number of living items."""
        return Report(Account(items={self.feed.shard: self.shard.catalogue.living}))


class ItemStep:
    """The shards of one subtask.

    Args:
        state: the operator's handles, which Flink scopes to the current shard.
        alone: whether there is only one user learner. clock: the wall clock, ms.

    Attributes:
        shards: those loaded so far, by Flink's key.
    """

    def __init__(
        self,
        settings: JobSettings,
        state: ItemHandles,
        feed: RedisFeed,
        alone: bool,
        clock: Callable[[], int],
    ) -> None:
        options = settings.options
        self._settings, self._state, self._feed, self._clock = settings, state, feed, clock
        # A single user learner knows all that was learned: only /rank, if used, reads the log.
        self._follow = not alone or options.redis.factors
        self._bytes_per_s = options.feed.megabytes_per_s * 1e6 / options.job.item_shards
        self._epoch, self._index = clock(), KeyIndex()
        self.shards: dict[int, Published] = {}

    def message(self, key: int, data: bytes) -> Iterator[Effect]:
        """Apply one message of changes."""
        yield from self._load(key)
        found = self.shards[key]
        shard = found.shard
        self._state.inbox.add(data)
        found.inbox_bytes += len(data)
        before = shard.catalogue.living
        if not shard.unfolded:
            yield self._plan(found, _PUBLISH)
        yield Count("updates", shard.apply(data))
        if found.inbox_bytes > max(_INBOX_BYTES, _ROW_BYTES * shard.catalogue.living):
            self._fold(found)
        if shard.catalogue.living != before:
            yield found.account()

    def timer(self, key: int, timestamp: int) -> Iterator[Effect]:
        """Publish what changed; fold the inbox; at longer intervals, expire and take a snapshot."""
        now = self._clock()
        restored = key not in self.shards
        yield from self._load(key)
        found = self.shards[key]
        shard, due = found.shard, found.timers.take(_ALL if restored else timestamp)
        yield from self._publish_changes(found, now)
        if shard.unfolded and now - found.folded_ms >= _FOLD_MS:
            self._fold(found)
        if shard.unfolded or (self._follow and shard.waiting):
            yield self._plan(found, _PUBLISH)
        if _SNAPSHOT in due:
            yield self._plan(found, _SNAPSHOT)
            if self._expire(found, now):
                yield found.account()
            if found.feed.lost():
                shard.forget_snapshot()
            if shard.changed and now >= found.snapshot_ms:
                # A single user learner needs the pairs only after a restart.
                yield from self._publish_snapshot(found, pairs=self._follow)
        if found.written:
            yield Report(Account(feed=found.written))
            found.written = {}

    def end(self) -> Iterator[Effect]:
        """At the end of a bounded input: leave a snapshot of the final items."""
        for found in self.shards.values():
            if found.shard.changed:
                yield from self._publish_snapshot(found)

    def _load(self, key: int) -> Iterator[Effect]:
        """Load the shard from its state on first use."""
        if key in self.shards:
            return
        options, state = self._settings.options, self._state
        self._settings.layout.check(state.layout, "the item learner")
        number = self._settings.item_keys.index(key)
        shard = ItemShard(
            Catalogue(options.model.dimensions, options.model.seed, options.state.max_items),
            Neighbours(options.item_cf),
            None if number else Shared({RANKER: Ranker(options.ranker)}),
            self._index,
            options.half_life_ms,
        )
        stored = parameters.read(state.parameters())
        shard.load(dict(state.items.items()), dict(state.pairs.items()), stored)
        messages = list(state.inbox.get() or ())
        restored = shard.catalogue.living > 0 or bool(messages)
        feed = FeedWriter(self._feed, number, self._epoch, restored, KEEP_S)
        found = Published(shard, feed)
        for message in messages:
            shard.apply(message)
            found.inbox_bytes += len(message)
        self.shards[key] = found
        yield self._plan(found, _SNAPSHOT)
        if restored:
            yield from self._publish_snapshot(found)

    def _plan(self, found: Published, name: str) -> Wake:
        snapshot_s = self._settings.options.feed.snapshot_s
        interval_ms = PUBLISH_MS if name == _PUBLISH else int(snapshot_s * 1000)
        return Wake(found.timers.plan(name, next_tick(self._clock(), interval_ms)))

    def _expire(self, found: Published, now: int) -> bool:
        """Drop idle items, also from the state; returns whether there were any."""
        expired = found.shard.expire(now - self._settings.options.item_expiry_ms)
        for item in expired:
            self._state.items.remove(item)
            self._state.pairs.remove(item)
        if found.shard.catalogue.wasteful:
            self._fold(found)
            found.shard.compact()
        return bool(expired)

    def _fold(self, found: Published) -> None:
        items, pairs, shared = found.shard.fold()
        self._state.items.put_all(items)
        self._state.pairs.put_all(pairs)
        self._state.put(shared)
        self._state.inbox.clear()
        found.inbox_bytes, found.folded_ms = 0, self._clock()

    def _publish_changes(self, found: Published, now: int) -> Iterator[Effect]:
        """Add the changes to the log, unless there is a single user learner, since nobody reads it
        then; half of the allowed bytes are for items, half for pairs."""
        before = found.feed.written
        if not self._follow:
            return
        due = now - found.pairs_ms >= PAIRS_MS
        found.pairs_ms = now if due else found.pairs_ms
        half = self._bytes_per_s / 2000  # per millisecond
        slots, changes = found.shard.changes(
            int(half * PUBLISH_MS), int(half * PAIRS_MS) if due else 0
        )
        if len(slots) or any(changes):
            found.feed.append(found.shard.catalogue, slots, changes, now)
            yield Count("published", len(slots))
            found.wrote("changes", before)

    def _publish_snapshot(self, found: Published, *, pairs: bool = True) -> Iterator[Effect]:
        """Replace the snapshot; the next one comes no sooner than its bytes allow."""
        before = found.feed.written
        shared, chunks, whole = found.shard.snapshot(pairs=pairs)
        catalogue = found.shard.catalogue
        found.feed.replace(catalogue, shared, chunks, whole=whole)
        yield Count("published", catalogue.living)
        written = found.wrote("snapshots", before)
        found.snapshot_ms = self._clock() + int(1000 * written / self._bytes_per_s)
