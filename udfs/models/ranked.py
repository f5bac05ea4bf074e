"""Ranked slots as parallel arrays: what sources and the ranker return.

In: nothing. Out: `Ranked`, lists of one source, and `Lists`, whose items come from several.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from udfs.options.sources import position

Ranked = tuple[NDArray[np.int32], NDArray[np.float32]]
"""Slots and scores, int32[n, N] and float32[n, N]: the lists of one source."""


class Lists(NamedTuple):
    """n lists, best first.

    Attributes:
        items, scores: int32[n, N], float32[n, N] in 0 to 1; −1 where a list is shorter.
        models: int8[n, N], the source that put each item there, a position in `SOURCES`.
    """

    items: NDArray[np.int32]
    scores: NDArray[np.float32]
    models: NDArray[np.int8]

    def part(self, begin: int, end: int | None = None) -> Lists:
        """The items from place `begin` to place `end` − 1 of each list."""
        return Lists(*(np.ascontiguousarray(array[:, begin:end]) for array in self))

    def first(self, n: int) -> Lists:
        """The first n items of each list."""
        return self if self.items.shape[1] <= n else self.part(0, n)


class Told(NamedTuple):
    """n lists with what is told of them.

    Attributes:
        items, scores, models: as in `Lists`.
        reasons: int32[n, N, R], history items that explain each item, −1 where there are fewer.
        consumed: int32[n, K], popular items that the user of each list has consumed, −1 where there
            are fewer.
    """

    items: NDArray[np.int32]
    scores: NDArray[np.float32]
    models: NDArray[np.int8]
    reasons: NDArray[np.int32]
    consumed: NDArray[np.int32]

    @property
    def lists(self) -> Lists:
        """The lists alone."""
        return Lists(self.items, self.scores, self.models)


class Served(NamedTuple):
    """The same as `Told`, as served.

    Attributes:
        explored: float32[n, N], with which probability an item was put where it stands to become
            known; 0: it stands there for the user's sake. None: nothing was explored.
        teams: int8[n, N], whose items of two orders that were interleaved, see
            `udfs.ranking.interleaving`. None: there was one order.
    """

    items: NDArray[np.int32]
    scores: NDArray[np.float32]
    models: NDArray[np.int8]
    reasons: NDArray[np.int32]
    consumed: NDArray[np.int32]
    explored: NDArray[np.float32] | None = None
    teams: NDArray[np.int8] | None = None

    @property
    def lists(self) -> Lists:
        """The lists alone."""
        return Lists(self.items, self.scores, self.models)


def no_lists(rows: int, n: int) -> Ranked:
    """Arrays for `rows` lists of `n` items, all empty."""
    # `np.full` takes three times as long, which counts where a list is made for one user.
    items, scores = np.empty((rows, n), np.int32), np.empty((rows, n), np.float32)
    items.fill(-1)
    scores.fill(-np.inf)
    return items, scores


def listed(order: NDArray[np.int32], scores: NDArray[np.float32], n: int) -> Ranked:
    """The first `n` of an order, int32[m] and float32[m], as one list."""
    items, found = no_lists(1, n)
    items[0, : len(order)], found[0, : len(order)] = order[:n], scores[:n]
    return items, found


def of_one(ranked: Ranked, source: str) -> Lists:
    """Lists that come from only one of `SOURCES`."""
    items, scores = ranked
    return Lists(items, scores, np.full(items.shape, position(source), np.int8))
