"""The compiled loops of re-ranking: chances as logarithms, and lists in their new order.

In: lists of candidates; out: `values`, which the steps change, and the lists that follow from them.
Names of sizes: `M` candidates of a list, `K` items that are left, `R` reasons of one.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

import numpy as np

from udfs.compiling import njit

LOWEST = 1e-6
"""The least score that counts: of what is below, only the order is known."""


@njit(cache=True, nogil=True)
def begin(items, scores, values):
    """Set `values` (float32[rows, M]) to the logarithms of scores, −inf where a list has ended.

    Args:
        items, scores: int32[rows, M], float32[rows, M], as in `Lists`.
    """
    for r in range(items.shape[0]):
        for k in range(items.shape[1]):
            if items[r, k] < 0:
                values[r, k] = -np.inf
            else:
                values[r, k] = np.log(max(scores[r, k], np.float32(LOWEST)))


@njit(cache=True, nogil=True, _nrt=False)
def sort(values, count, order):
    """Set `order` to the first `count` places of `values`, the largest first, equal ones as they
    stood."""
    for k in range(count):
        at = k
        while at > 0 and values[order[at - 1]] < values[k]:
            order[at] = order[at - 1]
            at -= 1
        order[at] = k


@njit(cache=True, nogil=True, _nrt=False)
def settle(values, count, order, at):
    """Move what stands at a place of an `order` down to where its value, which has fallen, belongs.

    So a greedy search need not look at all candidates for each choice, if what one is worth only
    falls: what the first is worth is computed again, and if it stays the first, it is the best
    (Minoux 1978).
    """
    k = order[at]
    while at + 1 < count and values[order[at + 1]] > values[k]:
        order[at] = order[at + 1]
        at += 1
    order[at] = k


@njit(cache=True, nogil=True)
def arrange(values, given, out):
    """Set lists to the K candidates of the largest values.

    Args:
        values: float32[rows, M]. given: items, scores, models, reasons of the candidates, as in
            `Told`. out: the same of K items, set; scores are e^(value − largest), times the score
            that the list began with.
    """
    items, scores, models, reasons = given
    found, chances, sources, whys = out
    order = np.empty(values.shape[1], np.int32)
    for r in range(items.shape[0]):
        sort(values[r], values.shape[1], order)
        top, first = values[r, order[0]], scores[r, 0]
        for at in range(found.shape[1]):
            k = order[at]
            found[r, at], sources[r, at] = items[r, k], models[r, k]
            for w in range(reasons.shape[2]):
                whys[r, at, w] = reasons[r, k, w]
            if items[r, k] >= 0:
                chances[r, at] = np.exp(values[r, k] - top) * first
            else:
                chances[r, at] = -np.inf
