"""What users of the video platform do with a video that they begin, by how well it suits them.

In: affinities, and a seeded generator. Out: the watched fraction of each, its stars, and whether it
becomes a favourite. Pure functions; whether a video is begun is decided by `simulator.truth`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flink_app.simulator.truth import click_probability

NEXT = 0.45
"""How much better an episode suits a user who has watched the one before."""
AMIDST = 0.6
"""How much worse it suits one who has not."""
AGAIN = 1.0
"""How much worse a video suits a user who has watched it to its end."""
WATCHED = 0.9
"""The fraction from which a video counts as watched to its end."""
PEEK = 0.2
"""The fraction below which a video was given up."""

_RATED = 0.15
_FAVOURITE = 0.3


def fractions(random: np.random.Generator, affinity: NDArray[np.float32]) -> NDArray[np.float64]:
    """How much of each video is watched in one go, (n,) float64 in 0.01 to 1, three decimals.

    A video is watched to its end with probability σ(8 (a − 0.45)), and is otherwise given up after
    a fraction that rises with affinity: the mean is 0.1 for a video that does not suit at all, 0.5
    for one that does.
    """
    count = len(affinity)
    likes = 1.0 / (1.0 + np.exp(-8.0 * (affinity.astype(np.float64) - 0.45)))
    ended = random.random(count) < likes
    some = random.beta(1.0 + 3.0 * likes, 9.0 - 5.0 * likes)
    whole = 1.0 - (1.0 - WATCHED) * random.random(count)
    found: NDArray[np.float64] = np.where(ended, whole, np.minimum(some, WATCHED - 0.01))
    return np.maximum(np.round(found, 3), 0.01)


def stars(random: np.random.Generator, affinity: NDArray[np.float32]) -> NDArray[np.int64]:
    """The rating of each video, (n,) int64: 1 to 5, or 0 for none, as most of them are.

    It is round(3 + 4 (a − 0.5) + noise) of one video in seven, with a standard deviation of 0.7.
    """
    rated = random.random(len(affinity)) < _RATED
    noise = 0.7 * random.standard_normal(len(affinity))
    given = np.clip(np.round(3.0 + 4.0 * (affinity - 0.5) + noise), 1, 5)
    found: NDArray[np.int64] = (given * rated).astype(np.int64)
    return found


def favourites(
    random: np.random.Generator, affinity: NDArray[np.float32], watched: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Which videos become favourites, (n,) bool: 0.3 × the probability of a click, of those that
    were watched to their end; watched: (n,) float64 fractions."""
    chance = _FAVOURITE * click_probability(affinity) * (watched >= WATCHED)
    found: NDArray[np.bool_] = random.random(len(affinity)) < chance
    return found
