"""The operator `user learner`: keyed by user shard, it learns each batch and refreshes its lists.

In: `(shard key, packed EventBatch)`, or a notice of items that change. Out: `(item shard key,
packed Deltas)`; on side outputs, accounts, and lists for a Kafka topic and what Cassandra keeps, if
these are configured. The lists are in the stores before the batch's state is returned to Flink.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import chain
from typing import Any

from pyflink.common import Row
from pyflink.datastream import KeyedProcessFunction, RuntimeContext

from udfs.accounts import Account
from udfs.feed.entries import KEEP_S
from udfs.feed.metadata import unpack
from udfs.feed.metadata_reader import MetadataReader
from udfs.feed.reader import FeedReader
from udfs.learning.effects import (
    Answer,
    Effect,
    Emit,
    Erase,
    Expire,
    Keep,
    Log,
    Part,
    Report,
    Show,
    Wake,
    Write,
)
from udfs.learning.learner import Learner
from udfs.learning.past import compile_past
from udfs.learning.settings import JobSettings
from udfs.learning.user_shard import Handles
from udfs.learning.user_step import UserStep
from udfs.lists import topic
from udfs.models.popular.noise import day_of
from udfs.operators.code_check import CodeChecked
from udfs.operators.flink import (
    KEPT,
    LISTS,
    RANKINGS,
    STATS,
    cell,
    log,
    now_ms,
    parallelism,
    piece,
    redis_writer,
    report,
    row,
    rows,
    set_timer,
    share_interpreter,
    subtask,
)
from udfs.stores.cassandra_message import Collected
from udfs.stores.redis_answers import RedisAnswers
from udfs.stores.redis_feed import RedisFeed
from udfs.stores.redis_marks import RedisMarks
from udfs.stores.redis_metadata import RedisMetadata
from udfs.stores.redis_stats import RedisStats
from udfs.stores.table import open_stores
from udfs.threads import share_of_cores

_COUNTED = ("learned", "duplicates", "lists", "batches")  # of an account, also counted by Flink
_FRESH, _FRESH_MS = "fresh_events", "freshness_ms_sum"


class UserLearner(CodeChecked, KeyedProcessFunction):  # type: ignore[misc]
    """See the module; batches are handled by `udfs.learning.user_step`."""

    def __init__(self, settings: JobSettings) -> None:
        self.settings, self._topic = settings, settings.topic

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
            people=rows(context, "people"),
            noted=rows(context, "noted"),
            forgotten=rows(context, "forgotten"),
            crowd=rows(context, "crowd"),
            contributed=rows(context, "contributed"),
            outcomes=rows(context, "outcomes"),
            experiments=rows(context, "experiments"),
            joined=rows(context, "joined") if o.identity.enabled else None,
            started=cell(context, "started") if o.quality.attribution_days else None,
        )
        subtasks, origin = parallelism(context), subtask(context)
        self.learner = Learner(o, o.job.threads or share_of_cores(subtasks), origin)
        self.learner.compile()
        if o.identity.enabled:
            compile_past(o)
        self.writer, prefix = redis_writer(context, s.redis, "user"), o.redis.prefix
        self.stores, self._stats = open_stores(o, self.writer), RedisStats(self.writer, prefix)
        self._answers = RedisAnswers(self.writer, prefix)
        self._values = topic.writers(s.list_format)
        self._kept = Collected(o.cassandra.lists) if o.cassandra.hosts else None
        feed = RedisFeed(self.writer, prefix)
        self.feed = FeedReader(feed, o.job.item_shards, subtasks == 1, KEEP_S, origin)
        self.feed.start(self.learner.models)
        metadata = MetadataReader(RedisMetadata(self.writer, prefix), o.job.item_shards)
        known = [unpack(entry) for entry in s.trial.items]
        self.learner.describe([*known, *metadata.start(now_ms())], now_ms())
        marks = partial(RedisMarks, self.writer, prefix)
        parts = state, self.learner, self.feed, metadata, marks, now_ms
        self._step = UserStep(s, *parts, alone=subtasks == 1)
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
        return self._keep(value[0], self._carry_out(self._step.batch(*value), context))

    def on_timer(
        self, timestamp: int, context: KeyedProcessFunction.OnTimerContext
    ) -> Iterator[Any]:
        """Do what is due; called for the last time at the end of the input."""
        key = context.get_current_key()
        return self._keep(key, self._carry_out(self._step.timer(key, timestamp), context))

    def _keep(self, key: int, found: Iterator[Any]) -> Iterator[Any]:
        """What a step of a shard sends, followed by what it leaves for Cassandra."""
        if self._kept is None:
            return found
        return chain(found, self._left(key, self._kept))

    def _left(self, key: int, kept: Collected) -> Iterator[Any]:
        if message := kept.message():
            yield KEPT, Row(key, message)

    def _carry_out(
        self, effects: Iterator[Effect], context: KeyedProcessFunction.Context
    ) -> Iterator[Any]:
        for effect in effects:
            if isinstance(effect, Emit):
                yield piece(self.settings.item_keys[effect.item_shard], effect.message)
            elif isinstance(effect, Write):
                self.stores.write(effect.updates)
                if self._kept:
                    self._kept.written(effect.updates)
                if self._topic:
                    for message in topic.written(effect.updates, self._topic, self._values):
                        yield LISTS, row(message)
            elif isinstance(effect, Erase | Expire):
                if isinstance(effect, Erase):
                    self.stores.erase(effect.users)
                    if self._kept:
                        self._kept.erased(effect.users, now_ms())
                if self._topic:
                    for message in topic.erased(effect.users, self._topic):
                        yield LISTS, row(message)
            elif isinstance(effect, Part) and self._kept:
                self._kept.erased(effect.users, now_ms())
            elif isinstance(effect, Keep) and self._kept:
                self._kept.learned(effect.batch, now_ms())
            elif isinstance(effect, Log):
                for made in effect.rankings:
                    yield RANKINGS, row(made)
            elif isinstance(effect, Answer):
                self._answers.write(effect.key, effect.value, effect.expiry_s)
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
        """At the end of a bounded input: write every shared list, unless the last timer has."""
        if hasattr(self, "_step"):
            noised = bool(self.settings.options.privacy.epsilon) and not self._topic
            if noised and self._step.ended:
                self.feed.await_noised(self.learner.models, day_of(now_ms()))
            for _ in () if self._topic else self._carry_out(self._step.end(), None):
                pass
            self.stores.close()
