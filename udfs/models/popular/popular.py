"""Popular items: the same order for everybody, without what each user has consumed.

In: a `Catalogue`, `Users` and cache slots. Out: `(slots, scores)` as parallel arrays, int32[n, N]
and float32[n, N], best first, −1 where a list is shorter; scores in 0 to 1.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from udfs.memory.catalogue import Catalogue
from udfs.memory.users import Users
from udfs.models.popular import popular_kernels
from udfs.models.ranked import Ranked, no_lists

_FAR = 16  # places per slot that may be moved before sorting anew is faster


class Popular(NamedTuple):
    """Living items by decayed popularity at one moment.

    Attributes:
        order: int32[m], slots, the most popular first, ties by lower slot.
        shares: float32[I], popularity as a share of the largest.
    """

    order: NDArray[np.int32]
    shares: NDArray[np.float32]


def decayed_popularity(
    catalogue: Catalogue, now_ms: float, half_life_ms: float
) -> NDArray[np.float64]:
    """The popularity of each slot at `now_ms`: sum · 2^(−age / half-life), float64[size]; 0 for
    slots without a living item."""
    size = catalogue.size
    age = np.maximum(now_ms - catalogue.popularity_at[:size], 0.0)
    value: NDArray[np.float64] = catalogue.popularity[:size] * 2.0 ** (-age / half_life_ms)
    return value * catalogue.alive[:size]


def by_popularity(catalogue: Catalogue, now_ms: float, half_life_ms: float) -> Popular:
    """Popularity at `now_ms`, divided by the maximum."""
    value = decayed_popularity(catalogue, now_ms, half_life_ms)
    shares = np.asarray(value / max(float(value.max(initial=0.0)), 1e-300), np.float32)
    order = np.argsort(-shares, kind="stable").astype(np.int32)
    return Popular(order[catalogue.alive[order]], shares)


class Order:
    """The order by popularity of one catalogue, which is cheap to look at again."""

    def __init__(self, catalogue: Catalogue, half_life_ms: float) -> None:
        self._catalogue, self._half_life_ms, self._count = catalogue, half_life_ms, 0
        self._order = np.zeros(0, np.int32)
        self._reserve(0)

    def _reserve(self, room: int) -> None:
        order = np.zeros(room, np.int32)
        order[: self._count] = self._order[: self._count]
        self._order, self._listed = order, np.zeros(room, np.bool_)
        self._value, self._shares = np.zeros(room), np.zeros(room, np.float32)

    def look(self, now_ms: float) -> Popular:
        """The same as `by_popularity`, in arrays that the next look changes."""
        c, size = self._catalogue, self._catalogue.size
        if size > len(self._order):
            self._reserve(c.room)
        alive, shares, value = c.alive[:size], self._shares[:size], self._value[:size]
        given = c.popularity[:size], c.popularity_at[:size], alive
        popular_kernels.decay(*given, float(now_ms), self._half_life_ms, value, shares)
        last = self._order, self._count, self._listed
        count = popular_kernels.resort(shares, alive, *last, _FAR * size) if self._count else -1
        if count < 0:
            order = np.argsort(-shares, kind="stable").astype(np.int32)
            order = order[alive[order]]
            count = len(order)
            self._order[:count] = order
        self._count = count
        return Popular(self._order[:count], shares)


def rank_by_popularity(
    popular: Popular, users: Users, slots: NDArray[np.int32], n: int, exclude: bool
) -> Ranked:
    """The first `n` of `popular` for each user in `slots`; a slot of −1 is no particular user.
    Scores are the shares."""
    items, scores = no_lists(len(slots), n)
    popular_kernels.first_unseen(
        popular.order, len(popular.shares), slots, exclude, users.view, items
    )
    found = items >= 0
    scores[found] = popular.shares[items[found]]
    return items, scores
