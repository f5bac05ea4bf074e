"""The operator `user learner`: keyed by user shard, it learns each batch and refreshes its lists.

In: `(shard key, packed EventBatch)`. Out: `(item shard key, packed Deltas)`; beside it, accounts.
The lists are in Redis before the batch's state is handed back to Flink.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyflink.datastream import KeyedProcessFunction, RuntimeContext

from udfs.accounts import Account, histogram, pack_account
from udfs.events.batch import EventBatch, cut, make_batch, recurrences, unpack
from udfs.feed.entries import KEEP_S, PUBLISH_MS
from udfs.feed.reader import FeedReader
from udfs.learning.learner import Learner
from udfs.learning.quality import Quality
from udfs.learning.refill import LOOK_MS
from udfs.learning.settings import JobSettings
from udfs.learning.user_shard import Handles, UserShard
from udfs.operators.code_check import Shipped
from udfs.operators.flink import (
    STATS,
    cell,
    log,
    next_tick,
    now_ms,
    parallelism,
    redis_writer,
    rows,
    share_interpreter,
)
from udfs.threads import share_of_cores

_LIVE_MS = 60_000  # an event no older than this when read counts as live
_REPORT_S = 1.0  # how often a batch that is learned event by event says how far it has come
OVERLOAD_MS = 500
"""The lag behind the input beyond which lists are put off: a job that keeps up stays far below
it, with 31 ms in the median (docs/performance.md). For how long: `lists.coalesce_ms`."""
_LISTS, _REFILL, _SWEEP = "lists", "refill", "sweep"  # names of timers
_END = 2**63 - 1  # event time, ms: when the input has ended


class UserLearner(Shipped, KeyedProcessFunction):  # type: ignore[misc]
    """See the module; `open` takes the state handles, the learning is `udfs.learning.learner`."""

    def __init__(self, settings: JobSettings) -> None:
        self.settings = settings

    def open(self, context: RuntimeContext) -> None:
        """Take the state handles, compile the kernels, connect to Redis, load the replica."""
        s, o = self.settings, self.settings.options
        share_interpreter()
        self._state = Handles(
            users=rows(context, "users"), history=rows(context, "history"),
            ids=rows(context, "ids"), idle=rows(context, "idle"),
            layout=cell(context, "layout"), learned=cell(context, "learned"),
            due=cell(context, "due"), mean=cell(context, "mean"), queued=log(context, "queued"),
        )  # fmt: skip
        self._rows = self._state.users, self._state.history
        subtasks = parallelism(context)
        self.learner = Learner(o, o.job.threads or share_of_cores(subtasks))
        self.learner.compile()
        self._quality = Quality(o.quality.every, o.quality.models)
        self.writer = redis_writer(context, s.redis, "user")
        alone = subtasks == 1
        self.feed = FeedReader(self.writer, o.redis.prefix, o.job.item_shards, alone, KEEP_S)
        self.feed.start(self.learner.models)
        self._refreshed_ms = self._swept_ms = self._read = 0
        self._shards: dict[int, UserShard] = {}
        group = context.get_metrics_group()
        # No gauge: Flink would call it from another thread, in thread mode on an interpreter that
        # may have ended with its job, and the TaskManager with it (docs/decisions/no-gauges.md).
        names = ("learned", "duplicates", "lists", "batches", "fresh_events", "freshness_ms_sum")
        self._quality_metrics = group.add_group("quality")
        self._counters = {name: group.counter(name) for name in names}

    def _shard(self, key: int, context: KeyedProcessFunction.Context) -> UserShard:
        shard = self._shards.get(key)
        if shard is None:
            s = self.settings
            s.layout.check(self._state.layout, "the user learner")
            shard = self._shards[key] = UserShard(self._state, key, s, self.writer)
            self._every(_SWEEP, shard.idle.sweep_ms, shard, context)
            if s.refills:
                self._every(_REFILL, LOOK_MS, shard, context)
            context.timer_service().register_event_time_timer(_END)
        return shard

    def _set_timer(
        self, name: str, at_ms: int, shard: UserShard, context: KeyedProcessFunction.Context
    ) -> None:
        context.timer_service().register_processing_time_timer(shard.timers.plan(name, at_ms))

    def _every(
        self, name: str, interval_ms: int, shard: UserShard, context: KeyedProcessFunction.Context
    ) -> None:
        self._set_timer(name, next_tick(now_ms(), interval_ms), shard, context)

    def process_element(
        self, value: tuple[int, bytes], context: KeyedProcessFunction.Context
    ) -> Iterator[Any]:
        """Learn one batch of one shard; of batches that have queued, all that are here as one."""
        shard, batch, now = self._shard(value[0], context), unpack(value[1]), now_ms()
        if not shard.queued.late(batch.opened, now):
            yield from self._learn(value[0], shard, shard.queued.take(batch), context)
        elif pause := shard.queued.put(value[1], batch):
            self._set_timer(_LISTS, now + pause, shard, context)

    def _learn(
        self, key: int, shard: UserShard, batch: EventBatch, context: KeyedProcessFunction.Context
    ) -> Iterator[Any]:
        began, now, account = time.perf_counter(), now_ms(), Account()
        self._refresh_replica(now)
        keep = shard.duplicates.keep(batch.ids, now)
        if keep is not None:
            account.duplicates = len(batch) - int(keep.sum())
            batch = batch.take(keep)
        refresh = self.settings.options.lists.refresh
        strict = self.settings.options.job.strict
        touched: dict[int, None] = {}
        for part in self._parts(batch):
            # The shard's key lies above the count, so that no two shards draw the same negatives.
            number = (key << 40) + shard.learned
            first = self.settings.trial.after - shard.learned
            self._test(part, number, first, now, account)
            learned = self.learner.learn(part, *self._rows, number, now, shard.mean, first)
            shard.learned += len(part)
            account.add(Account(users=learned.new_users, quality=learned.quality))
            shard.idle.mark(self.learner.users, learned.slots, now)
            touched.update(dict.fromkeys(learned.slots.tolist()))
            for item_shard, message in learned.messages.items():
                yield self.settings.item_keys[item_shard], message
            if refresh and strict:
                self._write_lists(shard, learned.slots, now, account)
            account.learned += len(part)
            if time.perf_counter() - began > _REPORT_S:
                yield STATS, pack_account(self._count(self._staged(account, began), began))
                account, began = Account(), time.perf_counter()
        shard.store()
        self._staged(account, began)
        account.batches, account.waited = 1, max(now - batch.opened, 0)
        self._counters["batches"].inc()
        if not refresh:
            self.writer.send(self.learner.shared_lists(now))
        elif touched and not strict:
            slots = np.fromiter(touched, np.int32, len(touched))
            self._refresh_lists(shard, batch, slots, now, account, context)
        yield STATS, pack_account(self._count(account, began))

    def _parts(self, batch: EventBatch) -> Iterator[EventBatch]:
        """What is tested and then learned in one step: the batch, or less if asked for."""
        if self.settings.options.job.strict:
            yield from cut(batch, range(1, len(batch)))
        elif self.settings.trial.sequential:
            yield from cut(batch, recurrences(batch.users))
        elif len(batch):
            yield batch

    def _test(self, batch: EventBatch, number: int, first: int, now: int, account: Account) -> None:
        began = time.perf_counter()
        quality, commands = self._quality.test(self.learner, batch, *self._rows, number, now, first)
        self.writer.send(commands)
        account.add(Account(quality=quality, stages={"quality": _micros(began)}))

    def _refresh_replica(self, now: int) -> None:
        if now - self._refreshed_ms >= PUBLISH_MS // 2:
            self._refreshed_ms = now
            self.feed.refresh(self.learner.models)
        if now - self._swept_ms >= 60_000:
            self._swept_ms = now
            self.learner.expire_items(now - self.settings.options.item_expiry_ms)

    def _refresh_lists(
        self, shard: UserShard, batch: EventBatch, slots: NDArray[np.int32], now: int,
        account: Account, context: KeyedProcessFunction.Context,
    ) -> None:  # fmt: skip
        """Write the lists of the touched users, or put them off while the job is overloaded."""
        lists, users = self.settings.options.lists, self.learner.users
        since = _since(batch, now)
        overloaded = lists.coalesce_ms > 0 and now - batch.opened > OVERLOAD_MS
        if overloaded and now - shard.flushed_ms < lists.coalesce_ms:
            due = dict(shard.due)
            for user, at in zip(batch.users, since.tolist(), strict=True):
                due.setdefault(user, at)
            shard.put_off(due)
            self._set_timer(_LISTS, shard.flushed_ms + lists.coalesce_ms, shard, context)
            return
        late = list(shard.due.values())
        if shard.due:
            # All at once: locating those put off alone could evict users of this batch.
            names = [*(users.names[slot] for slot in slots.tolist()), *shard.due]
            found = users.locate(names, *self._rows, self.learner.catalogue)
            slots = np.fromiter(found.values(), np.int32, len(found))
            shard.put_off({})
        shard.flushed_ms = now
        self._write_lists(shard, slots, now, account)
        ages = np.maximum(now_ms() - np.concatenate([since, np.array(late, np.int64)]), 0)
        account.freshness = histogram(ages)
        self._counters["fresh_events"].inc(len(ages))
        self._counters["freshness_ms_sum"].inc(int(ages.sum()))

    def _write_lists(
        self, shard: UserShard, slots: NDArray[np.int32], now: int, account: Account
    ) -> None:
        began = time.perf_counter()
        commands = self.learner.user_lists(slots, now)
        commands += self.learner.shared_lists(now)
        ranked = time.perf_counter()
        self.writer.send(commands)
        if self.settings.refills:
            shard.refill.wrote(map(self.learner.users.names.__getitem__, slots.tolist()))
        spent = {"rank": int((ranked - began) * 1e6), "redis": _micros(ranked)}
        account.add(Account(lists=len(slots), stages=spent))

    def _staged(self, account: Account, began: float) -> Account:
        """Count what no other stage has spent as learning."""
        account.stages["learn"] = _micros(began) - sum(account.stages.values())
        return account

    def _count(self, account: Account, began: float) -> Account:
        for name in ("learned", "duplicates", "lists"):
            self._counters[name].inc(getattr(account, name))
        for name, value in account.quality.items():
            # At most what Java can hold: the error of an absurd rating is not.
            whole = round(min(value * (1 if name.endswith("s") else 1e6), 1e15))
            self._quality_counter(name).inc(whole)
        account.stages["user_learner"] = _micros(began)
        if self.feed.read > self._read:
            account.feed = {"read": self.feed.read - self._read}
            self._read = self.feed.read
        return account

    def _quality_counter(self, name: str) -> Any:
        """Flink's counter of a sum of `udfs.learning.quality`: of tests, or in millionths."""
        if name not in self._counters:
            metric = name.replace(":", "_").replace("@", "_")
            suffix = "" if name.endswith("s") else "_millionths"
            self._counters[name] = self._quality_metrics.counter(metric + suffix)
        return self._counters[name]

    def on_timer(
        self, timestamp: int, context: KeyedProcessFunction.OnTimerContext
    ) -> Iterator[Any]:
        """Learn what waits; write the lists that were put off; forget idle users. A last time at
        the end of the input."""
        key = context.get_current_key()
        restored = key not in self._shards
        shard = self._shard(key, context)
        due = shard.timers.take(_END if restored else timestamp)
        if timestamp == _END:
            shard.flushed_ms = 0  # nothing is put off any more
        if shard.queued:
            yield from self._learn(key, shard, shard.queued.take(), context)
        began = time.perf_counter()
        account, now = Account(), now_ms()
        if shard.due:
            none = np.zeros(0, np.int32)
            self._refresh_lists(shard, _NO_EVENTS, none, now, account, context)
        if _REFILL in due:
            self._refill(shard, now, account)
            self._every(_REFILL, LOOK_MS, shard, context)
        if _SWEEP in due:
            for user in shard.idle.sweep(*self._rows, self.learner.users.dtype, now):
                self.learner.users.forget(user)
            self._every(_SWEEP, shard.idle.sweep_ms, shard, context)
        if account.stages:
            yield STATS, pack_account(self._count(account, began))

    def _refill(self, shard: UserShard, now: int, account: Account) -> None:
        """Write some of the lists that Redis has lost, if it has lost any."""
        self._refresh_replica(now)
        if not self.feed.settled:
            return
        emptied, names = shard.refill.look(shard.learned)
        if emptied:
            self.learner.forget_similar()
        users, expired = self.learner.users, now - self.settings.options.redis.expiry_s * 1000
        found = users.locate(names, *self._rows, self.learner.catalogue)
        slots = np.fromiter(found.values(), np.int32, len(found))
        listed = slots[users.seen[slots] > expired]
        for name in (users.names[slot] for slot in slots[users.seen[slots] == 0].tolist()):
            users.forget(name)  # not in the state any more
        if len(listed) or self.learner.similar_due:
            self._write_lists(shard, listed, now, account)

    def close(self) -> None:
        """At the end of a bounded input: write every shared list."""
        if hasattr(self, "writer"):
            self.writer.send(self.learner.shared_lists(now_ms(), everything=True))


_NO_EVENTS = make_batch([], [], np.zeros(0), np.zeros(0), np.zeros(0), [], 0)


def _micros(began: float) -> int:
    return int((time.perf_counter() - began) * 1e6)


def _since(batch: EventBatch, now: int) -> NDArray[np.int64]:
    """From when the freshness of each event counts, ms: its own time if it is live, else the
    moment its micro-batch was opened."""
    ts = batch.ts
    live = (ts <= now) & (ts > batch.opened - _LIVE_MS)
    result: NDArray[np.int64] = np.where(live, ts, batch.opened)
    return result
