"""The operator `encoder`: keyed by item shard, it adds vectors of texts and images to items.

In: `(item shard key, packed ItemChanges)` from `parse`. Out: `(item shard key, packed ItemChanges)`
for the item learner: each change at once, vectors when they are made; on a side output, accounts.
It stands beside the way of events, so that a network that takes its time delays no click. A job
whose `text.model` and `images.model` are empty has none.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pyflink.datastream import KeyedProcessFunction, RuntimeContext

from udfs.encoders.encoders import Encoders
from udfs.learning.effects import Count, Effect, Emit, Report, Wake
from udfs.learning.encode_plan import EncodeHandles
from udfs.learning.encode_step import EncodeStep
from udfs.operators.code_check import CodeChecked
from udfs.operators.flink import STATS, now_ms, piece, report, rows, set_timer
from udfs.options.encoders import Images, Text


class Encoder(CodeChecked, KeyedProcessFunction):  # type: ignore[misc]
    """See the module; changes are handled by `udfs.learning.encode_step`.

    Args:
        item_keys: Flink's key of each item shard.
    """

    def __init__(self, text: Text, images: Images, item_keys: list[int]) -> None:
        self.text, self.images, self.item_keys = text, images, item_keys

    def open(self, context: RuntimeContext) -> None:
        """Open the networks and take the state handles."""
        state = EncodeHandles(known=rows(context, "known"), waiting=rows(context, "waiting"))
        self.step = EncodeStep(
            Encoders(self.text, self.images),
            state,
            {key: shard for shard, key in enumerate(self.item_keys)},
            {"text": self.text.threads, "image": self.images.threads},
            now_ms,
        )
        self._encoded = context.get_metrics_group().counter("encoded")

    def process_element(
        self, value: tuple[int, bytes], context: KeyedProcessFunction.Context
    ) -> Iterator[Any]:
        """Take the changes of one shard."""
        return self._carry_out(self.step.message(*value), context)

    def on_timer(
        self, timestamp: int, context: KeyedProcessFunction.OnTimerContext
    ) -> Iterator[Any]:
        """Pass on what is done; at the end of the input, all."""
        return self._carry_out(self.step.timer(context.get_current_key(), timestamp), context)

    def _carry_out(
        self, effects: Iterator[Effect], context: KeyedProcessFunction.Context
    ) -> Iterator[Any]:
        for effect in effects:
            if isinstance(effect, Emit):
                yield piece(self.item_keys[effect.item_shard], effect.message)
            elif isinstance(effect, Wake):
                set_timer(context, effect)
            elif isinstance(effect, Count):
                self._encoded.inc(effect.n)
            elif isinstance(effect, Report):
                yield STATS, report(effect.account)

    def close(self) -> None:
        """At the end of a bounded input."""
        if hasattr(self, "step"):
            self.step.close()
