"""Trending items: those chosen more often now than their earlier popularity suggests.

In: the catalogue's decayed popularity, each time that the popular list is refreshed. Out: slots and
scores of one list, int32[1, N] and float32[1, N] as in `udfs.models.factors.search`, −1 where it is
shorter. Two copies of earlier popularity are kept in memory; there is no state and no work per
event.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from udfs.memory.catalogue import Catalogue
from udfs.memory.columns import Table, column
from udfs.models.popular.popular import decayed_popularity
from udfs.models.ranked import Ranked, listed

LEAST_SURPRISE = 4.0
"""The minimum `surprise` of a trending item."""
_UNSEEN = 0.5  # events, of Jeffreys' prior: what an unchosen item may lack by chance
_FLOOR = 4.0  # the minimum variance: a view, cart and purchase by one visitor are not a trend


def surprise(
    before: NDArray[np.float64], gained: NDArray[np.float64], noise: float = 0.0
) -> NDArray[np.float64]:
    """How many standard deviations each item has gained more than its share of all gains.

        r = G / (V + a),  e_i = r (v_i + a),  z_i = (g_i − e_i) / √(e_i (1 + r) + 4)

    with V = Σ v, G = Σ g, a = 1/2. If v_i counts the events of an item, its rate is distributed as
    Gamma(v_i + a, 1) (Jeffreys' prior), and what comes in r times that exposure as the negative
    binomial of mean e_i and variance e_i (1 + r): Gelman et al., *Bayesian Data Analysis*, 2.6.
    Since everything is relative to G, growth of the whole catalogue is not a trend.

    Args:
        before, gained: v and g, float64[I], at least 0, in events of weight 1.
        noise: what noise in both adds to the variance of g − e.

    One item of three is chosen so much more that the others' shares fall:

    >>> surprise(np.array([30.0, 30, 30]), np.array([40.0, 20, 120])).round(1).tolist()
    [-1.5, -3.0, 4.4]
    """
    r = gained.sum() / (before.sum() + _UNSEEN)
    expected = r * (before + _UNSEEN)
    result: NDArray[np.float64] = (gained - expected) / np.sqrt(expected * (1 + r) + _FLOOR + noise)
    return result


class Trending(Table):
    """One subtask's memory of earlier popularity: a table to attach to the catalogue.

    Snapshots are taken at the first look in each window of event time, counted from 1970 so that
    all subtasks take them together. Popularity is compared with the last but one, which is one to
    two windows old, less after a start, more if event time jumps.

    Attributes:
        before, latest: float64[I] twice, popularity at the last but one snapshot and at the last;
            the same if there is only one.
    """

    before = column(np.float64)
    latest = column(np.float64)

    def __init__(self, window_ms: float, half_life_ms: float) -> None:
        self._window_ms, self._half_life_ms = window_ms, half_life_ms
        super().__init__()
        self._taken: list[float] = []  # event times in ms: at most two, the older one first

    def forget(self) -> None:
        """Start again: everything popular at the next look counts as popular before."""
        self._taken = []

    def look(self, catalogue: Catalogue, clock_ms: float, n: int) -> Ranked:
        """The first `n` of `order`, as one list."""
        return listed(*self.order(catalogue, clock_ms), n)

    def order(
        self, catalogue: Catalogue, clock_ms: float
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """The items with a `surprise` of `LEAST_SURPRISE` or more, the largest first, ties by lower
        slot, and shares of the largest: int32[m], float32[m].

        Args:
            clock_ms: the newest event time, never less than before.
        """
        value = decayed_popularity(catalogue, clock_ms, self._half_life_ms)
        self._note(clock_ms, value)
        before = self.before[: len(value)]
        left = 2.0 ** (-(clock_ms - self._taken[0]) / self._half_life_ms)
        found = surprise(before, np.maximum(value - before * left, 0.0))
        at = np.flatnonzero((found >= LEAST_SURPRISE) & catalogue.shown[: len(found)])
        at = at[np.argsort(-found[at], kind="stable")].astype(np.int32)
        return at, np.asarray(found[at] / found[at].max(initial=LEAST_SURPRISE), np.float32)

    def _note(self, now_ms: float, value: NDArray[np.float64]) -> None:
        last = self._taken[-1:]
        if not last or now_ms // self._window_ms > last[0] // self._window_ms:
            self._taken = [*last, now_ms]
            self.before[: len(value)] = self.latest[: len(value)] if last else value
            self.latest[: len(value)] = value
