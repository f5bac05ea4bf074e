"""Shelves: the items that a browsing user sees, half from everything and half from one category.

In: how often each item is on display, and its category. Out: (views, SHELF) item numbers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SHELF = 16
"""Items seen at each step of browsing."""


class Shelves:
    """Items ordered by category, so that one running sum serves both kinds of draw.

    weights: (items,) float64, at least 0, not normalised. categories: (items,) int64, 0 to
    `kinds` − 1.
    """

    def __init__(
        self, weights: NDArray[np.float64], categories: NDArray[np.int64], kinds: int
    ) -> None:
        self._order = np.argsort(categories, kind="stable")
        self._sums = np.cumsum(weights[self._order])
        ends = np.cumsum(np.bincount(categories, minlength=kinds))
        bounds = np.concatenate([[0.0], self._sums])
        self._high = bounds[ends]
        self._low = np.concatenate([[0.0], self._high[:-1]])

    def draw(self, random: np.random.Generator, categories: NDArray[np.int64]) -> NDArray[np.int64]:
        """The items that each view chooses from, drawn by weight with repetition.

        categories: (views,) int64, what the user is looking for. Returns (views, SHELF) int64 item
        numbers, the second half from the given category; an empty one shows the next item instead.
        """
        draws = random.random((len(categories), SHELF))
        half = SHELF // 2
        low, high = self._low[categories, None], self._high[categories, None]
        draws[:, :half] *= self._sums[-1]
        draws[:, half:] = low + draws[:, half:] * (high - low)
        places = np.searchsorted(self._sums, draws, side="right")
        # rounding may lift a draw onto the upper bound itself
        chosen: NDArray[np.int64] = self._order[np.minimum(places, len(self._order) - 1)]
        return chosen
