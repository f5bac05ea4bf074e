"""The compiled arithmetic of decayed popularity, for the loops over events and messages.

In: a sum with its time, an amount with its own. Out: the new pair.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

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
