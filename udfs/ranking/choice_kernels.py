"""The compiled choice of candidates: amounts of evidence become shares, and the best remain.

In: candidates with their amounts by source. Out: the same arrays, with the shares of those chosen
in front. Names of sizes as in `candidate_kernels`, whose last step this is.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

import numpy as np

from udfs.compiling import njit
from udfs.memory.lanes import COUNTED, PICKED, count_reaching, pick_reaching
from udfs.models.evidence import FAINTEST, ZERO

LOWEST_SHARE = np.float32(-0.25)  # the lowest share of evidence, of what is like the disliked
_BUCKETS = 255


@njit(cache=True, nogil=True, _nrt=False)
def _largest(bits, count, memory):
    """The largest of `count` float32, at least FAINTEST, of which `bits` is the same as int32: the
    order of those above 0 is the same, and integers are what is vectorised. `memory` is float32[1]
    or longer, where the largest becomes a float32 again."""
    memory[0] = FAINTEST
    best = memory.view(np.int32)
    most = best[0]
    for k in range(count):
        most = max(most, bits[k])
    best[0] = most
    return memory[0]


@njit(cache=True, nogil=True, _nrt=False)
def _reach(bucket, begin, end, least):
    """How many of `bucket` from `begin` on are `least` or more; those from `end` on are 0."""
    found = 0
    for k in range(begin, end, COUNTED):
        found += count_reaching(bucket, k, least)
    return found


@njit(cache=True, nogil=True, _nrt=False)
def choose(first, count, asked, scratch):
    """Let amounts become shares, and keep about `most` of the candidates from `first` to `count`,
    those with the largest sum of shares, and none without a share; returns the end."""
    shares, slots, priors = scratch.shares, scratch.slots, asked.priors
    bucket, kept, most = scratch.bucket, scratch.wanted, asked.most
    total = ZERO
    for s in range(len(priors)):
        own = shares[s]
        best = _largest(own.view(np.int32), count, scratch.z)
        for k in range(count):
            own[k] = max(own[k] / best, LOWEST_SHARE)
        total += priors[s]
    scale = np.float32(_BUCKETS - 1) / total
    for k in range(count):  # not in the loop before: that would not be vectorised
        amount, some = ZERO, np.int32(0)
        for s in range(len(priors)):
            amount += priors[s] * shares[s, k]
            some |= np.int32(shares[s, k] != ZERO)
        bucket[k] = np.int32(some * (np.int32(1) + np.int32(max(amount * scale, ZERO))))
    bucket[count : count + COUNTED] = 0
    lowest, highest = 1, _BUCKETS
    while lowest < highest:  # the highest bucket that, with those above it, holds enough
        middle = (lowest + highest + 1) // 2
        if _reach(bucket, first, count, middle) >= most:
            lowest = middle
        else:
            highest = middle - 1
    chosen = 0
    for k in range(first, count, PICKED):
        chosen += pick_reaching(bucket, k, lowest, kept, chosen)
    for k in range(chosen):
        slots[np.uint32(first + k)] = slots[np.uint32(kept[k])]
    for s in range(len(priors)):
        for k in range(chosen):
            shares[s, np.uint32(first + k)] = shares[s, np.uint32(kept[k])]
    return first + chosen
