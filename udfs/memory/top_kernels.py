"""The compiled loops that keep the best of many scores.

In: scores; out: slots and scores, best first. Names of sizes: `I` catalogue slots, `N` items of a
list.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

import numpy as np

from udfs.compiling import njit


@njit(cache=True, nogil=True, inline="always")
def insert(item, score, items, scores):
    """Put a score into the descending `scores` of a row, where the last one yields to it."""
    k = items.shape[0] - 1
    while k > 0 and (scores[k - 1] < score or (scores[k - 1] == score and items[k - 1] > item)):
        scores[k] = scores[k - 1]
        items[k] = items[k - 1]
        k -= 1
    scores[k] = score
    items[k] = item


@njit(cache=True, nogil=True)
def top_n(scores, alive, items, best):
    """The best living items of each row of `scores` (float32[rows, I]), equal ones by lower slot.

    Args:
        alive: bool[I]. items, best: int32[rows, N], float32[rows, N], set; −1 and −inf where a row
            has fewer than N items.
    """
    n = items.shape[1]
    for r in range(scores.shape[0]):
        items[r, :] = -1
        best[r, :] = -np.inf
        for j in range(scores.shape[1]):
            if scores[r, j] > best[r, n - 1] and alive[j]:
                insert(j, scores[r, j], items[r], best[r])
