"""Durations, counted by how long they are.

In: durations in ms. Out: counts by bins of `EDGES`, which can be added, and their quantiles.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

EDGES = 1.1 ** np.arange(0, 160)
"""Upper edges of the freshness histogram, ms: float64[160], 1 ms to an hour, each 10 % wider."""
_EDGES = EDGES.tolist()
_FEW = 40  # durations: up to so many, a loop is faster than arrays


def add(counts: dict[int, int], ms: Sequence[int]) -> None:
    """Count durations, by bin of `EDGES`, in addition to those of `counts`."""
    if len(ms) > _FEW:
        for index, count in histogram(ms).items():
            counts[index] = counts.get(index, 0) + count
        return
    for one in ms:
        index = min(bisect_left(_EDGES, one), len(_EDGES) - 1)
        counts[index] = counts.get(index, 0) + 1


def histogram(ms: ArrayLike) -> dict[int, int]:
    """Durations in ms, shape (n,), as counts by bin of `EDGES`.

    >>> histogram([0.5, 10.0, 10.1])
    {0: 1, 25: 2}
    """
    bins = np.searchsorted(EDGES, np.asarray(ms, np.float64)).clip(max=len(EDGES) - 1)
    found, counts = np.unique(bins, return_counts=True)
    return dict(zip(found.tolist(), counts.tolist(), strict=True))


def quantile(freshness: dict[int, int], share: float) -> float:
    """The duration in ms that `share` (0 to 1) of the counted events stay below; 0.0 without
    events."""
    total = sum(freshness.values())
    seen = 0.0
    for index in sorted(freshness):
        seen += freshness[index]
        if seen >= share * total:
            return float(EDGES[index])
    return 0.0
