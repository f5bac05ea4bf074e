"""Matrix factorisation from positive events, by descent. Two of `flink_app.evaluate.baselines`.

In: positive events. Out: scores, float64[I].
"""

from __future__ import annotations

from collections import OrderedDict
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from flink_app.evaluate.baselines.base import Baseline, Shape
from flink_app.evaluate.baselines.kernels import step


class Isgd(Baseline):
    """ISGD: each positive event is a few steps towards 1; there are no negatives.

    e = 1 − p·q;  p ← p + η (e q − λ p);  q ← q + η (e p − λ q), both from their old values.

    Vinagre, Jorge, Gama: Fast Incremental Matrix Factorization for Recommendation with
    Positive-Only Feedback (2014). As there, an item ranks by how near p·q is to 1.

    The defaults are those of `python -m benchmarks.tune` that do best over the whole of
    MovieLens-100K among the better ones of its first half, where d = 20, η = 0.2 and λ = 0.05 are
    5 % ahead: the rule decays with time, and they less. A wider search was for ratings of 5 alone:
    d 10 to 200, η 0.02 to 0.4, λ 0.01 to 0.2, 1 or 2 steps, both orders.

    Nothing bounds a step, so that with a large rate the rule may diverge. Items whose product is
    not finite then are left out of lists.

    Args:
        factors: d, ≥ 1. rate: η, 0 to 1. penalty: λ, ≥ 0. steps: per event, ≥ 1.
        nearest: rank by −|1 − p·q|; by p·q otherwise.
    """

    name: ClassVar[str] = "isgd"
    seeded: ClassVar[bool] = True

    def __init__(
        self,
        shape: Shape,
        seed: int = 1,
        *,
        factors: int = 50,
        rate: float = 0.1,
        penalty: float = 0.05,
        steps: int = 1,
        nearest: bool = True,
    ) -> None:
        random = np.random.default_rng(seed)
        self.users = random.normal(0.0, 0.1, (shape.users, factors))  # float64[U, d]
        self.items = random.normal(0.0, 0.1, (shape.items, factors))  # float64[I, d]
        self._rate, self._penalty, self._steps = rate, penalty, steps
        self._nearest = nearest

    def learn(self, user: int, item: int, value: float) -> None:
        """Move both factors so that their product comes nearer to 1."""
        for _ in range(self._steps):
            step(self.users[user], self.items[item], 1.0, self._rate, self._penalty, True)

    def scores(self, user: int) -> NDArray[np.float64]:
        """Nearness to 1, or the product; −inf where the rule has diverged."""
        with np.errstate(all="ignore"):
            product: NDArray[np.float64] = self.items @ self.users[user]
            scores = -np.abs(1.0 - product) if self._nearest else product
        return np.where(np.isfinite(product), scores, -np.inf)


class Raisgd(Isgd):
    """RAISGD: ISGD in which the items not seen for longest are negative examples.

    Before the positive step the first l items of a queue are learned with target 0, p only:
    p ← p + η ((0 − p·q) q − λ p). They go to the end of the queue, and so does the item taken.

    Vinagre, Jorge, Gama: Collaborative Filtering with Recency-Based Negative Feedback (2015).

    The defaults are the best for ratings of 5 and for all ratings together of a part of the grid of
    `python -m benchmarks.tune` (d 50, l 5 and 10, this order), after a wider search for ratings of
    5 alone: d 10 to 100, η 0.05 to 0.4, λ 0.001 to 0.1, l 1 to 40, both orders, q moved or not.
    Here the order of p·q was better than that of nearness to 1.

    Args:
        factors, rate, penalty, nearest: as for `Isgd`; there is one step per event.
        negatives: l, ≥ 0. negate_items: whether negatives move q too; in the paper they do not.
    """

    name: ClassVar[str] = "raisgd"

    def __init__(
        self,
        shape: Shape,
        seed: int = 1,
        *,
        factors: int = 50,
        rate: float = 0.3,
        penalty: float = 0.03,
        nearest: bool = False,
        negatives: int = 10,
        negate_items: bool = False,
    ) -> None:
        super().__init__(shape, seed, factors=factors, rate=rate, penalty=penalty, nearest=nearest)
        self._negatives, self._negate_items = negatives, negate_items
        self._queue: OrderedDict[int, None] = OrderedDict()

    def learn(self, user: int, item: int, value: float) -> None:
        """Learn the oldest of the queue as negative, then the item as positive."""
        self._queue.pop(item, None)
        for _ in range(min(self._negatives, len(self._queue))):
            other, _ = self._queue.popitem(last=False)
            self._queue[other] = None
            p, q = self.users[user], self.items[other]
            step(p, q, 0.0, self._rate, self._penalty, self._negate_items)
        super().learn(user, item, value)
        self._queue[item] = None

    @property
    def queue(self) -> list[int]:
        """The items met so far, the one not seen for longest first."""
        return list(self._queue)
