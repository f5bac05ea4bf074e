"""Popular items: an order for users who are known, one for strangers, without what was consumed.

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
from udfs.models.popular.first import First
from udfs.models.popular.mixture import Mixture
from udfs.models.popular.popular_kernels import HALF_LIVES, LEVELS
from udfs.models.ranked import Ranked, no_lists

_FAR = 16  # places per slot that may be moved before sorting anew is faster


class Ordered(NamedTuple):
    """Living items in order.

    Attributes:
        order: int32[m], slots, the best first, ties by lower slot.
        shares: float32[I], by which they are in order, as a share of the largest.
    """

    order: NDArray[np.int32]
    shares: NDArray[np.float32]


class Popular(NamedTuple):
    """What is popular at one moment.

    Attributes:
        known: by popularity at the half-lives, for users who are known.
        strangers: by what strangers take, too, for those who are not.
        best: uint8[I], bit h where an item is among the first of level h: the half-lives, and the
            next attribute.
        first: float64[I], the chance of an item to be a stranger's first, see `First`.
    """

    known: Ordered
    strangers: Ordered
    best: NDArray[np.uint8]
    first: NDArray[np.float64]


def decayed_popularity(
    catalogue: Catalogue, now_ms: float, half_life_ms: float
) -> NDArray[np.float64]:
    """The popularity of each slot at `now_ms`: sum · 2^(−age / half-life), float64[size]; 0 for
    slots without a living item."""
    size = catalogue.size
    age = np.maximum(now_ms - catalogue.popularity_at[:size], 0.0)
    value: NDArray[np.float64] = catalogue.popularity[:size] * 2.0 ** (-age / half_life_ms)
    return value * catalogue.alive[:size]


class _Sorted:
    """Slots in order by shares, which is cheap to look at again."""

    def __init__(self, room: int, before: _Sorted | None = None) -> None:
        self._count: int = before._count if before else 0
        self._order, self._listed = np.zeros(room, np.int32), np.zeros(room, np.bool_)
        if before:
            self._order[: self._count] = before._order[: self._count]
        self.shares = np.zeros(room, np.float32)

    def sort(self, shown: NDArray[np.bool_]) -> Ordered:
        """The slots that are shown (bool[I]), by `shares`; arrays that the next call changes."""
        shares, last = self.shares[: len(shown)], (self._order, self._count, self._listed)
        far = _FAR * len(shown)
        count = popular_kernels.resort(shares, shown, *last, far) if self._count else -1
        if count < 0:
            order = np.argsort(-shares, kind="stable").astype(np.int32)
            order = order[shown[order]]
            count = len(order)
            self._order[:count] = order
        self._count = count
        return Ordered(self._order[:count], shares)


class Order:
    """The order by popularity of one catalogue."""

    def __init__(
        self, catalogue: Catalogue, half_life_ms: float, mixture: Mixture, first: First
    ) -> None:
        self._catalogue, self._half_life_ms = catalogue, half_life_ms
        self._mixture, self._first = mixture, first
        self._known, self._strangers = _Sorted(0), _Sorted(0)
        self._reserve(0)

    def _reserve(self, room: int) -> None:
        self._known, self._strangers = _Sorted(room, self._known), _Sorted(room, self._strangers)
        self._levels, self._best = np.zeros((LEVELS, room)), np.zeros(room, np.uint8)

    def look(self, now_ms: float) -> Popular:
        """Popularity at `now_ms`, in arrays that the next look changes."""
        c, size = self._catalogue, self._catalogue.size
        if size > len(self._best):
            self._reserve(c.room)
        shown, best, levels, mixture = (
            c.shown[:size],
            self._best[:size],
            self._levels,
            self._mixture,
        )
        given = popular_kernels.Sums(c.popularity, c.popularity_at, c.sums)
        popular_kernels.decay(given, shown, float(now_ms), self._half_life_ms, levels)
        popular_kernels.mix(levels, mixture.of_half_lives, self._known.shares[:size])
        known = strangers = self._known.sort(shown)
        first = levels[HALF_LIVES, :size]
        first[:] = self._first.chances(known.shares, c.keys[:size], now_ms)
        if not mixture.fixed:
            popular_kernels.mark_best(levels, size, best)
            popular_kernels.mix(levels, mixture.weights, self._strangers.shares[:size])
            strangers = self._strangers.sort(shown)
        return Popular(known, strangers, best, first)


def rank_by_popularity(
    popular: Popular, users: Users, slots: NDArray[np.int32], n: int, exclude: bool, least: int = 0
) -> Ranked:
    """The first `n` of `popular` for each user in `slots`; a slot of −1 is no particular user.
    Scores are the shares.

    Args:
        least: users with fewer events are strangers, as nobody in particular is.
    """
    items, scores = no_lists(len(slots), n)
    strange = (slots < 0) | (users.events[slots] < least)
    for at, by in ((~strange, popular.known), (strange, popular.strangers)):
        if at.any():
            found, listed = items[at], scores[at]  # copies: empty lists
            popular_kernels.first_unseen(
                by.order, len(by.shares), slots[at], exclude, users.view, found
            )
            listed[found >= 0] = by.shares[found[found >= 0]]
            items[at], scores[at] = found, listed
    return items, scores
