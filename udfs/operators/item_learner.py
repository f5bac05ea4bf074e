"""The operator `item learner`: keyed by item shard, it owns the items and publishes the item feed.

In: `(item shard key, packed Deltas or ItemChanges)`. Out: accounts; outside the graph, the item
feed and items' metadata in Redis.
Changes are appended to an inbox in state at once, applied as they gather, and folded into the
items' rows at intervals, so that an item that changes a hundred times a second is written once.
"""

from __future__ import annotations

from collections.abc import Iterator

from pyflink.common import Row
from pyflink.datastream import KeyedProcessFunction, RuntimeContext

from udfs.learning.effects import Count, Effect, Report, Wake
from udfs.learning.item_shard import ItemShard
from udfs.learning.item_state import ItemHandles
from udfs.learning.item_step import ItemStep
from udfs.learning.published import Outside
from udfs.learning.settings import JobSettings
from udfs.operators.code_check import CodeChecked
from udfs.operators.flink import (
    cell,
    log,
    now_ms,
    parallelism,
    redis_writer,
    report,
    rows,
    set_timer,
)
from udfs.stores.redis_feed import RedisFeed
from udfs.stores.redis_hidden import ListSweep
from udfs.stores.redis_metadata import RedisMetadata


class ItemLearner(CodeChecked, KeyedProcessFunction):  # type: ignore[misc]
    """See the module; messages are handled by `udfs.learning.item_step`."""

    def __init__(self, settings: JobSettings) -> None:
        self.settings = settings

    def open(self, context: RuntimeContext) -> None:
        """Take the state handles, compile the kernels and connect to Redis."""
        s, options = self.settings, self.settings.options
        state = ItemHandles(
            items=rows(context, "items"),
            pairs=rows(context, "pairs"),
            layout=cell(context, "layout"),
            ranker=cell(context, "ranker2"),
            shared=cell(context, "shared"),
            inbox=log(context, "inbox"),
            inbox2=log(context, "inbox2"),
            turn=cell(context, "turn"),
            folded=log(context, "folded"),
            metadata=rows(context, "metadata"),
            noisy=rows(context, "noisy") if options.privacy.epsilon else None,
            noise=cell(context, "noise") if options.privacy.epsilon else None,
        )
        writer, prefix = redis_writer(context, s.redis, "item"), options.redis.prefix
        outside = Outside(
            RedisFeed(writer, prefix),
            RedisMetadata(writer, prefix),
            ListSweep(s.redis, options.redis.publish),
        )
        ItemShard.compile(options)
        self.step = ItemStep(s, state, outside, parallelism(context) == 1, now_ms)
        group = context.get_metrics_group()
        self._counters = {name: group.counter(name) for name in ("updates", "published")}

    def process_element(
        self, value: tuple[int, bytes], context: KeyedProcessFunction.Context
    ) -> Iterator[Row]:
        """Take one message of changes."""
        return self._carry_out(self.step.message(*value), context)

    def on_timer(
        self, timestamp: int, context: KeyedProcessFunction.OnTimerContext
    ) -> Iterator[Row]:
        """Do what is due."""
        return self._carry_out(self.step.timer(context.get_current_key(), timestamp), context)

    def _carry_out(
        self, effects: Iterator[Effect], context: KeyedProcessFunction.Context
    ) -> Iterator[Row]:
        for effect in effects:
            if isinstance(effect, Count):
                self._counters[effect.counter].inc(effect.n)
            elif isinstance(effect, Wake):
                set_timer(context, effect)
            elif isinstance(effect, Report):
                yield report(effect.account)

    def close(self) -> None:
        """At the end of a bounded input: leave a snapshot of the final items."""
        if hasattr(self, "step"):
            for _ in self._carry_out(self.step.end(), None):
                pass
