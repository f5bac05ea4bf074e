"""The compiled loop of exploration: which new items get places of lists, and which places.

In: candidates of each list, what users like, how often items were taken and offered. Out: lists
with some of them, changed in place. See `udfs.ranking.steps.explore` for the rule; its plain twin
is in the tests. Names of sizes: `I` catalogue slots, `A` candidates, `N` items of a list.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from udfs.compiling import njit
from udfs.memory.random_kernels import next_random
from udfs.models.content.group_kernels import product
from udfs.models.content.near_kernels import LENGTH

STEEP = 40.0
"""An item whose cosine is .1 less is offered e^−4 = 1/55 as often."""
LIKELY = 0.05
"""p: with which probability an item is taken when it is offered to those it is for."""
SURE = 0.5
"""a: an item was offered in vain a / p = 10 times before it is offered half as often."""
FIRST = 10.0
"""How many times as often an item is offered that has not been offered yet."""


class Offer(NamedTuple):
    """What may be explored.

    Attributes:
        found: int32[rows, A], −1 for none. profiles, vectors: int16[rows, WIDTH], int8[I, WIDTH].
        events, tried: int64[I], how many events items have, and how often they were offered.
        counts: whether `tried` counts what is chosen; if not, it is told what was seen.
        sums: float64[I, 4], the last of which is how often an item was taken, by weight.
        limit: from how many events on an item is not new. places: of each list, above 0.
        n: of how many places. source: what explored items come from, a position in `SOURCES`.
    """

    found: Any
    profiles: Any
    vectors: Any
    events: Any
    tried: Any
    counts: bool
    sums: Any
    limit: int
    places: float
    n: int
    source: int


@njit(cache=True, nogil=True, _nrt=False)
def uniform(random):
    """A number above 0, at most 1."""
    return (np.float64(next_random(random) >> np.uint64(11)) + 1.0) / 9007199254740992.0


@njit(cache=True, nogil=True, _nrt=False)
def rate(row, j, offer):
    """r_j of an item for a list."""
    tried = np.float64(offer.tried[j])
    alike = np.float64(product(row, offer.profiles, np.uint32(j), offer.vectors))
    fits = np.exp(STEEP * (alike / (127.0 * LENGTH) - 1.0))
    if tried == 0.0:
        return FIRST * fits
    return fits * (SURE + min(offer.sums[j, 3], tried)) / (SURE + LIKELY * tried)


@njit(cache=True, nogil=True)
def explore(offer, items, scores, models, reasons, random, chosen, chances):
    """Put new items into lists.

    Args:
        offer: `Offer`. items, scores, models, reasons: of lists, as in `Told`, changed.
        random: uint64[1], the generator's state.
        chosen, chances: int32[rows, m], float32[rows, m], set: what was chosen, −1 for nothing, and
            with which probability, given those before it.

    Returns: how many were chosen.
    """
    total, most = 0, offer.found.shape[1]
    rates = np.empty(most)
    chosen[:], chances[:] = -1, np.float32(0.0)
    for row in range(items.shape[0]):
        count = 0
        for k in range(offer.n):
            count += items[row, k] >= 0
        if count < 2:
            continue
        for a in range(most):
            j = offer.found[row, a]
            fresh = j >= 0 and offer.events[j] < offer.limit
            for k in range(items.shape[1] if fresh else 0):
                fresh &= items[row, k] != j
            rates[a] = rate(row, j, offer) if fresh else 0.0
        for k in range(chosen.shape[1]):
            lucky = uniform(random) <= offer.places - k  # the last may be part of a place
            whole, best, soonest = 0.0, -1, np.inf
            for a in range(most if lucky else 0):
                if rates[a] > 0.0:
                    whole += rates[a]
                    waiting = -np.log(uniform(random)) / rates[a]
                    if best < 0 or waiting < soonest:
                        best, soonest = a, waiting
            if best < 0:
                continue
            j = offer.found[row, best]
            chosen[row, k], chances[row, k] = j, rates[best] / whole
            rates[best] = 0.0
            offer.tried[j] += offer.counts
            total += 1
            place = 1 + np.int64(next_random(random) % np.uint64(count - 1))
            _insert(row, place, j, offer.source, items, scores, models, reasons)
    return total


@njit(cache=True, nogil=True)
def find(items, chosen, chances, out):
    """Set `out` (float32[rows, N], 0) to the chance of each item of the lists that was chosen."""
    for row in range(items.shape[0]):
        for c in range(chosen.shape[1]):
            for k in range(items.shape[1]):
                if chosen[row, c] >= 0 and items[row, k] == chosen[row, c]:
                    out[row, k] = chances[row, c]


@njit(cache=True, nogil=True, _nrt=False)
def _insert(row, place, item, source, items, scores, models, reasons):
    """Put an item at a place of a list, with the score that stands there; what follows moves on,
    and the last leaves."""
    for k in range(items.shape[1] - 1, place, -1):
        items[row, k], scores[row, k] = items[row, k - 1], scores[row, k - 1]
        models[row, k] = models[row, k - 1]
        for r in range(reasons.shape[2]):
            reasons[row, k, r] = reasons[row, k - 1, r]
    items[row, place], models[row, place] = item, source
    for r in range(reasons.shape[2]):
        reasons[row, place, r] = -1
