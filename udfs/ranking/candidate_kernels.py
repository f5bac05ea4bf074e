"""The compiled loops before the ranker: candidates of all models and their features.

In: history pages, counted pairs, noted consumers, factors, popularity; out: slots and the features
of each. Like `udfs.memory.history_kernels` they release the interpreter lock; their plain twin
stands in the tests. Names of sizes: `I` catalogue slots, `F` features.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from udfs.memory import history_kernels
from udfs.memory.vector_kernels import dot
from udfs.models.evidence import ZERO
from udfs.models.item_cf import evidence_kernels
from udfs.models.user_cf import consumer_kernels

KINDS = 2  # of evidence: item-cf, user-cf
BASE = 5  # features
FEATURES = 2 * BASE  # with each of them once more, times how active the user is
FLOOR = 0.3  # what no evidence at all is, as a share of the most: log(0.3) = −1.2
LOWEST_SHARE = np.float32(-0.25)  # the lowest share of evidence, of what is like the disliked
FARTHEST = np.float32(10.0)  # the lowest mf feature, below the highest
_WEIGHED, _BUCKETS = (np.float32(2.0), np.float32(0.7)), 256
MODEL_OF = np.array([0, 1, 2, 3, 3], np.int8)  # of each feature, into `ranker.MODELS`


class Items(NamedTuple):
    """What is known of catalogue slots.

    Attributes:
        q, bias, alive, events: float32[I, d], float32[I], bool[I], int64[I].
        popularity, popularity_at: float64[I]. clock, half_life: ms.
        size: slots in use.
    """

    q: Any
    bias: Any
    alive: Any
    events: Any
    popularity: Any
    popularity_at: Any
    clock: float
    half_life: float
    size: int


class Scratch(NamedTuple):
    """Memory of the kernels between calls.

    Attributes:
        evidence: float32[KINDS, I], all 0, left so. found: int32[I + 1], items with evidence.
        mark: int64[I]. call: int64[1], the last mark given.
        slots, x, z: int32[I], float32[BASE, I], float32[I]: the candidates, their features and
            logits. place: int32[I], where in `slots` an item stands.
        weight, alike: float32[U], all 0, left so; int32[U + 1], of `consumer_kernels.gather`.
        known, priced: float32[I, 4], int64[I]: what describes an item whoever the list is for,
            computed once in a call: the marks from which on it is valid.
    """

    evidence: Any
    found: Any
    mark: Any
    call: Any
    slots: Any
    x: Any
    z: Any
    place: Any
    weight: Any
    alike: Any
    known: Any
    priced: Any


@njit(cache=True, nogil=True)
def _price(j, pairs, noted, items, known):
    """Set `known[j]`: both damping factors, both features of popularity.

    Whoever calls it looks first whether it is needed: what it takes out of tuples is counted at
    each call, and made a list cost 600 µs and not 37 when the check stood in here.
    """
    n = pairs.counts[j] if j < pairs.counts.shape[0] else 0.0
    known[j, 0] = (n / pairs.gain + pairs.shrink) ** -pairs.target_power
    n = np.float64(noted.counts[j]) if j < noted.counts.shape[0] else 0.0
    known[j, 1] = (n + noted.shrink) ** -noted.power
    known[j, 2] = np.log(1.0 + items.events[j])
    age = max(items.clock - items.popularity_at[j], 0.0)
    known[j, 3] = np.log(0.05 + items.popularity[j] * 2.0 ** (-age / items.half_life))


@njit(cache=True, nogil=True)
def collect(user, extra, taken, most, since, exclude, history, pairs, noted, items, scratch):
    """The candidates of one user: those of `extra`, and about `most` of all that have evidence.

    Evidence becomes a share of its largest among all with evidence, by kind, at least LOWEST_SHARE.
    What is weighed to choose is a plain sum of the shares; it need only keep all that the ranker
    may put into a list. All candidates are alive and, if asked, unseen.

    Args:
        extra: int32[E], candidates of other models, alive and unseen, −1 for none.
        taken: a slot that is kept if it is a candidate at all, or −1.
        since: the mark from which on `scratch.known` holds.

    Returns: how many there are; `scratch.slots` names them, those of `extra` first, and the first
    KINDS rows of `scratch.x` are their shares. `scratch.mark` is `scratch.call[0]` at those of
    `extra`.
    """
    scratch.call[0] += 2
    call, mark, found, slots = scratch.call[0], scratch.mark, scratch.found, scratch.slots
    own, alike = scratch.evidence[0], scratch.evidence[1]
    x0, x1, known, priced = scratch.x[0], scratch.x[1], scratch.known, scratch.priced
    alive = items.alive
    count = evidence_kernels.gather(user, history, pairs, own, found, 0)
    count = consumer_kernels.gather(
        user, history, noted, own, alike, found, count, scratch.weight, scratch.alike
    )
    if exclude:
        history_kernels.mark(
            ZERO, user, history.tail, history.fill, history.older, history.pages, own
        )
        history_kernels.mark(
            ZERO, user, history.tail, history.fill, history.older, history.pages, alike
        )
    first = 0
    for j in extra:
        if j >= 0 and mark[j] != call:
            mark[j] = call
            slots[first] = j
            first += 1
    if taken >= 0 and mark[taken] != call and (own[taken] != ZERO or alike[taken] != ZERO):
        slots[first] = taken
        first += 1
    best0 = best1 = np.float32(1e-30)
    for k in range(first):
        j = slots[k]
        if priced[j] < since:
            priced[j] = call
            _price(j, pairs, noted, items, known)
        x0[k], x1[k] = own[j] * known[j, 0], alike[j] * known[j, 1]
        best0, best1 = max(best0, x0[k]), max(best1, x1[k])
        own[j] = alike[j] = ZERO
    kept = first
    for k in range(count):
        j = np.uint32(found[k])
        if priced[j] < since:
            priced[j] = call
            _price(j, pairs, noted, items, known)
        e, f = own[j] * known[j, 0], alike[j] * known[j, 1]
        own[j] = alike[j] = ZERO
        if alive[j]:
            slots[kept], x0[kept], x1[kept] = j, e, f
            kept += (e != ZERO) | (f != ZERO)
            best0, best1 = max(best0, e), max(best1, f)
    for k in range(kept):
        x0[k], x1[k] = max(x0[k] / best0, LOWEST_SHARE), max(x1[k] / best1, LOWEST_SHARE)
    return _choose(first, kept, most, slots, x0, x1, scratch.z, scratch.place)


@njit(cache=True, nogil=True)
def _choose(first, count, most, slots, x0, x1, amount, bucket):
    """Keep the first candidates and about `most` of the others, those with the largest sum of
    shares; returns how many are kept."""
    if count - first <= most:
        return count
    scale = np.float32(_BUCKETS - 1) / (_WEIGHED[0] + _WEIGHED[1])
    for k in range(first, count):
        amount[k] = _WEIGHED[0] * x0[k] + _WEIGHED[1] * x1[k]
        bucket[k] = np.int32(max(amount[k] * scale, ZERO))
    # Most amounts are small: counted in one row, each would wait for the one before it.
    sizes = np.zeros((_BUCKETS, 4), np.int32)
    for k in range(first, count):
        sizes[np.uint32(bucket[k]), np.uint32(k & 3)] += 1
    lowest, total = _BUCKETS, 0
    while total < most and lowest > 0:
        lowest -= 1
        total += sizes[lowest, 0] + sizes[lowest, 1] + sizes[lowest, 2] + sizes[lowest, 3]
    kept = first
    for k in range(first, count):
        slots[kept], x0[kept], x1[kept] = slots[k], x0[k], x1[k]
        kept += bucket[k] >= lowest
    return kept


@njit(cache=True, nogil=True)
def describe(vector, count, since, pairs, noted, items, scratch):
    """Set `scratch.x` to the features of the candidates, whose shares it holds.

    With s_m the share of the largest evidence of each kind, and n_j the events of item j:

        log(FLOOR + s_m) for item-cf and user-cf;
        b_j + q_j·v, at least FARTHEST below the largest;
        log(1 + n_j);  log(.05 + decayed popularity)

    Args:
        vector: float32[d], v.
    """
    slots, x, known, priced = scratch.slots, scratch.x, scratch.known, scratch.priced
    q, bias = items.q, items.bias
    near = np.float32(-np.inf)
    for k in range(count):
        j = slots[k]
        if priced[j] < since:
            priced[j] = scratch.call[0]
            _price(j, pairs, noted, items, known)
        x[0, k], x[1, k] = np.log(np.float32(FLOOR) + x[0, k]), np.log(np.float32(FLOOR) + x[1, k])
        x[2, k] = bias[j] + dot(vector, q[j])
        x[3, k], x[4, k] = known[j, 2], known[j, 3]
        near = max(near, x[2, k])
    for k in range(count):
        x[2, k] = max(x[2, k] - near, -FARTHEST)


@njit(cache=True, nogil=True)
def activity(user, history):
    """What the features count by once more: .3·(log(1 + n) − 3) for a user of n events."""
    return 0.3 * (np.log(1.0 + history.events[user]) - 3.0)
