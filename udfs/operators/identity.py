"""The operator `identity`: with one key, it replaces ids by the persons whose they are.

In: what `parse` sends to the user learner. Out: `(user shard key, bytes)` for the user learner; on
a side output, accounts. A job without `identity.enabled` has none.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pyflink.datastream import KeyedProcessFunction, RuntimeContext

from udfs.learning.effects import Count, Effect, Emit, Report, Wake
from udfs.learning.identity_ids import IdentityHandles
from udfs.learning.identity_step import LINKS, IdentityStep
from udfs.models.settings import Settings
from udfs.operators.code_check import CodeChecked
from udfs.operators.flink import STATS, cell, now_ms, piece, report, rows, set_timer


class Identity(CodeChecked, KeyedProcessFunction):  # type: ignore[misc]
    """See the module; messages are handled by `udfs.learning.identity_step`.

    Args:
        user_keys: Flink's key of each user shard.
    """

    def __init__(self, options: Settings, user_keys: list[int]) -> None:
        self.options, self.user_keys = options, user_keys

    def open(self, context: RuntimeContext) -> None:
        """Take the state handles."""
        state = IdentityHandles(
            ids=rows(context, "ids"),
            pages=rows(context, "pages"),
            seen=rows(context, "seen"),
            duplicates=rows(context, "duplicates"),
            forgotten=rows(context, "forgotten"),
            order=cell(context, "order"),
        )
        self.step = IdentityStep(self.options, state, len(self.user_keys), now_ms)
        self._links = context.get_metrics_group().counter(LINKS)

    def process_element(
        self, value: tuple[int, bytes], context: KeyedProcessFunction.Context
    ) -> Iterator[Any]:
        """Pass on one message."""
        return self._carry_out(self.step.message(value[1]), context)

    def on_timer(
        self, timestamp: int, context: KeyedProcessFunction.OnTimerContext
    ) -> Iterator[Any]:
        """Forget who was not seen for long."""
        return self._carry_out(self.step.timer(timestamp), context)

    def _carry_out(
        self, effects: Iterator[Effect], context: KeyedProcessFunction.Context
    ) -> Iterator[Any]:
        for effect in effects:
            if isinstance(effect, Emit):
                yield piece(self.user_keys[effect.item_shard], effect.message)
            elif isinstance(effect, Wake):
                set_timer(context, effect)
            elif isinstance(effect, Count):
                self._links.inc(effect.n)
            elif isinstance(effect, Report):
                yield STATS, report(effect.account)
