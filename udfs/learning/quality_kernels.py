"""The compiled loops that count how good tested lists were.

In: ranked slots, and what the users chose. Out: sums of measures, and the slots shown for the first
time. `udfs.learning.quality.sums` gives the same in NumPy. Names of sizes: `n` lists of `N` items.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from udfs.compiling import njit

TOP = 10  # of MRR, NDCG, novelty and coverage
LONG = 20  # of the other MRR, by which lists for sessions are compared elsewhere


class Result(NamedTuple):
    """What is counted.

    Attributes:
        sums: float64[9], one for each of `quality.MEASURES`, added to.
        fresh: int32[10·n], set: slots among the first 10 that had not been seen.
        seen: bool[I], set.
    """

    sums: NDArray[np.float64]
    fresh: NDArray[np.int32]
    seen: NDArray[np.bool_]


@njit(cache=True, nogil=True)
def all_events(events, size):
    """The events of all items, each counted once at least: events int64[I], of the first `size`."""
    total = 0
    for j in range(size):
        total += max(events[j], 1)
    return total


@njit(cache=True, nogil=True)
def score(items, wanted, events, total, cuts, result):
    """Add the measures of n tests; returns how many slots are fresh.

    Args:
        items: int32[n, N], the lists, −1 where one ends. wanted: int32[n], what the user chose, −1
            if nobody had before. events: int64[I]. total: `all_events`.
        cuts: int64[4], the k of recall@k. result: `Result`.
    """
    sums, count = result.sums, 0
    for r in range(items.shape[0]):
        rank, surprise, shown = 0, 0.0, 0
        for k in range(items.shape[1]):
            j = items[r, k]
            if j < 0:
                continue
            if not rank and j == wanted[r]:
                rank = k + 1
            if k < TOP:
                surprise -= np.log2(max(events[j], 1) / total)
                shown += 1
                if not result.seen[j]:
                    result.seen[j] = True
                    result.fresh[count] = j
                    count += 1
        sums[0] += 1.0
        for c in range(len(cuts)):
            sums[1 + c] += 0 < rank <= cuts[c]
        if 0 < rank <= LONG:
            sums[6] += 1.0 / rank
        if 0 < rank <= TOP:
            sums[5] += 1.0 / rank
            sums[7] += 1.0 / np.log2(rank + 1)
        sums[8] += surprise / max(shown, 1)
    return count
