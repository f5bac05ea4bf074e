"""The operator `item learner`: keyed by item shard, it owns the items and publishes the item feed.

In: `(item shard key, packed Deltas)`. Out: accounts; beside the graph, the item feed in Redis.
Changes are appended to an inbox in state at once and folded into the items' rows at intervals, so
that an item that changes a hundred times a second is written once.
"""

from __future__ import annotations

from collections.abc import Iterator

from pyflink.datastream import KeyedProcessFunction, RuntimeContext

from udfs.accounts import Account, pack_account
from udfs.feed.entries import KEEP_S, PUBLISH_MS
from udfs.feed.writer import FeedWriter
from udfs.learning.item_shard import ItemShard
from udfs.learning.settings import JobSettings
from udfs.learning.timers import Timers
from udfs.memory.catalogue import Catalogue
from udfs.models.item_cf.neighbours import Neighbours
from udfs.models.item_cf.wire import KeyIndex
from udfs.operators.code_check import Shipped
from udfs.operators.flink import cell, log, next_tick, now_ms, parallelism, redis_writer, rows
from udfs.ranking.ranker import Ranker

_INBOX_BYTES = 32 * 1024 * 1024  # folded at once when the inbox grows beyond it,
_ROW_BYTES = 2_000  # or beyond so much an item: about what folding them all writes
_FOLD_MS = 5_000
_PUBLISH, _SNAPSHOT = "publish", "snapshot"  # names of timers
_ALL = 2**63 - 1  # a time, ms, at which all are due
PAIRS_MS = 1_000  # how often changed pairs go to the log: a row of them is long, and moves slowly


class Published:
    """One shard with what the operator notes of it."""

    def __init__(self, shard: ItemShard, feed: FeedWriter) -> None:
        self.shard, self.feed, self.timers = shard, feed, Timers()
        self.inbox_bytes = self.folded_ms = self.pairs_ms = self.snapshot_ms = 0
        self.written: dict[str, int] = {}

    def wrote(self, kind: str, before: int) -> int:
        """Note the bytes of the feed since `before` for the next account; returns how many."""
        count = self.feed.written - before
        self.written[kind] = self.written.get(kind, 0) + count
        return count


