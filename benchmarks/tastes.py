"""Structured events and factors of any size, in seconds: users with tastes, items of kinds.

In: numbers of users, items, events. Out: arrays. `flink_app.simulator.zipf` draws users and items
independently, so that factors learned from it are meaningless; the recall of a search can only be
judged on meaningful factors.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flink_app.simulator.truth import unit, zipf_weights

KINDS = 200
_OWN = 3  # kinds that a user likes
_STRAY = 0.1  # share of events independent of taste
_NEAR = 0.6  # length of an item's own component, relative to that of its kind


def events(
    count: int, users: int, items: int, seed: int = 1
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """`count` events: users, int64[count], and items, int64[count].

    Users and the items within a kind are drawn by Zipf's law; item k is of kind k mod `KINDS`, and
    a user likes three kinds. One event in ten is on any item, by Zipf's law.

    >>> users, items = events(1000, users=50, items=2000)
    >>> int(users.max()) < 50, int(items.max()) < 2000
    (True, True)
    """
    rng = np.random.default_rng(seed)
    kinds = min(KINDS, items)
    who = _zipf(rng, users, count)
    liked = rng.integers(0, kinds, (users, _OWN))
    kind = liked[who, rng.integers(0, _OWN, count)]
    what = _zipf(rng, items // kinds, count) * kinds + kind
    stray = rng.random(count) < _STRAY
    what[stray] = _zipf(rng, items, int(stray.sum()))
    return who, what


def factors(
    count: int, dimensions: int, seed: int = 1, *, structured: bool = True
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Factors like those learned from such events: q, float32[count, d]; biases, float32[count].

    An item is near the direction of its kind; biases fall with the logarithm of the rank, from 9
    to −1. Without structure, directions are independent and biases similar: the worst case for any
    search.
    """
    rng = np.random.default_rng(seed)
    own = unit(rng.standard_normal((count, dimensions), np.float32))
    length = rng.uniform(0.8, 2.4, (count, 1)).astype(np.float32)
    bias = rng.normal(0, 0.4, count)
    if structured:
        centres = unit(rng.standard_normal((KINDS, dimensions), np.float32))
        own = unit(centres[np.arange(count) % KINDS] + np.float32(_NEAR) * own)
        bias += 3.0 - 4.0 * np.log(np.arange(count) // KINDS + 1.0) / np.log(max(count // KINDS, 2))
        bias[:20] += 6.0
    return length * own, bias.astype(np.float32)


def _zipf(rng: np.random.Generator, size: int, count: int) -> NDArray[np.int64]:
    sums = np.cumsum(zipf_weights(np.arange(size), 1.0))
    found: NDArray[np.int64] = np.searchsorted(sums, rng.random(count) * sums[-1])
    return np.minimum(found, size - 1)
