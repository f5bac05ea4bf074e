"""The compiled random numbers of a learner, and the first factors drawn from them.

In: a state, or the keys of items and users; out: 64 bits, or factors. Every process draws the same.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

import numpy as np

from udfs.compiling import njit

EVENT_STRIDE = 0xD1B54A32D192ED03  # odd, so no two events of a shard begin at the same state


@njit(cache=True, nogil=True)
def next_random(state):
    """Advance `state` (uint64[1]) and return 64 random bits: SplitMix64 (Steele et al. 2014)."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@njit(cache=True, nogil=True)
def initial_factors(keys, seed, out):
    """Fill `out` (float32[n, d]) with small factors that depend on `keys` (uint64[n]) and `seed`.

    Uniform on ±.1·√3, so a standard deviation of .1: every process draws the same start for a key.
    """
    state = np.zeros(1, np.uint64)
    for row in range(keys.shape[0]):
        state[0] = keys[row] ^ np.uint64(seed)
        for f in range(out.shape[1]):
            unit = np.float64(next_random(state) >> np.uint64(11)) * (1.0 / 9007199254740992.0)
            out[row, f] = np.float32((unit * 2.0 - 1.0) * 0.17320508)
