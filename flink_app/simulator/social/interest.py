"""The truth of the simulated network: how well a post suits a user, and what a user does with it.

In: arrays of tastes that meet vectors, ages, follows and shares. Out: affinities and probabilities.
Pure functions; the callers make the random draws.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flink_app.simulator.truth import click_probability

FOLLOWED = 0.25
"""What a post gains whose author the user follows."""
FADE = 0.4
"""What a post loses that is very old."""
HALF = 0.15
"""After which share of the mean lifetime half of that is lost: 108 minutes of twelve hours."""
SHARED, MOST_SHARED = 0.03, 0.1
"""What a post gains by each e-fold of its shares, and at most: cascades are small."""
GONE = -float("inf")
"""The affinity of a post that is not shown any more, or is the user's own: nobody takes it."""


def faded(ages: ArrayLike) -> NDArray[np.float64]:
    """What posts lose by their age, `FADE` (1 − 2^(−age / `HALF`)).

    ages: any shape, as shares of the mean lifetime, at least 0. Returns the same shape, float64.

    >>> faded([0.0, 0.15, 1.5]).round(3).tolist()
    [0.0, 0.2, 0.4]
    """
    lost: NDArray[np.float64] = FADE * (1.0 - 2.0 ** (-np.asarray(ages, np.float64) / HALF))
    return lost


def spread(shares: ArrayLike) -> NDArray[np.float64]:
    """What posts gain by being shared, `SHARED` log(1 + shares), at most `MOST_SHARED`.

    shares: any shape, at least 0. Returns the same shape, float64.

    >>> spread([0, 1, 1000]).round(3).tolist()
    [0.0, 0.021, 0.1]
    """
    gained: NDArray[np.float64] = SHARED * np.log1p(np.asarray(shares, np.float64))
    return np.minimum(gained, MOST_SHARED)


def like_probability(affinity: ArrayLike) -> NDArray[np.float64]:
    """Probability that a viewed post is liked: 0.6 × that of a click, same shape."""
    return 0.6 * click_probability(affinity)


def comment_probability(affinity: ArrayLike) -> NDArray[np.float64]:
    """Probability that a viewed post gets a comment: 0.2 × that of a click, same shape."""
    return 0.2 * click_probability(affinity)


def share_probability(affinity: ArrayLike) -> NDArray[np.float64]:
    """Probability that a viewed post is shared: 0.1 × that of a click, same shape."""
    return 0.1 * click_probability(affinity)
