"""Learning with a guard: what it holds back is only served.

In: batches, as `Learner.learn` takes them, and the `Votes` of their shard. Out: `Learned`, of all
their users. Without `crowd.guard`, `LearnStep` calls the learner itself.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from udfs.events.batch import EventBatch, make_batch
from udfs.learning.guard import Guard, Verdict
from udfs.learning.learner import Learned, Learner
from udfs.learning.prepared import Prepared, prepare
from udfs.learning.served import Served
from udfs.learning.votes import Votes
from udfs.state.handles import MemoryRows, Rows


class Turn(NamedTuple):
    """When a batch is learned: see the arguments of `Learner.learn`."""

    number: int
    now_ms: int
    mean: NDArray[np.float64]
    first: int = 0


class Guarded:
    """A learner with a guard; `rows` and `history` are scoped to the current shard."""

    def __init__(self, learner: Learner, rows: Rows, history: Rows) -> None:
        self._learner, self._rows, self._history = learner, rows, history
        self._served = Served(learner, rows, history)
        self._guard = Guard(learner.users, learner.catalogue)
        learner.strangers.doubted = self._guard.doubted

    @staticmethod
    def compile(learner: Learner) -> None:
        """Compile, or load from Numba's cache, what is called besides the learner's own kernels."""
        trial = Guarded(Learner(learner.settings), MemoryRows(), MemoryRows())
        ones = np.ones(2)
        batch = make_batch(["a", "a"], ["x", "y"], ones, ones, ones, [""] * 2, 0)
        votes = Votes(MemoryRows())
        trial.learn(batch, Turn(0, 1, np.zeros(2)), votes)
        trial._served.serve(batch, 1)
        votes.forget("a")

    def learn(self, batch: EventBatch, turn: Turn, votes: Votes) -> Learned:
        """Learn what the guard lets pass, and serve the rest."""
        learner, rows, history = self._learner, self._rows, self._history
        ready = self._prepare(batch)
        verdict = self._guard.judge(ready.events, batch.ts, ready.slots, votes)
        if not verdict.held.any():
            return learner.learn(batch, rows, history, *turn, ready)
        learned = Learned(ready.slots[:0], 0, {})
        if not verdict.held.all():
            part = batch.take(np.flatnonzero(~verdict.held))
            some = self._prepare(part)._replace(known=ready.known)
            learned = learner.learn(part, rows, history, *turn, some)
        met = self._served.serve(batch.take(np.flatnonzero(verdict.held)), turn.now_ms).new_users
        # Each part may have put users of the other out of a small cache.
        slots = self._prepare(batch).slots
        return Learned(slots, learned.new_users + met, learned.quality, counts(verdict))

    def _prepare(self, batch: EventBatch) -> Prepared:
        learner = self._learner
        return prepare(batch, learner.users, learner.catalogue, self._rows, self._history)


def counts(verdict: Verdict) -> dict[str, int]:
    """What an account says of a verdict."""
    found = {"held": int(verdict.held.sum()), "bots": verdict.bots, "crowd": verdict.crowd}
    return {name: count for name, count in found.items() if count}
