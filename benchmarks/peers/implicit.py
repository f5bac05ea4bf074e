"""Peer: implicit's ALS, which solves users again in each micro-batch, and all factors at intervals.

`python -m benchmarks.peers.implicit FOLDER URL FACTORS`. In each micro-batch `partial_fit_users`
solves the users with new events against the item factors of the last fit, and `recommend` ranks
all items for them; a thread refits all factors every 10 s, and when the events have doubled.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import redis
from implicit.cpu.als import AlternatingLeastSquares
from scipy.sparse import csr_matrix

from benchmarks.peers.loop import LENGTH, Event, Ids, follow, serve

PENALTY, CONFIDENCE, EVERY_S = 10.0, 2.0, 10.0


class Als:
    """ALS for implicit feedback. Lists only have items of the last fit."""

    def __init__(
        self,
        factors: int,
        penalty: float = PENALTY,
        confidence: float = CONFIDENCE,
        every_s: float = EVERY_S,
    ) -> None:
        # One thread to serve and one to fit: more would slow each other down on small batches.
        self._given = {"factors": factors, "regularization": penalty, "alpha": confidence}
        self._every_s = every_s
        self._users, self._items = Ids(), Ids()
        self._history: dict[int, Counter[int]] = defaultdict(Counter)
        self._model: Any = None
        self._fitted: Any = None  # by the thread, for the next micro-batch
        self._thread: threading.Thread | None = None
        self._due = 0.0
        self._count = self._enough = 0

    def learn(self, events: Sequence[Event]) -> None:
        """Store the events; start a fit if it is due, and use the last one if it has finished."""
        for event in events:
            self._history[self._users[event["user"]]][self._items[event["item"]]] += 1
        if self._thread is not None and not self._thread.is_alive():
            self._model, self._thread = self._fitted, None
        self._count += len(events)
        due = time.monotonic() >= self._due or self._count >= self._enough
        if self._thread is None and due:
            self._due, self._enough = time.monotonic() + self._every_s, 2 * self._count
            matrix = self._matrix(range(len(self._users)), len(self._items))
            self._thread = threading.Thread(target=self._fit, args=(matrix,), daemon=True)
            self._thread.start()
            if self._model is None:
                self._thread.join()
                self._model, self._thread = self._fitted, None

    def rank(self, users: Sequence[str]) -> list[list[str]]:
        """Solve the users, and rank all items of the last fit for them."""
        numbers = np.array([self._users[user] for user in users])
        items = len(self._model.item_factors)
        matrix = self._matrix(numbers.tolist(), items)
        self._model.partial_fit_users(numbers, matrix)
        best, scores = self._model.recommend(numbers, matrix, N=min(LENGTH, items))
        # implicit pads lists that run out of items with the lowest possible score.
        return [
            [self._items.names[item] for item, score in zip(*row, strict=True) if score > -1e30]
            for row in zip(best.tolist(), scores.tolist(), strict=True)
        ]

    def _fit(self, matrix: csr_matrix) -> None:
        model = AlternatingLeastSquares(**self._given, num_threads=1, random_state=1)
        model.fit(matrix, show_progress=False)
        self._fitted = model

    def _matrix(self, users: Iterable[int], items: int) -> csr_matrix:
        """How often each of `users` had each of the first `items` items: float32[n, I]."""
        rows = [
            [(item, count) for item, count in self._history[user].items() if item < items]
            for user in users
        ]
        ends = np.cumsum([0, *map(len, rows)])
        pairs = np.array([pair for row in rows for pair in row], np.int32).reshape(-1, 2)
        return csr_matrix((pairs[:, 1].astype(np.float32), pairs[:, 0], ends), (len(rows), items))


if __name__ == "__main__":
    where, url, width = sys.argv[1:4]
    serve(Als(int(width)), follow(Path(where)), redis.Redis.from_url(url))
