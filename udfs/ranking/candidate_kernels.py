"""The compiled loops before the ranker: candidates of all sources and their features.

In: history pages, the views of all sources of evidence and of all features; out: slots and the
features of each. Like `udfs.memory.history_kernels` they release the interpreter lock; their plain
twin is in the tests. Names of sizes: `I` catalogue slots, `S` sources of evidence, `F` features,
`K` numbers kept of an item: S and the features of `feature_kernels.prices`.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import literal_unroll

from udfs.compiling import njit
from udfs.memory import history_kernels
from udfs.models.evidence import FAINTEST, ZERO, damp, gather
from udfs.ranking import feature_kernels

LOWEST_SHARE = np.float32(-0.25)  # the lowest share of evidence, of what is like the disliked
_BUCKETS = 256


class Asked(NamedTuple):
    """Whose candidates are wanted, and which.

    Attributes:
        users: int32[rows], cache slots. extra: int32[rows, E], candidates of sources that give no
            evidence, alive and unseen, −1 for none.
        begin, end: the rows of this call. since: the mark from which on `Scratch.known` holds.
        exclude: leave out what a user has consumed. most: how many candidates with evidence get a
            score. priors: S float32 above 0, what shares are weighed by to choose these.
    """

    users: Any
    extra: Any
    begin: int
    end: int
    since: int
    exclude: bool
    most: int
    priors: Any


class Items(NamedTuple):
    """The catalogue: bool[I], and the slots in use."""

    alive: Any
    size: int


class Scratch(NamedTuple):
    """Memory of the kernels between calls.

    Attributes:
        evidence: float32[S, I], all 0, left so. found: int32[S·I + 1], items with evidence.
        mark: int64[I]. call: int64[1], the last mark given.
        slots, shares, x, z: int32[I + 1], float32[S, I + 1], float32[F, I + 1], float32[I + 1]: the
            candidates, their shares, features and logits. place: int32[I + 1], where in `slots` an
            item is.
        known, priced: float32[I, K], int64[I]: what describes an item whoever the list is for,
            computed once in a call: the marks from which on it is valid. due: int32[I + 1].
    """

    evidence: Any
    found: Any
    mark: Any
    call: Any
    slots: Any
    shares: Any
    x: Any
    z: Any
    place: Any
    known: Any
    priced: Any
    due: Any


@njit(cache=True, nogil=True)
def price(slots, asked, sources, features, scratch):
    """Set `scratch.known` of those of `slots` (int32[n]) that have none yet in this call: the
    damping of each source, then each feature that has a price.

    All at once: what is taken out of tuples is counted at each call, and made a list cost twice as
    much when this was called for each item. Whoever calls it sees first whether it is needed.
    """
    known, priced, due, out = scratch.known, scratch.priced, scratch.due, scratch.z
    since, call, count = asked.since, scratch.call[0], 0
    for k in range(slots.shape[0]):
        j = np.uint32(slots[k])
        due[count] = j
        count += priced[j] < since
        priced[j] = call
    chosen = due[:count]
    column = 0
    for source in literal_unroll(sources):
        damp(source, chosen, out[:count])
        for k in range(count):
            known[chosen[k], column] = out[k]
        column += 1
    for feature in literal_unroll(features):
        column = feature_kernels.price(feature, chosen, known, column, out)


@njit(cache=True, nogil=True)
def collect(row, taken, asked, history, sources, features, items, scratch):
    """The candidates of one user: those of `extra`, and about `most` of all that have evidence.

    Evidence becomes a share of its largest among all with evidence, by source, at least
    LOWEST_SHARE. What is weighed to choose is a plain sum of the shares; it need only keep all that
    the ranker may put into a list. All candidates are alive and, if asked, unseen.

    Args:
        row: of `asked`. taken: a slot that is kept if it is a candidate at all, or −1.

    Returns: how many there are; `scratch.slots` names them, those of `extra` first, with
    `scratch.shares`. `scratch.mark` is `scratch.call[0]` at those of `extra`.
    """
    scratch.call[0] += 2
    call, mark, found, slots = scratch.call[0], scratch.mark, scratch.found, scratch.slots
    evidence, shares = scratch.evidence, scratch.shares
    known, priced = scratch.known, scratch.priced
    alive, user, since = items.alive, asked.users[row], asked.since
    count = s = 0
    for source in literal_unroll(sources):
        count = gather(source, user, history, evidence[s], found, count, evidence[0])
        s += 1  # noqa: SIM113 (Numba enumerates no such loop)
    if asked.exclude:
        for s in range(len(sources)):
            history_kernels.mark(
                ZERO, user, history.tail, history.fill, history.older, history.pages, evidence[s]
            )
    first = 0
    for j in asked.extra[row]:
        if j >= 0 and mark[j] != call:
            mark[j] = call
            slots[first] = j
            first += 1
    if taken >= 0 and mark[taken] != call:
        spoken = False
        for s in range(len(sources)):
            spoken |= evidence[s, taken] != ZERO
        if spoken:
            slots[first] = taken
            first += 1
    for k in range(first):
        j = slots[k]
        if priced[j] < since:
            price(slots[k:first], asked, sources, features, scratch)
        for s in range(len(sources)):
            shares[s, k] = evidence[s, j] * known[j, s]
            evidence[s, j] = ZERO
    kept = first
    # An item that was found more than once has its evidence the first time only.
    for k in range(count):
        j = np.uint32(found[k])
        if priced[j] < since:
            price(found[k:count], asked, sources, features, scratch)
        some = False
        for s in range(len(sources)):
            amount = evidence[s, j] * known[j, s]
            evidence[s, j] = ZERO
            shares[s, kept] = amount
            some |= amount != ZERO
        slots[kept] = j
        kept += some & alive[j]
    for s in range(len(sources)):
        row = shares[s]
        best = _largest(row.view(np.int32), kept, scratch.z)
        for k in range(kept):
            row[k] = max(row[k] / best, LOWEST_SHARE)
    return _choose(first, kept, asked, slots, shares, scratch.z, scratch.place)


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
def _choose(first, count, asked, slots, shares, amount, bucket):
    """Keep the first candidates and about `most` of the others, those with the largest sum of
    shares; returns how many are kept."""
    most, priors = asked.most, asked.priors
    if count - first <= most:
        return count
    total = ZERO
    for s in range(len(priors)):
        total += priors[s]
    scale = np.float32(_BUCKETS - 1) / total
    for k in range(first, count):
        amount[k] = priors[0] * shares[0, k]
        for s in range(1, len(priors)):
            amount[k] += priors[s] * shares[s, k]
        bucket[k] = np.int32(max(amount[k] * scale, ZERO))
    # Most amounts are small: counted in one row, each would wait for the one before it.
    sizes = np.zeros((_BUCKETS, 4), np.int32)
    for k in range(first, count):
        sizes[np.uint32(bucket[k]), np.uint32(k & 3)] += 1
    lowest, held = _BUCKETS, 0
    while held < most and lowest > 0:
        lowest -= 1
        held += sizes[lowest, 0] + sizes[lowest, 1] + sizes[lowest, 2] + sizes[lowest, 3]
    kept = first
    for k in range(first, count):
        slots[kept] = slots[k]
        for s in range(len(priors)):
            shares[s, kept] = shares[s, k]
        kept += bucket[k] >= lowest
    return kept


@njit(cache=True, nogil=True)
def describe(row, count, sources, features, scratch):
    """Set `scratch.x` to the features of the candidates of a row of `Asked`, which all have a
    price: a row of it for each feature."""
    slots, shares, x, known = scratch.slots, scratch.shares, scratch.x, scratch.known
    f, column = 0, len(sources)
    for feature in literal_unroll(features):
        column = feature_kernels.describe(feature, row, slots, count, shares, known, column, x[f])
        f += 1  # noqa: SIM113


@njit(cache=True, nogil=True)
def activity(user, history):
    """What the features count by once more: .3·(log(1 + n) − 3) for a user of n events."""
    return 0.3 * (np.log(1.0 + history.events[user]) - 3.0)
