"""The compiled loops of decayed popularity.

In: sums with their times and a batch of event rows; out: the sums changed in place. Names of sizes:
`I` catalogue slots, `n` events.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

import numpy as np

from udfs.compiling import njit


@njit(cache=True, nogil=True)
def decayed(value, at, ts, half_life):
    """`value` at time `at`, seen at `ts`: halved each `half_life` (all in ms); never grown."""
    return value * 2.0 ** (-max(ts - at, 0.0) / half_life)


@njit(cache=True, nogil=True)
def add_decayed(value, at, weight, ts, half_life):
    """Add `weight` of time `ts` to the decayed sum (`value`, `at`); returns the new pair."""
    if ts >= at:
        return decayed(value, at, ts, half_life) + weight, ts
    return value + decayed(weight, ts, at, half_life), at


@njit(cache=True, nogil=True)
def add_popularity(items, weights, ts, half_life, value, at, events):
    """Add events to the decayed popularity of their items.

    Args:
        items, weights, ts: int32[n] (negative: skipped), float32[n], int64[n] ms. Weights ≤ 0 count
            as events but add no popularity. half_life: ms.
        value, at: float64[I]: the decayed sum and its time in ms; events: int64[I]. All changed in
            place.
    """
    for e in range(items.shape[0]):
        j = items[e]
        if j < 0:
            continue
        weight = max(np.float64(weights[e]), 0.0)
        value[j], at[j] = add_decayed(value[j], at[j], weight, np.float64(ts[e]), half_life)
        events[j] += 1
