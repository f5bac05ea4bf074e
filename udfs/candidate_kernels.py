"""The compiled loops before the ranker: candidates of all models and their features.

In: history pages, counted pairs, noted consumers, factors, popularity; out: slots and a row of
features for each. Like `udfs.kernels` they release the interpreter lock; their plain twin stands in
the tests. Names of sizes: `I` catalogue slots, `F` features.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from udfs import consumer_kernels, evidence_kernels, kernels
from udfs.kernels import dot

KINDS = 2  # columns of evidence: item-cf, user-cf
BASE = 5  # features before those that depend on how active the user is
FEATURES = 2 * BASE
FLOOR = 0.3  # what no evidence at all is, as a share of the most: log(0.3) = −1.2
LEAST = np.float32(-0.25)  # the lowest share of evidence, of what is like the disliked
FARTHEST = np.float32(10.0)  # the lowest mf feature, below the highest
_WEIGHED, _BUCKETS = np.array([2.0, 0.7], np.float32), 256
MODEL_OF = np.array([0, 1, 2, 3, 3], np.int8)  # of each base feature, into `ranker.MODELS`


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
        evidence: float32[I, KINDS], all 0, left so. mark: int64[I]. call: int64[1], the last
            mark given. found: int32[I]. x: float32[I, FEATURES].
        known, priced: float32[I, 4], int64[I]: what describes an item whoever the list is for,
            computed once in a call: the marks from which on it is valid.
    """

    evidence: Any
    mark: Any
    call: Any
    found: Any
    x: Any
    known: Any
    priced: Any


@njit(cache=True, nogil=True)
def collect(user, history, pairs, noted, extra, exclude, items, scratch):
    """The candidates of one user: `extra`, and all that has evidence; alive and, if asked, unseen.

    Args:
        extra: int32[E], candidates of other models, −1 for none.

    Returns: (candidates that are in `extra`, candidates); `scratch.found` names them, those in
        `extra` first; `scratch.evidence` is not cleared.
    """
    scratch.call[0] += 2
    call, mark, found = scratch.call[0], scratch.mark, scratch.found
    evidence, alive = scratch.evidence, items.alive
    first = 0
    for j in extra:
        if j >= 0 and mark[j] != call:
            mark[j] = call
            found[first] = j
            first += 1
    count = evidence_kernels.gather(user, history, pairs, evidence, mark, call, found, first)
    count = consumer_kernels.gather(
        user, history, noted, KINDS - 1, evidence, mark, call, found, count
    )
    if exclude:
        kernels.mark(call + 1, user, history.tail, history.fill, history.older, history.pages, mark)
    kept = chosen = 0
    for k in range(count):
        j = found[k]
        if mark[j] == call and alive[j]:
            found[kept] = j
            kept += 1
            chosen += k < first
        else:
            for m in range(KINDS):
                evidence[j, m] = 0.0
    return chosen, kept


@njit(cache=True, nogil=True)
def _price(count, since, pairs, noted, items, scratch):
    """Set `scratch.known` of all candidates, of each once in a call: both damping factors, both
    features of popularity."""
    found, known, priced, call = scratch.found, scratch.known, scratch.priced, scratch.call[0]
    counted, noticed, events = pairs.counts, noted.counts, items.events
    popularity, popularity_at = items.popularity, items.popularity_at
    for k in range(count):
        j = found[k]
        if priced[j] < since:
            priced[j] = call
            n = counted[j] if j < counted.shape[0] else 0.0
            known[j, 0] = (n / pairs.gain + pairs.shrink) ** -pairs.target_power
            n = np.float64(noticed[j]) if j < noticed.shape[0] else 0.0
            known[j, 1] = (n + noted.shrink) ** -noted.power
            known[j, 2] = np.log(1.0 + events[j])
            age = max(items.clock - popularity_at[j], 0.0)
            known[j, 3] = np.log(0.05 + popularity[j] * 2.0 ** (-age / items.half_life))


@njit(cache=True, nogil=True)
def choose(first, count, most, since, pairs, noted, items, scratch, best):
    """Keep the first candidates and about `most` of the others, those with the most evidence.

    Evidence becomes a share of its largest among the candidates, by kind. What is weighed here
    is a plain sum; it need only hold all that the ranker may put into a list.

    Args:
        best: float64[KINDS], set to the largest.

    Returns: candidates kept; their evidence is not cleared.
    """
    found, evidence, x, known = scratch.found, scratch.evidence, scratch.x, scratch.known
    _price(count, since, pairs, noted, items, scratch)
    best[:] = 1e-30
    for k in range(count):
        j = found[k]
        evidence[j, 0] *= known[j, 0]
        evidence[j, 1] *= known[j, 1]
        for m in range(KINDS):
            best[m] = max(best[m], evidence[j, m])
    for k in range(count):
        j = found[k]
        amount = np.float32(0.0)
        for m in range(KINDS):
            evidence[j, m] = max(np.float32(evidence[j, m] / best[m]), LEAST)
            amount += evidence[j, m] * _WEIGHED[m]
        x[k, 0] = amount
    if count - first <= most:
        return count
    buckets = np.zeros(_BUCKETS, np.int32)
    scale = np.float32(_BUCKETS - 1) / _WEIGHED.sum()
    for k in range(first, count):
        buckets[max(int(x[k, 0] * scale), 0)] += 1
    lowest, total = _BUCKETS - 1, buckets[_BUCKETS - 1]
    while total < most and lowest > 0:
        lowest -= 1
        total += buckets[lowest]
    kept = first
    for k in range(first, count):
        j = found[k]
        if max(int(x[k, 0] * scale), 0) >= lowest:
            found[kept] = j
            kept += 1
        else:
            for m in range(KINDS):
                evidence[j, m] = 0.0
    return kept


@njit(cache=True, nogil=True)
def describe(user, vector, count, since, history, pairs, noted, items, scratch):
    """Set `scratch.x` to the features of the candidates; clears their evidence.

    With s_m the share of the largest evidence of each kind (at least LEAST), and n_j the events of
    item j:

        log(FLOOR + s_m) for item-cf and user-cf;
        b_j + q_j·v, at least FARTHEST below the largest;
        log(1 + n_j);  log(.05 + decayed popularity)

    and each of them times .3·(log(1 + n_u) − 3), n_u the events of the user.

    Args:
        vector: float32[d], v.
    """
    found, evidence, x, known = scratch.found, scratch.evidence, scratch.x, scratch.known
    q, bias = items.q, items.bias
    _price(count, since, pairs, noted, items, scratch)
    for k in range(count):
        j = found[k]
        for m in range(KINDS):
            x[k, m] = np.log(np.float32(FLOOR) + evidence[j, m])
            evidence[j, m] = 0.0
        x[k, 2] = bias[j] + dot(vector, q[j])
        x[k, 3] = known[j, 2]
        x[k, 4] = known[j, 3]
    near = np.float32(-np.inf)
    for k in range(count):
        near = max(near, x[k, 2])
    active = np.float32(0.3 * (np.log(1.0 + history.events[user]) - 3.0))
    for k in range(count):
        x[k, 2] = max(x[k, 2] - near, -FARTHEST)
        for f in range(BASE):
            x[k, BASE + f] = x[k, f] * active
