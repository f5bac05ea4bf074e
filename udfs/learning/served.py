"""Events that count for their users alone: served, not learned from.

In: a batch that the guard holds back, or of a trial that learns nothing any more. Out: its users'
histories and rows, written; factors, pairs, popularity and the ranker stay as they are.
"""

from __future__ import annotations

from udfs.events.batch import EventBatch
from udfs.learning.batch_kernels import Given
from udfs.learning.learner import Learned, Learner
from udfs.learning.prepared import prepare
from udfs.state.handles import Rows


class Served:
    """A learner that only serves; `rows` and `history` are scoped to the current shard."""

    def __init__(self, learner: Learner, rows: Rows, history: Rows) -> None:
        self._learner, self._rows, self._history = learner, rows, history

    def serve(self, batch: EventBatch, now_ms: int) -> Learned:
        """Let events count for their users alone."""
        learner = self._learner
        ready = prepare(batch, learner.users, learner.catalogue, self._rows, self._history)
        given = Given(ready.events, batch.ts, ready.slots, now_ms, learner.half_life_ms)
        met = learner.steps.serve(given, self._history)
        learner.users.write(given.slots, self._rows)
        learner.models.learned()
        learner.models.steps.searches.fade(ready.events.users)
        learner.models.steps.rerank.repeats.count(ready.events)
        return Learned(ready.slots, met, {})
