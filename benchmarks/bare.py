"""The learner without Flink and Redis: events and factors in, seconds and bytes out.

In: settings as "section.option=value", arrays of users and items. Out: CPU seconds of this process,
which other work on the machine affects less than wall-clock time; and the learner's memory.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.tastes import factors
from flink_app.config import load
from udfs.events.batch import CONSUMED, EventBatch, make_batch
from udfs.learning.learner import Learner
from udfs.state.handles import MemoryRows

OUT = Path(__file__).parent / "out"
START_MS = 1_704_067_200_000
_BATCH = 2000


class Bare:
    """A learner with its state in memory.

    Attributes:
        learned: events so far.
    """

    def __init__(self, *settings: str) -> None:
        config = load(None, ["job.item_shards=1", *settings], {}).config
        self.learner = Learner(config.settings)
        self.learner.compile()
        self.rows, self.history = MemoryRows(), MemoryRows()
        self.learned = 0
        self.messages: list[bytes] = []

    @property
    def now_ms(self) -> int:
        """The time, at 10,000 events a second."""
        return START_MS + self.learned // 10

    def know(self, items: int, *, structured: bool = True) -> None:
        """Add the items "i0", "i1", …, with factors as of `tastes.factors`."""
        catalogue = self.learner.catalogue
        slots = catalogue.slots([f"i{k}" for k in range(items)])
        q, bias = factors(items, catalogue.dimensions, structured=structured)
        catalogue.q[slots], catalogue.bias[slots] = q, bias
        catalogue.events[slots] = 1
        catalogue.put_rows(catalogue.names(slots.tolist()), catalogue.rows(slots))

    def meet(self, users: int) -> NDArray[np.int32]:
        """The cache slots of the users "u0", "u1", …: int32[users]."""
        names = [f"u{k}" for k in range(users)]
        where = self.learner.users.locate(names, self.rows, self.history, self.learner.catalogue)
        return np.fromiter(where.values(), np.int32, users)

    def want(self, slots: NDArray[np.int32], *, structured: bool = True) -> None:
        """Give users factors: three times the mean of two items' factors; without structure,
        random ones."""
        catalogue = self.learner.catalogue
        rng = np.random.default_rng(3)
        if structured:
            some = rng.integers(0, catalogue.size, (len(slots), 2))
            wanted = 1.5 * catalogue.q[some].sum(axis=1)
        else:
            wanted = 3.0 * factors(len(slots), catalogue.dimensions, 2, structured=False)[0]
        self.learner.users.p[slots] = wanted

    def learn(
        self, users: NDArray[np.int64], items: NDArray[np.int64], *, keep: bool = False
    ) -> float:
        """Learn events in batches; returns the CPU seconds.

        Args:
            keep: whether `messages` keeps the messages for the item learner.
        """
        spent = 0.0
        for begin in range(0, len(users), _BATCH):
            batch = self._batch(users[begin : begin + _BATCH], items[begin : begin + _BATCH])
            began = time.process_time()
            self.learner.learn(batch, self.rows, self.history, self.learned, self.now_ms)
            messages = self.learner.messages(self.now_ms)
            spent += time.process_time() - began
            self.learned += len(batch)
            if keep:
                self.messages += messages.values()
        return spent

    def _batch(self, users: NDArray[np.int64], items: NDArray[np.int64]) -> EventBatch:
        n = len(users)
        return make_batch(
            [f"u{k}" for k in users.tolist()],
            [f"i{k}" for k in items.tolist()],
            np.ones(n, np.float32),
            np.full(n, CONSUMED),
            np.full(n, self.now_ms),
            [""] * n,
            self.now_ms,
        )

    def lists(self, slots: NDArray[np.int32], at_once: int = 50) -> NDArray[np.float64]:
        """CPU seconds a list, of each group of `at_once` users: whole lists, up to their JSON."""
        spent = []
        now = self.now_ms
        self.learner.user_lists(slots[:1], now)
        for begin in range(0, len(slots), at_once):
            part = slots[begin : begin + at_once]
            began = time.process_time()
            _ = [some.json for some in self.learner.user_lists(part, now)]
            spent.append((time.process_time() - began) / len(part))
        return np.array(spent)
