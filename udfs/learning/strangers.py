"""What is learned of the first events of users, of whom nothing is known yet but who they are.

In: batches before they are learned otherwise, and their users afterwards. Out: what popularity is
made of and the counts of segments, taught; what was counted, for the item learners.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from udfs.events.batch import EventBatch
from udfs.events.columns import CONTEXT
from udfs.learning.guard_kernels import NEW
from udfs.memory.history_kernels import Batch
from udfs.models.popular.source import OF_ALL
from udfs.models.segments.names import of_context
from udfs.models.segments.source import EARLY_EVENTS, PARAMETERS
from udfs.ranking.recommender import Recommender

FIRST = 2
"""How many items of a user's history count as first: what all begin with."""
STAYED = NEW
"""From how many events on they count: accounts made for one item rarely get so far."""
_CONTEXT = frozenset(CONTEXT)


class Strangers:
    """See the module.

    Attributes:
        doubted: which users (int32[n], slots) were ever held back by a guard, bool[n]; None:
            there is no guard.
    """

    def __init__(self, models: Recommender) -> None:
        self._models = models
        self.doubted: Callable[[NDArray[np.int32]], NDArray[np.bool_]] | None = None

    def meet(self, events: Batch, batch: EventBatch, slots: NDArray[np.int32], now_ms: int) -> None:
        """Learn from the events of users who have few.

        Args:
            events: the events of `batch`, as slots. slots: int32[n], their distinct users.
        """
        if not self._models.users.events[slots].all():
            self._begin(events, now_ms)
        if self._models.segments.some or not _CONTEXT.isdisjoint(batch.columns):
            self._count(events, batch)

    def counted(self) -> dict[str, NDArray[np.float64]]:
        """What was added to the counts since the last call, as shared parameters."""
        added = self._models.segments.counts.added()
        found = {PARAMETERS + name: sums for name, sums in added.items()}
        if (first := self._models.popular.first.added()) is not None:
            found[OF_ALL] = first
        return found

    def stay(self, slots: NDArray[np.int32], had: NDArray[np.int64]) -> None:
        """Count what users began with, once they have `STAYED` events: what they liked first of
        what stands in their histories, as of now.

        Args:
            slots: int32[n], distinct users of a batch that has been learned. had: int64[n], their
                events before it.
        """
        users, popular = self._models.users, self._models.popular
        if popular.fixed and not self._models.segments.some:
            return  # no list would be made of it
        those = slots[(had < STAYED) & (users.events[slots] >= STAYED)]
        if len(those) and self.doubted is not None:
            those = those[~self.doubted(those)]
        if not len(those):
            return
        for slot in those.tolist():
            items, liked = users.standing(slot)
            keys = self._models.catalogue.keys[items[liked][:FIRST]]
            popular.first.count(keys, users.last[slot])

    def _begin(self, events: Batch, now_ms: int) -> None:
        """Let popularity learn from the very first events of users."""
        learned = self._models.users.events
        young = np.flatnonzero(learned[events.users] == 0)
        _, first = np.unique(events.users[young], return_index=True)
        chosen = young[np.sort(first)]
        chosen = chosen[(events.weights[chosen] > 0) & (events.items[chosen] >= 0)]
        if len(chosen):
            self._models.popular.met(events.items[chosen], now_ms)

    def _count(self, events: Batch, batch: EventBatch) -> None:
        """Count what users begin with, by their segments and by the context of their events."""
        ts, few = batch.ts, self._models.users.events[events.users] < EARLY_EVENTS
        given = {name: batch.column(name) for name in CONTEXT if name in batch.columns}
        contexts = [
            of_context({name: values[row] for name, values in given.items()}, int(ts[row]))
            if few[row]
            else []
            for row in range(len(batch) if given else 0)
        ]
        taken = events.users, events.items, events.weights
        self._models.segments.learn(taken, ts, contexts)
