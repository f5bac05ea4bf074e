"""The compiled selection of the users most like another: the best of some hundred weights.

In: users and their weights; out: the best of them, in place. A sorted list kept by insertion would
move half of its entries for each newcomer; here loops without a branch count, which is vectorised.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

import numpy as np

from udfs.compiling import njit


@njit(cache=True, nogil=True, _nrt=False)
def _at_least(bits, count, least):
    """How many of the first `count` of `bits` are `least` or more."""
    found = np.int32(0)
    for k in range(count):
        found = np.int32(found + np.int32(bits[k] >= least))
    return found


@njit(cache=True, nogil=True, _nrt=False)
def _kth(bits, count, n):
    """The n-th largest of the first `count` of `bits` (int32, above 0): the largest number that at
    least n of them reach, found bit by bit."""
    reached = np.int32(0)
    for shift in range(30, -1, -1):
        tried = np.int32(reached | np.int32(1 << shift))
        if _at_least(bits, count, tried) >= n:
            reached = tried
    return reached


@njit(cache=True, nogil=True, _nrt=False)
def _reaching(users, bits, count, most):
    """Keep those above the `most`-th weight, and of those that equal it the ones among the first
    `most` that reach it; returns how many."""
    least = _kth(bits, count, most)
    kept = reached = 0
    for k in range(count):
        user, weight = users[k], bits[k]
        users[kept], bits[kept] = user, weight
        kept += (weight > least) | ((weight == least) & (reached < most))
        reached += weight >= least
    return kept


@njit(cache=True, nogil=True)
def closest(users, weights, count, most):
    """Move the `most` users with the largest weights to the front, largest first, equal ones by
    lower slot.

    Of those as large as the last one, the ones among the first `most` that reach it are preferred,
    and of these the lower slots: what a sorted list filled in this order keeps.

    Args:
        users, weights: int32[…], float32[…] above 0, of which the first `count` count; changed.

    Returns: how many there are, at most `most`.
    """
    bits = weights.view(np.int32)  # the same order, above 0, and vectorised
    if count > most:
        count = _reaching(users, bits, count, most)
    chosen, order = np.empty(count, np.int32), np.empty(count, np.int32)
    for k in range(count):
        chosen[k], order[k] = users[k], bits[k]
    for k in range(count):
        user, weight, before = chosen[k], order[k], np.int32(0)
        for n in range(count):
            ahead = (order[n] > weight) | ((order[n] == weight) & (chosen[n] < user))
            before = np.int32(before + np.int32(ahead))
        users[before], bits[before] = user, weight
    return min(count, most)
