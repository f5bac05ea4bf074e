"""The compiled loops that learners share: histories, popularity, random numbers, first factors.

In: columns of users and items and a batch of event rows; out: the same arrays changed in place.
Each kernel is exactly sequential (event by event), releases the interpreter lock, and has a plain
NumPy twin in the tests. Names of sizes: `U` users in the cache, `I` catalogue slots, `d` factors,
`n` events. The factors themselves are learned in `udfs.models.factors.softmax_kernels`.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

import numpy as np
from numba import njit

from udfs.state.records import PAGE as PAGE

LIMIT = np.float32(16.0)  # the largest absolute value of a factor or bias
ROUNDING = np.float32(1e-5)  # far above the error of a product of single precision
EVENT_STRIDE = 0xD1B54A32D192ED03  # odd, so no two events of a shard begin at the same state


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def dot(a, b):
    """Inner product of two float32[d]; `np.dot` in compiled code would need SciPy."""
    total = np.float32(0.0)
    for f in range(a.shape[0]):
        total += a[f] * b[f]
    return total


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


@njit(cache=True, nogil=True)
def consumed(item, user, tail, fill, older, pages):
    """Whether catalogue slot `item` stands in the history pages of cache slot `user`."""
    page = tail[user]
    length = fill[user]
    while page >= 0:
        for k in range(length):
            if pages[page, k] == item:
                return True
        page = older[page]
        length = PAGE
    return False


@njit(cache=True, nogil=True)
def mark(value, user, tail, fill, older, pages, out):
    """Set `out` ([room]) to `value` at each slot below `room` in the history of `user`."""
    page, stop = tail[user], fill[user]
    while page >= 0:
        for k in range(stop):
            if pages[page, k] < out.shape[0]:
                out[pages[page, k]] = value
        page, stop = older[page], PAGE


@njit(cache=True, nogil=True)
def judge(item, user, liked, tail, fill, older, pages, disliked):
    """Mark an item of a user's history as liked or not: a later word counts more.

    Args:
        disliked: uint32[H], changed in place: bit k marks item k of a page as not liked.

    Returns: the page that this changed, or −1: the item isn't there, or was marked so already.
    """
    page, length = tail[user], fill[user]
    while page >= 0:
        for k in range(length):
            if pages[page, k] == item:
                bit = np.uint32(1) << np.uint32(k)
                if ((disliked[page] & bit) == 0) == liked:
                    return -1
                disliked[page] ^= bit
                return page
        page, length = older[page], PAGE
    return -1


@njit(cache=True, nogil=True)
def append(item, user, tail, fill, older, pages, free, free_count):
    """Append an item to its user's history unless it stands there already.

    Returns: pages still free of `free[:free_count]`, or −1 where nothing was appended.
    """
    if consumed(item, user, tail, fill, older, pages):
        return -1
    if tail[user] < 0 or fill[user] == PAGE:
        free_count -= 1
        page = free[free_count]
        older[page] = tail[user]
        tail[user] = page
        fill[user] = 0
    pages[tail[user], fill[user]] = item
    fill[user] += 1
    return free_count


@njit(cache=True, nogil=True)
def note(
    item, user, consumes, weight, tail, fill, older, pages, disliked, free, free_count, sealed,
    sealed_count,
):  # fmt: skip
    """What an event leaves in its user's history: the item, if it `consumes` one that is not there
    yet, and whether it was liked, by the sign of the last weight other than 0.

    `free[:free_count]` are unused pages, at least one. A full page that has changed is noted as
    `sealed[sealed_count] = (user, page)`. Returns (pages still free, sealed pages).
    """
    left = -1
    if consumes:
        left = append(item, user, tail, fill, older, pages, free, free_count)
    page = -1
    if left >= 0:
        free_count, page, k = left, tail[user], fill[user] - 1
        bit = np.uint32(weight <= 0.0) << np.uint32(k)
        disliked[page] = bit if k == 0 else disliked[page] | bit
    elif weight != 0.0:
        page = judge(item, user, weight > 0.0, tail, fill, older, pages, disliked)
    if page >= 0 and (page != tail[user] or fill[user] == PAGE):
        sealed[sealed_count, 0] = user
        sealed[sealed_count, 1] = page
        sealed_count += 1
    return free_count, sealed_count


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


@njit(cache=True, nogil=True)
def measure(q, axis, items, along, across):
    """What of the factors of `items` lies along a unit vector, and how much across it.

    By Cauchy and Schwarz q·v ≤ (q·e)(v·e) + |q − (q·e)e|·|v − (v·e)e| for a unit vector e. Both
    lengths are taken a little larger, by ROUNDING of the whole, so that this holds for products of
    single precision too.

    Args:
        q, axis: float32[I, d], float32[d], e, or all 0. items: int32[m].
        along, across: float32[I], float32[I], set at the items.
    """
    for k in range(items.shape[0]):
        j = items[k]
        along[j] = dot(q[j], axis)
        rest = np.float32(0.0)
        for f in range(axis.shape[0]):
            rest += (q[j, f] - along[j] * axis[f]) ** 2
        across[j] = np.sqrt(rest + ROUNDING * dot(q[j], q[j]))
