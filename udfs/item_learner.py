"""The operator `item learner`: keyed by item shard, it owns the items and publishes the item feed.

In: `(item shard key, packed Deltas)`. Out: accounts; beside the graph, the item feed in Redis.
Changes are appended to an inbox in state at once and folded into the items' rows at intervals, so
that an item that changes a hundred times a second is written once.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import msgspec
import numpy as np
from pyflink.common import Types
from pyflink.datastream import KeyedProcessFunction, RuntimeContext
from pyflink.datastream.state import ListStateDescriptor

from udfs.catalogue import Catalogue
from udfs.deltas import apply_deltas
from udfs.feed import FeedWriter
from udfs.operator import cell, next_tick, now_ms, rows
from udfs.redis_writer import RedisSettings, RedisWriter
from udfs.rows import read_rows
from udfs.state import Layout
from udfs.stats import Account, pack_account

_INBOX_BYTES = 32 * 1024 * 1024  # folded at once when the inbox grows beyond it
_FOLD_MS = 1_000


class ItemLearnerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The operator's part of the configuration; names as there."""

    layout: Layout
    redis: RedisSettings
    item_keys: list[int]
    seed: int
    max_items: int
    popularity_half_life_s: float
    item_expiry_days: float
    publish_ms: int
    snapshot_s: float
    keep_s: float
    follow: bool


class ItemShard:
    """One shard's items in memory: always all of them, equal to rows plus inbox in state."""

    def __init__(self, catalogue: Catalogue, feed: FeedWriter) -> None:
        self.catalogue, self.feed = catalogue, feed
        self.unfolded: dict[int, None] = {}
        self.unpublished: dict[int, None] = {}
        self.inbox_bytes = 0
        self.folded_ms = 0
        self.changed = True


class ItemLearner(KeyedProcessFunction):  # type: ignore[misc]
    """See the module; the arithmetic is `udfs.deltas` and `udfs.catalogue`."""

    def __init__(self, settings: ItemLearnerSettings) -> None:
        self.settings = settings

    def open(self, context: RuntimeContext) -> None:
        """Take the state handles and connect to Redis."""
        self._rows = rows(context, "items")
        self._layout = cell(context, "layout")
        inbox = ListStateDescriptor("inbox", Types.PICKLED_BYTE_ARRAY())
        self._inbox = context.get_list_state(inbox)
        self.writer = RedisWriter(self.settings.redis)
        self._epoch = now_ms()
        self._half_life_ms = self.settings.popularity_half_life_s * 1000.0
        self._shards: dict[int, ItemShard] = {}
        group = context.get_metrics_group()
        self._updates, self._published = group.counter("updates"), group.counter("published")

    def _shard(self, key: int, context: KeyedProcessFunction.Context) -> ItemShard:
        shard = self._shards.get(key)
        if shard is None:
            shard = self._shards[key] = self._load(key)
            self._set_timer(context, int(self.settings.snapshot_s * 1000))
            if shard.feed.restored:
                self._publish_snapshot(shard)
        return shard

    def _load(self, key: int) -> ItemShard:
        s = self.settings
        s.layout.check(self._layout, "the item learner")
        catalogue = Catalogue(s.layout.dimensions, s.seed, s.max_items)
        stored = dict(self._rows.items())
        data = b"".join(stored.values())
        catalogue.put_rows(list(stored), read_rows(data, catalogue.dtype, "the items in state"))
        number = s.item_keys.index(key)
        restored = catalogue.living > 0
        messages = list(self._inbox.get() or ())
        shard = ItemShard(
            catalogue,
            FeedWriter(s.redis.prefix, number, self._epoch, restored or bool(messages), s.keep_s),
        )
        for message in messages:
            slots = apply_deltas(message, catalogue, self._half_life_ms)
            shard.unfolded.update(dict.fromkeys(slots.tolist()))
            shard.inbox_bytes += len(message)
        return shard

    def process_element(
        self, value: tuple[int, bytes], context: KeyedProcessFunction.Context
    ) -> Iterator[bytes]:
        """Apply one message of changes."""
        shard = self._shard(value[0], context)
        self._inbox.add(value[1])
        shard.inbox_bytes += len(value[1])
        before = shard.catalogue.living
        slots = apply_deltas(value[1], shard.catalogue, self._half_life_ms).tolist()
        if not shard.unfolded:
            self._set_timer(context, self.settings.publish_ms)
        shard.unfolded.update(dict.fromkeys(slots))
        shard.unpublished.update(dict.fromkeys(slots))
        shard.changed = True
        self._updates.inc(len(slots))
        if shard.inbox_bytes > _INBOX_BYTES:
            self._fold(shard)
        if shard.catalogue.living != before:
            yield self._account(shard)

    def on_timer(
        self, timestamp: int, context: KeyedProcessFunction.OnTimerContext
    ) -> Iterator[bytes]:
        """Publish what changed; fold the inbox; at longer intervals, expire and take a snapshot."""
        s, now = self.settings, now_ms()
        shard = self._shard(context.get_current_key(), context)
        self._publish_changes(shard, now)
        if shard.unfolded:
            if now - shard.folded_ms >= _FOLD_MS:
                self._fold(shard)
            else:
                self._set_timer(context, s.publish_ms)
        snapshot_ms = int(s.snapshot_s * 1000)
        if timestamp % snapshot_ms == 0:
            self._set_timer(context, snapshot_ms)
            expired = shard.catalogue.expire(now - int(s.item_expiry_days * 86_400_000))
            for item in expired:
                self._rows.remove(item)
            if shard.catalogue.wasteful:
                self._fold(shard)
                shard.catalogue = shard.catalogue.compact()
            if shard.changed or expired:
                self._publish_snapshot(shard)
            if expired:
                yield self._account(shard)

    def _fold(self, shard: ItemShard) -> None:
        catalogue = shard.catalogue
        slots = np.fromiter(shard.unfolded, np.int32, len(shard.unfolded))
        slots = slots[catalogue.alive[slots]]
        data, size = catalogue.rows(slots).tobytes(), catalogue.dtype.itemsize
        names = catalogue.names(slots.tolist())
        self._rows.put_all({name: data[n * size : (n + 1) * size] for n, name in enumerate(names)})
        self._inbox.clear()
        shard.unfolded.clear()
        shard.inbox_bytes, shard.folded_ms = 0, now_ms()

    def _publish_changes(self, shard: ItemShard, now: int) -> None:
        """Add the changed rows to the log, which nobody reads while one learner is alone."""
        if shard.unpublished and self.settings.follow:
            slots = np.fromiter(shard.unpublished, np.int32, len(shard.unpublished))
            slots = slots[shard.catalogue.alive[slots]]
            self.writer.send([shard.feed.changes(shard.catalogue, slots, now)])
            self._published.inc(len(slots))
        shard.unpublished.clear()

    def _publish_snapshot(self, shard: ItemShard) -> None:
        self.writer.send(shard.feed.snapshot(shard.catalogue))
        self._published.inc(shard.catalogue.living)
        shard.changed = False

    def _account(self, shard: ItemShard) -> bytes:
        return pack_account(Account(items={shard.feed.shard: shard.catalogue.living}))

    def _set_timer(self, context: KeyedProcessFunction.Context, interval_ms: int) -> None:
        timers = context.timer_service()
        timers.register_processing_time_timer(next_tick(int(time.time() * 1000), interval_ms))

    def close(self) -> None:
        """At the end of a bounded input: leave a snapshot of the final items."""
        for shard in getattr(self, "_shards", {}).values():
            if shard.changed:
                self._publish_snapshot(shard)
