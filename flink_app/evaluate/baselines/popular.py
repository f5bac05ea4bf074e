"""How often each item was taken, for everybody alike. One of `flink_app.evaluate.baselines`.

In: positive events. Out: counts as scores, float64[I].
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from flink_app.evaluate.baselines.base import Baseline, Shape


class Popular(Baseline):
    """cᵢ ← cᵢ + 1 for each positive event of item i; nothing decays, and there is nothing to set.

    >>> popular = Popular(Shape(2, 3, 9))
    >>> for user, item in ((0, 1), (1, 1), (1, 2)):
    ...     popular.learn(user, item, 1.0)
    >>> popular.scores(0).tolist()
    [0.0, 2.0, 1.0]
    """

    name: ClassVar[str] = "popular"

    def __init__(self, shape: Shape, seed: int = 1) -> None:
        self._counts = np.zeros(shape.items)

    def learn(self, user: int, item: int, value: float) -> None:
        """Count the item."""
        self._counts[item] += 1.0

    def scores(self, user: int) -> NDArray[np.float64]:
        """The counts, the same for every user."""
        return self._counts
