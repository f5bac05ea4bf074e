"""The compiled arithmetic of decayed popularity, for the loops over events and messages.

In: a sum with its time, an amount with its own. Out: the new pair. Besides the sum of the
configured half-life, an item has one for each of `SPANS`, all as of the same time.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

import numpy as np

from udfs.compiling import njit

HOUR_MS = 3_600_000.0
SPANS = (HOUR_MS, 168 * HOUR_MS, 672 * HOUR_MS, np.inf)
"""The other half-lives, ms: an hour, a week, four weeks, none. Each is a power of the one of four
weeks, so that one logarithm is enough for all."""


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


@njit(cache=True, nogil=True, inline="always")
def left(age):
    """What is left after `age` (ms, at least 0) of a sum at each of `SPANS` but the last, of which
    all is left."""
    month = 2.0 ** (-age / SPANS[2])
    week = month * month
    week *= week
    x2 = week * week
    x8 = x2 * x2
    x8 *= x8
    x32 = x8 * x8
    x32 *= x32
    x128 = x32 * x32
    x128 *= x128
    return x128 * x32 * x8, week, month


@njit(cache=True, nogil=True, _nrt=False)
def add_sums(sums, j, at, more, k, ts):
    """Add the sums of row k of `more`, of time `ts`, to those of row j, of time `at`.

    Args:
        sums, more: float64[…, 4], of each of `SPANS`; `sums` is changed.
    """
    hour, week, month = left(abs(ts - at))
    if ts >= at:
        sums[j, 0] = sums[j, 0] * hour + more[k, 0]
        sums[j, 1] = sums[j, 1] * week + more[k, 1]
        sums[j, 2] = sums[j, 2] * month + more[k, 2]
    else:
        sums[j, 0] += more[k, 0] * hour
        sums[j, 1] += more[k, 1] * week
        sums[j, 2] += more[k, 2] * month
    sums[j, 3] += more[k, 3]


@njit(cache=True, nogil=True, _nrt=False)
def add_weight(sums, j, at, weight, ts):
    """The same for an amount that is equal at each of `SPANS`: `weight`, of time `ts`."""
    if ts > at:
        hour, week, month = left(ts - at)
        sums[j, 0] *= hour
        sums[j, 1] *= week
        sums[j, 2] *= month
    elif ts < at:
        hour, week, month = left(at - ts)
        sums[j, 0] += weight * hour
        sums[j, 1] += weight * week
        sums[j, 2] += weight * month
        sums[j, 3] += weight
        return
    for h in range(4):
        sums[j, h] += weight
