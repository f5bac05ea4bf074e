"""The compiled loops of no repeats: impressions counted by user, and candidates that sink.

In: impressions, events, candidates. Out: counts and values, changed. Names of sizes: `U` users in
the cache, `S` items counted of one, `I` catalogue slots, `M` candidates.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from udfs.compiling import njit

SINK = 3.0
"""What each impression from the n-th on takes from the logarithm of a chance, of which a twentieth
is left."""
LEAST = 0.01
"""A count that has faded to this is 0."""


class Seen(NamedTuple):
    """What users were shown: uint64[U, S], float32[U, S], int64[U], see `repeats.Impressions`."""

    keys: Any
    counts: Any
    at: Any


@njit(cache=True, nogil=True, _nrt=False)
def fading(since, until, half_life):
    """What is left of a count after a time in ms."""
    passed = np.float64(until) - np.float64(since)
    return np.float32(0.5 ** min(passed / half_life, 100.0)) if passed > 0 else np.float32(1.0)


@njit(cache=True, nogil=True)
def see(users, keys, ts, seen, half_life):
    """Count n impressions in order.

    Args:
        users, keys, ts: int32[n], uint64[n], int64[n]: cache slots, items, event times in ms. One
            that is older than the user's last counts as much as it does as of that.
        seen: `Seen`, changed. half_life: ms.
    """
    counts, at = seen.counts, seen.at
    for e in range(users.shape[0]):
        u = users[e]
        left = fading(at[u], ts[e], half_life)
        worth = fading(ts[e], at[u], half_life)
        at[u] = max(at[u], ts[e])
        found, least = -1, 0
        for s in range(counts.shape[1]):
            counts[u, s] *= left
            if counts[u, s] < np.float32(LEAST):
                counts[u, s] = np.float32(0.0)
            elif seen.keys[u, s] == keys[e]:
                found = s
            if counts[u, s] < counts[u, least]:
                least = s
        if found < 0:
            found = least
            seen.keys[u, found], counts[u, found] = keys[e], np.float32(0.0)
        counts[u, found] += worth


@njit(cache=True, nogil=True)
def take(users, items, keys, seen, took):
    """Set the counts of what users have an event on to 0.

    Args:
        users, items: int32[n], cache slots, catalogue slots, −1: none. keys: uint64[I].
        took: bool[n], set to whether an event changed anything.
    """
    for e in range(users.shape[0]):
        took[e] = False
        if items[e] < 0:
            continue
        for s in range(seen.counts.shape[1]):
            if seen.keys[users[e], s] == keys[items[e]] and seen.counts[users[e], s] > 0:
                seen.counts[users[e], s], took[e] = np.float32(0.0), True


@njit(cache=True, nogil=True)
def sink(users, items, values, keys, seen, rule, now):
    """Lower the values of what users have seen often.

    Args:
        users, items, values: as in `Candidates`; values are changed. keys: uint64[I].
        rule: from how many impressions on, and their half-life in ms. now: event time, ms.
    """
    first, half_life = rule
    for r in range(items.shape[0]):
        u = users[r]
        if u < 0:
            continue
        left = fading(seen.at[u], now, half_life)
        for s in range(seen.counts.shape[1]):
            over = seen.counts[u, s] * left - np.float32(first - 1.0)
            if over <= 0 or seen.counts[u, s] <= 0:
                continue
            for k in range(items.shape[1]):
                if items[r, k] >= 0 and keys[items[r, k]] == seen.keys[u, s]:
                    values[r, k] -= np.float32(SINK) * over