class ItemLearner(Shipped, KeyedProcessFunction):  # type: ignore[misc]
    """See the module; the arithmetic is `udfs.learning.item_shard`."""

    def __init__(self, settings: JobSettings) -> None:
        self.settings = settings

    def open(self, context: RuntimeContext) -> None:
        """Take the state handles and connect to Redis."""
        self._rows, self._pairs = rows(context, "items"), rows(context, "pairs")
        self._layout, self._ranker = cell(context, "layout"), cell(context, "ranker")
        self._inbox = log(context, "inbox")
        options = self.settings.options
        self.writer = redis_writer(context, self.settings.redis, "item")
        # One user learner alone knows what it has learned: nobody reads the log, unless /rank does.
        self._follow = parallelism(context) > 1 or options.redis.factors
        self._bytes_per_s = options.feed.megabytes_per_s * 1e6 / options.job.item_shards
        ItemShard.compile(options)
        self._epoch = now_ms()
        self._index = KeyIndex()
        self._shards: dict[int, Published] = {}
        group = context.get_metrics_group()
        self._updates, self._published = group.counter("updates"), group.counter("published")

    def _shard(self, key: int, context: KeyedProcessFunction.Context) -> Published:
        found = self._shards.get(key)
        if found is None:
            found = self._shards[key] = self._load(key)
            self._set_timer(found, context, _SNAPSHOT)
            if found.feed.restored:
                self._publish_snapshot(found)
        return found

    def _load(self, key: int) -> Published:
        options = self.settings.options
        self.settings.layout.check(self._layout, "the item learner")
        number = self.settings.item_keys.index(key)
        shard = ItemShard(
            Catalogue(options.model.dimensions, options.model.seed, options.state.max_items),
            Neighbours(options.item_cf),
            None if number else Ranker(options.ranker),
            self._index,
            options.half_life_ms,
        )
        shard.load(dict(self._rows.items()), dict(self._pairs.items()), self._ranker.value() or b"")
        messages = list(self._inbox.get() or ())
        restored = shard.catalogue.living > 0 or bool(messages)
        found = Published(
            shard, FeedWriter(options.redis.prefix, number, self._epoch, restored, KEEP_S)
        )
        for message in messages:
            shard.apply(message)
            found.inbox_bytes += len(message)
        return found

    def process_element(
        self, value: tuple[int, bytes], context: KeyedProcessFunction.Context
    ) -> Iterator[bytes]:
        """Apply one message of changes."""
        found = self._shard(value[0], context)
        shard = found.shard
        self._inbox.add(value[1])
        found.inbox_bytes += len(value[1])
        before = shard.catalogue.living
        if not shard.unfolded:
            self._set_timer(found, context, _PUBLISH)
        self._updates.inc(shard.apply(value[1]))
        if found.inbox_bytes > max(_INBOX_BYTES, _ROW_BYTES * shard.catalogue.living):
            self._fold(found)
        if shard.catalogue.living != before:
            yield self._account(found)

    def on_timer(
        self, timestamp: int, context: KeyedProcessFunction.OnTimerContext
    ) -> Iterator[bytes]:
        """Publish what changed; fold the inbox; at longer intervals, expire and take a snapshot."""
        now = now_ms()
        key = context.get_current_key()
        restored = key not in self._shards
        found = self._shard(key, context)
        shard, due = found.shard, found.timers.take(_ALL if restored else timestamp)
        self._publish_changes(found, now)
        if shard.unfolded and now - found.folded_ms >= _FOLD_MS:
            self._fold(found)
        if shard.unfolded or (self._follow and shard.waiting):
            self._set_timer(found, context, _PUBLISH)
        if _SNAPSHOT in due:
            self._set_timer(found, context, _SNAPSHOT)
            if self._expire(found, now):
                yield self._account(found)
            if found.feed.lost(self.writer):
                shard.forget_snapshot()
            if shard.changed and now >= found.snapshot_ms:
                # A lone user learner needs what was taken together only after a restart.
                self._publish_snapshot(found, pairs=self._follow)
        if found.written:
            yield pack_account(Account(feed=found.written))
            found.written = {}

    def _expire(self, found: Published, now: int) -> bool:
        """Drop idle items, also from the state; whether there were any."""
        expired = found.shard.expire(now - self.settings.options.item_expiry_ms)
        for item in expired:
            self._rows.remove(item)
            self._pairs.remove(item)
        if found.shard.catalogue.wasteful:
            self._fold(found)
            found.shard.compact()
        return bool(expired)

    def _fold(self, found: Published) -> None:
        items, pairs, ranker = found.shard.fold()
        self._rows.put_all(items)
        self._pairs.put_all(pairs)
        if ranker:
            self._ranker.update(ranker)
        self._inbox.clear()
        found.inbox_bytes, found.folded_ms = 0, now_ms()

    def _publish_changes(self, found: Published, now: int) -> None:
        """Add what changed to the log, which nobody reads while one learner is alone; half of the
        bytes that may go are for items, half for pairs."""
        before = found.feed.written
        if not self._follow:
            return
        due = now - found.pairs_ms >= PAIRS_MS
        found.pairs_ms = now if due else found.pairs_ms
        half = self._bytes_per_s / 2000  # a millisecond
        slots, changes = found.shard.changes(
            int(half * PUBLISH_MS), int(half * PAIRS_MS) if due else 0
        )
        if len(slots) or any(changes):
            self.writer.send([found.feed.changes(found.shard.catalogue, slots, changes, now)])
            self._published.inc(len(slots))
            found.wrote("changes", before)

    def _publish_snapshot(self, found: Published, *, pairs: bool = True) -> None:
        """Replace the snapshot; the next one comes no sooner than its bytes allow."""
        before = found.feed.written
        ranker, chunks, whole = found.shard.snapshot(pairs=pairs)
        catalogue = found.shard.catalogue
        self.writer.send(found.feed.snapshot(catalogue, ranker, chunks, whole=whole))
        self._published.inc(catalogue.living)
        written = found.wrote("snapshots", before)
        found.snapshot_ms = now_ms() + int(1000 * written / self._bytes_per_s)

    def _account(self, found: Published) -> bytes:
        return pack_account(Account(items={found.feed.shard: found.shard.catalogue.living}))

    def _set_timer(
        self, found: Published, context: KeyedProcessFunction.Context, name: str
    ) -> None:
        snapshot_s = self.settings.options.feed.snapshot_s
        interval_ms = PUBLISH_MS if name == _PUBLISH else int(snapshot_s * 1000)
        at_ms = found.timers.plan(name, next_tick(now_ms(), interval_ms))
        context.timer_service().register_processing_time_timer(at_ms)

    def close(self) -> None:
        """At the end of a bounded input: leave a snapshot of the final items."""
        for found in getattr(self, "_shards", {}).values():
            if found.shard.changed:
                self._publish_snapshot(found)
