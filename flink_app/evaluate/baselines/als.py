"""Matrix factorisation refitted at intervals. One of `flink_app.evaluate.baselines`.

In: positive events. Out: scores, float64[I], of the last fit.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from flink_app.evaluate.baselines.base import Baseline, History, Shape


class Als(Baseline):
    """ALS for implicit feedback: all factors are refitted after a number of events.

    minimises Σ cᵤᵢ (tᵤᵢ − p·q)² + λ (Σ|p|² + Σ|q|²) over all pairs, with tᵤᵢ = 1 and
    cᵤᵢ = 1 + α rᵤᵢ for a pair with weight r, and tᵤᵢ = 0, cᵤᵢ = 1 for every other.

    Hu, Koren, Volinsky: Collaborative Filtering for Implicit Feedback Datasets (2008). A fit begins
    with the factors of the one before. A user who is not in the last fit gets the popular list of
    that moment; a user who is in it gets no item that is not.

    The defaults are the best for ratings of 5 and for all ratings together, by
    `python -m benchmarks.tune`, at 1,000 events from fit to fit, after a wider search for ratings
    of 5 alone: d 10 to 50, λ 0.1 to 40, α 1 to 40.

    Args:
        factors: d, ≥ 1. penalty: λ, > 0. confidence: α, > 0. sweeps: per fit, ≥ 1.
        every: events from one fit to the next, ≥ 1.
    """

    name: ClassVar[str] = "als"
    seeded: ClassVar[bool] = True

    def __init__(
        self,
        shape: Shape,
        seed: int = 1,
        *,
        factors: int = 20,
        penalty: float = 40.0,
        confidence: float = 1.0,
        sweeps: int = 5,
        every: int = 1000,
    ) -> None:
        random = np.random.default_rng(seed)
        self.users = random.normal(0.0, 0.1, (shape.users, factors))  # float64[U, d]
        self.items = random.normal(0.0, 0.1, (shape.items, factors))  # float64[I, d]
        self._history, self._weights = History(shape), np.zeros(shape.events)
        self._in_fit = np.zeros(shape.users, np.bool_), np.zeros(shape.items, np.bool_)
        self._penalty, self._confidence, self._sweeps = penalty, confidence, sweeps
        self._every, self._events = every, 0

    def learn(self, user: int, item: int, value: float) -> None:
        """Note the event; the last one of an interval fits the model."""
        place, _ = self._history.add(user, item)
        self._weights[place] += value
        self._events += 1
        if self._events % self._every == 0:
            self.fit()

    def fit(self) -> None:
        """Fit all factors to all pairs so far."""
        old = self._history
        who, what = old.who[: old.size], old.what[: old.size]
        extra = self._confidence * self._weights[: old.size]
        for _ in range(self._sweeps):
            solve(self.users, self.items, who, what, extra, self._penalty)
            solve(self.items, self.users, what, who, extra, self._penalty)
        self._in_fit = old.of_user > 0, old.of_item > 0

    def scores(self, user: int) -> NDArray[np.float64]:
        """p·q of the last fit, or counts."""
        users, items = self._in_fit
        if not users[user]:
            return self._history.of_item.astype(np.float64)
        return np.where(items, self.items @ self.users[user], -np.inf)


def solve(
    rows: NDArray[np.float64],
    columns: NDArray[np.float64],
    row_of: NDArray[np.int32],
    column_of: NDArray[np.int32],
    extra: NDArray[np.float64],
    penalty: float,
) -> None:
    """Set each row that has pairs to its least squares solution, and each other row to 0.

    x = (CᵀC + Σ α r c cᵀ + λ 1)⁻¹ Σ (1 + α r) c, sums over the row's pairs.

    Args:
        rows, columns: float64[R, d], float64[C, d]; `rows` is changed.
        row_of, column_of: int32[n], the pairs. extra: float64[n], α r of each.

    >>> rows, columns = np.zeros((2, 1)), np.array([[1.0], [2.0]])
    >>> one = np.zeros(1, np.int32)
    >>> solve(rows, columns, one, one + 1, np.array([3.0]), 1.0)
    >>> rows.ravel().tolist()  # (1 + 4 + 3·4 + 1)⁻¹ · 4·2
    [0.4444444444444444, 0.0]
    """
    order = np.argsort(row_of, kind="stable")
    names, begins = np.unique(row_of[order], return_index=True)
    rows[:] = 0.0
    # Columns without pairs are 0 from the other half of the first sweep on.
    base = columns.T @ columns + penalty * np.eye(columns.shape[1])
    for name, places in zip(names, np.split(order, begins[1:]), strict=True):
        part, more = columns[column_of[places]], extra[places]
        rows[name] = np.linalg.solve(base + (part.T * more) @ part, part.T @ (1.0 + more))
