"""The ranker's features of what items are: how like what a user likes, and how new.

In: vectors of items and of users (`udfs.models.content`); out: a row of features, float32 by
candidate. Where no item is described, all are exactly 0: the ranker then learns nothing of them,
and lists are as if there were no such feature.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from udfs.compiling import njit
from udfs.memory.prefetch import prefetch
from udfs.models.content.group_kernels import ITEMS, product
from udfs.models.content.near_kernels import LENGTH
from udfs.ranking.feature_kernels import fills, prices

_AHEAD = 8  # candidates from now whose vectors are asked for


class Likeness(NamedTuple):
    """κ / (n_j + κ) · c_j for an item of n_j events, c_j the cosine of its vector and the user's,
    −1 to 1; 0 for one that is not described.

    Attributes:
        vectors, counts, profiles: as in `Groups` and `Alike`. events: int64[I], n. fade: κ > 0.
    """

    vectors: Any
    counts: Any
    profiles: Any
    events: Any
    fade: float


class New(NamedTuple):
    """1 / (1 + n_j) for a described item of n_j events, 0 for others.

    Attributes:
        of, counts: as in `Groups`. events: int64[I], n.
    """

    of: Any
    counts: Any
    events: Any


@njit(cache=True, nogil=True, _nrt=False)
def fill_likeness(view, row, user, slots, count, shares, out):
    """See `Likeness`."""
    if view.counts[ITEMS] == 0:
        out[:count] = np.float32(0.0)
        return
    vectors, profiles, events = view.vectors, view.profiles, view.events
    fade = np.float32(view.fade)
    scale = fade / (np.float32(127.0) * LENGTH)
    for k in range(count):
        if k + _AHEAD < count:
            prefetch(vectors, slots[k + _AHEAD], 0)
        j = np.uint32(slots[k])
        fallen = scale / (np.float32(events[j]) + fade)
        out[k] = np.float32(product(row, profiles, j, vectors)) * fallen


@njit(cache=True, nogil=True, _nrt=False)
def price_new(view, slots, out):
    """See `New`."""
    of, events, some = view.of, view.events, view.counts[ITEMS] > 0
    for k in range(slots.shape[0]):
        j = np.uint32(slots[k])
        out[k] = 1.0 / (1.0 + events[j]) if some and of[j] > 0 else 0.0


fills(Likeness, fill_likeness)
prices(New, price_new)
