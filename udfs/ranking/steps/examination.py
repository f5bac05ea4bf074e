"""How likely each place of a list is looked at, and what a click there teaches the ranker.

In: views and clicks of explored items, by place, of all user learners. Out: for clicked places, by
how much more they count (inverse propensity; Joachims, Swaminathan, Schnabel 2017):

    worth_k = min(1 / ρ^(k − 1), MOST),   of an event that names no list: 1

with ρ of `udfs.attributed.examined`. The learners share the counts as parameters that are summed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from udfs.attributed import CLICKS, PLACES, VIEWS, examined, position

EXAMINATION = "examination"
"""The name of the shared parameters."""
MOST = 5.0
"""What a click counts at most: one at a place that hardly anybody looks at would outweigh all else,
and be no less noise."""


class Examination:
    """See the module.

    Args:
        wanted: whether anything is to be learned so; if not, nothing is counted.

    >>> one = Examination(wanted=True)
    >>> one.put(np.array([0.0, 80, 0, 80] + [0] * 16 + [0, 16, 0, 4] + [0] * 16))
    >>> one.worth([None, 0, 1, 9]).round(2).tolist()
    [1.0, 1.0, 2.0, 5.0]
    """

    def __init__(self, *, wanted: bool) -> None:
        self.wanted = wanted
        self._sums, self._untold = np.zeros(2 * PLACES), np.zeros(2 * PLACES)
        self._patience: float | None = None

    @property
    def parameters(self) -> NDArray[np.float64]:
        """Views, then clicks, of explored items at each place: float64[2 PLACES]; a copy."""
        return self._sums.copy()

    def put(self, parameters: NDArray[np.float64]) -> None:
        """Set what all learners have told, to which what this one has not told yet is added."""
        if self.wanted and len(parameters) == len(self._sums):
            found = np.nan_to_num(parameters, posinf=0.0, neginf=0.0).clip(0.0)
            self._sums, self._patience = found + self._untold, None

    def see(self, place: int, viewed: bool, clicked: bool) -> None:
        """Count that an explored item was seen or clicked at a place from 0."""
        if self.wanted and place < PLACES:
            for at, one in ((place, viewed), (PLACES + place, clicked)):
                self._sums[at] += one
                self._untold[at] += one
            self._patience = None

    def added(self) -> NDArray[np.float64] | None:
        """What was counted since the last call, float64[2 PLACES]; None: nothing."""
        if not self.wanted or not self._untold.any():
            return None
        found, self._untold = self._untold, np.zeros(2 * PLACES)
        return found

    def worth(self, places: Sequence[int | None]) -> NDArray[np.float32] | None:
        """How much n events count, float32[n], given the places from 0 that they were clicked at;
        None: all the same."""
        if not self.wanted or all(place is None for place in places):
            return None
        if self._patience is None:
            views, clicks = self._sums[:PLACES].tolist(), self._sums[PLACES:].tolist()
            rows = enumerate(zip(views, clicks, strict=True))
            self._patience = examined({position(k): {VIEWS: v, CLICKS: c} for k, (v, c) in rows})
        if math.isnan(self._patience):
            return None
        powers = np.array([0 if place is None else place for place in places], np.float64)
        return np.minimum(self._patience**-powers, MOST).astype(np.float32)
