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
