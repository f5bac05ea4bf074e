"""The operator `user learner`: keyed by user shard, it learns each batch and refreshes its lists.

In: `(shard key, packed EventBatch)`. Out: `(item shard key, packed Deltas)`; on a side output,
accounts. The lists are in the stores before the batch's state is returned to Flink.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from pyflink.datastream import KeyedProcessFunction, RuntimeContext

from udfs.accounts import Account
from udfs.feed.entries import KEEP_S
from udfs.feed.reader import FeedReader
from udfs.learning.effects import Effect, Emit, Report, Show, Wake, Write
from udfs.learning.learner import Learner
from udfs.learning.settings import JobSettings
from udfs.learning.user_shard import Handles
from udfs.learning.user_step import UserStep
from udfs.operators.code_check import CodeChecked
from udfs.operators.flink import (
    STATS,
    cell,
    log,
    now_ms,
    parallelism,
    piece,
    redis_writer,
    report,
    rows,
    set_timer,
    share_interpreter,
    subtask,
)
from udfs.stores.redis_feed import RedisFeed
from udfs.stores.redis_marks import RedisMarks
from udfs.stores.redis_stats import RedisStats
from udfs.stores.table import open_stores
from udfs.threads import share_of_cores

_COUNTED = ("learned", "duplicates", "lists", "batches")  # of an account, also counted by Flink
_FRESH, _FRESH_MS = "fresh_events", "freshness_ms_sum"


class UserLearner(CodeChecked, KeyedProcessFunction):  # type: ignore[misc]
    """See the module; batches are handled by `udfs.learning.user_step`."""

    def __init__(self, settings: JobSettings) -> None:
        self.settings = settings

    def open(self, context: RuntimeContext) -> None:
        """Take the state handles, compile the kernels, open the stores, load the replica."""
        s, o = self.settings, self.settings.options
        share_interpreter()
        state = Handles(
            users=rows(context, "users"),
            history=rows(context, "history"),
            ids=rows(context, "ids"),
            idle=rows(context, "idle"),
            layout=cell(context, "layout"),
            learned=cell(context, "learned"),
            due=cell(context, "due"),
            mean=cell(context, "mean"),
            queued=log(context, "queued"),
        )
        subtasks, origin = parallelism(context), subtask(context)
        self.learner = Learner(o, o.job.threads or share_of_cores(subtasks), origin)
        self.learner.compile()
        self.writer, prefix = redis_writer(context, s.redis, "user"), o.redis.prefix
        self.stores, self._stats = open_stores(o, self.writer), RedisStats(self.writer, prefix)
        feed = RedisFeed(self.writer, prefix)
        self.feed = FeedReader(feed, o.job.item_shards, subtasks == 1, KEEP_S, origin)
        self.feed.start(self.learner.models)
        marks = partial(RedisMarks, self.writer, prefix)
        self._step = UserStep(s, state, self.learner, self.feed, marks, now_ms)
        group = context.get_metrics_group()
        # No gauge: Flink would call it from another thread, in thread mode on an interpreter that
        # may have ended with its job, which crashes the TaskManager (docs/decisions/no-gauges.md).
        self._quality_metrics = group.add_group("quality")
        names = (*_COUNTED, _FRESH, _FRESH_MS)
        self._counters = {name: group.counter(name) for name in names}

    def process_element(
        self, value: tuple[int, bytes], context: KeyedProcessFunction.Context
    ) -> Iterator[Any]:
        """Learn one batch of one shard."""
        return self._carry_out(self._step.batch(*value), context)

    def on_timer(
        self, timestamp: int, context: KeyedProcessFunction.OnTimerContext
    ) -> Iterator[Any]:
        """Do what is due; called for the last time at the end of the input."""
        return self._carry_out(self._step.timer(context.get_current_key(), timestamp), context)

    def _carry_out(
        self, effects: Iterator[Effect], context: KeyedProcessFunction.Context
    ) -> Iterator[Any]:
        for effect in effects:
            if isinstance(effect, Emit):
                yield piece(self.settings.item_keys[effect.item_shard], effect.message)
            elif isinstance(effect, Write):
                self.stores.write(effect.updates)
            elif isinstance(effect, Wake):
                set_timer(context, effect)
            elif isinstance(effect, Report):
                self._count(effect.account)
                yield STATS, report(effect.account)
            elif isinstance(effect, Show):
                self._stats.show(effect.items)

    def _count(self, account: Account) -> None:
        for name in _COUNTED:
            self._counters[name].inc(getattr(account, name))
        self._counters[_FRESH].inc(sum(account.freshness.values()))
        self._counters[_FRESH_MS].inc(account.freshness_ms)
        for name, value in account.quality.items():
            # Limited to what Java can hold: the error of an absurd rating is larger.
            whole = round(min(value * (1 if name.endswith("s") else 1e6), 1e15))
            self._quality_counter(name).inc(whole)

    def _quality_counter(self, name: str) -> Any:
        """Flink's counter of a sum of `udfs.learning.quality`: of tests, or in millionths."""
        if name not in self._counters:
            metric = name.replace(":", "_").replace("@", "_")
            suffix = "" if name.endswith("s") else "_millionths"
            self._counters[name] = self._quality_metrics.counter(metric + suffix)
        return self._counters[name]

    def close(self) -> None:
        """At the end of a bounded input: write every shared list."""
        if hasattr(self, "_step"):
            for _ in self._carry_out(self._step.end(), None):
                pass
            self.stores.close()
