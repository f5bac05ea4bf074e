"""What the ranker learns of a batch: from which of its events, and how many.

In: the events of a batch, before any model has learned from them. Out: the ranker, changed; and
what it had ranked, if that is logged.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from udfs.learning.allowance import Allowance
from udfs.memory.history_kernels import Batch
from udfs.ranking.recommender import Recommender


class Training:
    """The training of the ranker of one subtask."""

    def __init__(self, models: Recommender) -> None:
        settings = models.settings
        self._models, self._strict = models, settings.job.strict
        self._ranks = settings.lists.model == "ranker"
        self._allowance = Allowance(settings.ranker.train_per_s)

    def learn(
        self,
        events: Batch,
        ts: NDArray[np.int64],
        now_ms: int,
        worth: NDArray[np.float32] | None = None,
    ) -> NDArray[np.float64] | None:
        """Let the ranker learn from some of n events: what known users took of what was known.

        Args:
            ts: int64[n], their times, ms. worth: float32[n], how much each counts; None: all the
                same.

        Returns: the ranker's parameters as they were before; None if it has not learned.
        """
        chosen = self._chosen(events, now_ms)
        if not len(chosen):
            return None
        self._allowance.take(len(chosen))
        models, before = self._models, self._models.ranker.parameters
        moment, taken = models.moment(events.users[chosen], now_ms), events.items[chosen]
        if models.log is not None:
            models.log.tell(moment, taken, ts[chosen])
        models.blend.train(moment, taken, None if worth is None else worth[chosen])
        return before

    def _chosen(self, events: Batch, now_ms: int) -> NDArray[np.int64]:
        """The places of the events that it learns from, evenly spread over the batch."""
        most = len(events.users) if self._strict else self._allowance.most(now_ms)
        if not self._ranks or not most:
            return np.zeros(0, np.int64)
        models, items = self._models, events.items
        known = (items >= 0) & (events.weights > 0) & (models.users.events[events.users] > 0)
        described = models.content.described.of[items] > 0
        known &= (models.catalogue.events[items] > 0) | described
        chosen = np.flatnonzero(known)
        if len(chosen) > most:
            chosen = chosen[np.linspace(0, len(chosen) - 1, most).astype(np.int64)]
        return chosen
