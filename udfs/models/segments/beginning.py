"""Scores of items for users of whom no event is known: what all take first, and their segments.

In: the chances of what strangers take, counts by segment. Out: a `Beginning`, good until popularity
is looked at again, and from it the score of each candidate for a set of segments.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from udfs.models.popular.first import BUCKETS
from udfs.models.segments.counts import Counts

CANDIDATES = 5000
"""Items that are looked at: the first by what all users take first."""
SHRINK_ALL, SHRINK = 10.0, 100.0
"""Events at which counts weigh as much as what they are shrunk to: early events of all users, to
what strangers take; those of a segment, to those of all users."""
_LEAST = 1e-12


class Beginning(NamedTuple):
    """What all users begin with.

    Attributes:
        items: int32[C], slots, the best for all first. base: float64[C], logarithms of their
            chances.
        places: int[C], their buckets. early: float64[BUCKETS], the chance of each bucket among the
            early events of all users.
        lifts: what was found of segments, float64[BUCKETS] by number.
    """

    items: NDArray[np.int32]
    base: NDArray[np.float64]
    places: NDArray[np.intp]
    early: NDArray[np.float64]
    lifts: dict[int, NDArray[np.float64]]


def shrunk(
    counts: NDArray[np.float64], chances: NDArray[np.float64], events: float
) -> NDArray[np.float64]:
    """Chances by counts, shrunk to given ones: (c + κ p) / (Σ c + κ), the mean of a Dirichlet
    posterior; κ = `events`.

    >>> shrunk(np.array([3.0, 0.0]), np.array([0.5, 0.5]), 1.0).tolist()
    [0.875, 0.125]
    """
    found: NDArray[np.float64] = (counts + events * chances) / (counts.sum() + events)
    return found


def begin(
    first: NDArray[np.float64], places: NDArray[np.intp], counts: Counts, now_ms: float
) -> Beginning:
    """What all users begin with.

    Args:
        first: float64[I], the chances of what strangers take, see `udfs.models.popular.first`;
            0: not to be listed. places: int[I], buckets.
    """
    order = np.argsort(-first, kind="stable")[:CANDIDATES]
    order = order[first[order] > 0]
    of_bucket = np.bincount(places, first, BUCKETS) + _LEAST
    chances = shrunk(counts.now(0, now_ms), of_bucket, SHRINK_ALL)
    base = np.log(np.maximum(first[order], _LEAST))
    return Beginning(order.astype(np.int32), base, places[order], chances, {})


def scores(
    beginning: Beginning, numbers: list[int], counts: Counts, now_ms: float
) -> NDArray[np.float64]:
    """Logarithms of the chances of `beginning.items` for a user of some segments, float64[C].

        z_j = b_j + Σ_g log(s_g / e) / √k

    over the k segments g, s_g: the chance of the item's bucket among their early events, shrunk to
    e, that among the early events of all. Segments are not independent, as naive Bayes would have
    them: the root damps what several of them say.
    """
    z = beginning.base.copy()
    for number in numbers:
        if number not in beginning.lifts:
            chances = shrunk(counts.now(number, now_ms), beginning.early, SHRINK)
            beginning.lifts[number] = np.log(chances / beginning.early)
        z += beginning.lifts[number][beginning.places] / np.sqrt(len(numbers))
    return z
