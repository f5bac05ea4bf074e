"""The compiled loops before the ranker: candidates of all sources and their features.

In: history pages, the views of all sources of evidence and of all features; out: slots and the
features of each. Like `udfs.memory.history_kernels` they release the interpreter lock; their plain
twin is in the tests. Names of sizes: `I` catalogue slots, `S` sources of evidence, `F` features,
`K` features that are the same whoever a list is for (`feature_kernels.prices`).
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
UNKNOWN = np.float32(-1.0)
_BUCKETS = 256


class Asked(NamedTuple):
    """Whose candidates are wanted, and which.

    Attributes:
        users: int32[rows], cache slots. extra: int32[rows, E], candidates of sources that give no
            evidence, alive and unseen, −1 for none.
        begin, end: the rows of this call. since: the mark from which on `Scratch.known` holds,
            another for each call.
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
        mark: int64[I]. call: int64[3]: the last mark given; the `Asked.since` for which `damps`
            holds, and how many `due` there are.
        slots, shares, x, z: int32[I + 1], float32[S, I + 1], float32[F, I + 1], float32[I + 1]: the
            candidates, their shares, features and logits. place: int32[I + 1], where in `slots` an
            item is.
        damps, due: float32[I, S], int32[I + 1]: what the evidence of an item is multiplied by
            whoever the list is for, 0 for one that is not alive, less than 0 if that is not known
            yet; and the items of which it is known.
        shown: int32[I], all 0, left so.
        known, priced: float32[I, K], int64[I]: the features of an item that are the same whoever
            the list is for, and the marks from which on they are valid. wanted: int32[I + 1].
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
    damps: Any
    due: Any
    known: Any
    priced: Any
    wanted: Any
    shown: Any


@njit(cache=True, nogil=True)
def weigh(slots, sources, alive, scratch):
    """Set `scratch.damps` of those of `slots` (int32[n]) of which it is not known yet.

    All at once: what is taken out of tuples is counted at each call, and made a list cost twice as
    much when this was called for each item. Whoever calls it sees first whether it is needed.
    """
    damps, due, call, out = scratch.damps, scratch.due, scratch.call, scratch.z
    begin = end = call[2]
    for k in range(slots.shape[0]):
        j = np.uint32(slots[k])
        due[end] = j
        end += damps[j, 0] < ZERO
        damps[j, 0] = max(damps[j, 0], ZERO)
    call[2] = end
    chosen = due[begin:end]
    s = 0
    for source in literal_unroll(sources):
        damp(source, chosen, out[: end - begin])
        for k in range(end - begin):
            j = np.uint32(chosen[k])
            damps[j, s] = out[k] if alive[j] else ZERO
        s += 1  # noqa: SIM113 (Numba enumerates no such loop)


@njit(cache=True, nogil=True)
def collect(row, taken, asked, history, sources, items, scratch):
    """The candidates of one user: those of `extra`, and about `most` of all that have evidence.

    Evidence becomes a share of its largest among all with evidence, by source, at least
    LOWEST_SHARE. What is weighed to choose is a plain sum of the shares; it need only keep all that
    the ranker may put into a list. All candidates are alive and, if asked, unseen.

    Args:
        row: of `asked`. taken: a slot that is kept if it is a candidate at all, or −1.

    Returns: how many there are; `scratch.slots` names them, those of `extra` first, with
    `scratch.shares`. `scratch.mark` is `scratch.call[0]` at those of `extra`.
    """
    marks, mark, found, slots = scratch.call, scratch.mark, scratch.found, scratch.slots
    evidence, shares, damps = scratch.evidence, scratch.shares, scratch.damps
    alive, user = items.alive, asked.users[row]
    marks[0] += 2
    call = marks[0]
    if marks[1] != asked.since:
        due = scratch.due
        for k in range(marks[2]):
            damps[due[k], 0] = UNKNOWN
        marks[1], marks[2] = asked.since, 0
    count = s = 0
    for source in literal_unroll(sources):
        count = gather(source, user, history, evidence[s], found, count, evidence[0])
        s += 1  # noqa: SIM113
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
        j = np.uint32(slots[k])
        if damps[j, 0] < ZERO:
            weigh(slots[k:first], sources, alive, scratch)
        for s in range(len(sources)):
            shares[s, k] = evidence[s, j] * damps[j, s]
            evidence[s, j] = ZERO
    kept = first
    # An item that was found more than once has its evidence the first time only.
    for k in range(count):
        j = np.uint32(found[k])
        if damps[j, 0] < ZERO:
            weigh(found[k:count], sources, alive, scratch)
        some = False
        at = np.uint32(kept)  # unsigned: a signed index may count from the end
        for s in range(len(sources)):
            amount = evidence[s, j] * damps[j, s]
            evidence[s, j] = ZERO
            shares[s, at] = amount
            some |= amount != ZERO
        slots[at] = j
        kept += some
    for s in range(len(sources)):
        own = shares[s]
        best = _largest(own.view(np.int32), kept, scratch.z)
        for k in range(kept):
            own[k] = max(own[k] / best, LOWEST_SHARE)
    if kept - first <= asked.most:
        return kept
    return first + _choose(first, kept, asked, scratch)


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
def _choose(first, count, asked, scratch):
    """Keep about `most` of the candidates from `first` to `count`, those with the largest sum of
    shares; returns how many. Loops begin at 0, because only such ones are vectorised."""
    shares, priors, most, n = scratch.shares, asked.priors, asked.most, count - first
    amount, bucket, kept = scratch.z[:n], scratch.place[:n], scratch.wanted[: n + 1]
    total = ZERO
    for s in range(len(priors)):
        total += priors[s]
    scale = np.float32(_BUCKETS - 1) / total
    amount[:] = ZERO
    for s in range(len(priors)):
        own, prior = shares[s, first:count], priors[s]
        for k in range(n):
            amount[k] += prior * own[k]
    for k in range(n):
        bucket[k] = np.int32(max(amount[k] * scale, ZERO))
    # Most amounts are small: counted in one row, each would wait for the one before it.
    sizes = np.zeros((_BUCKETS, 4), np.int32)
    for k in range(n):
        sizes[np.uint32(bucket[k]), np.uint32(k & 3)] += 1
    lowest, held = _BUCKETS, 0
    while held < most and lowest > 0:
        lowest -= 1
        held += sizes[lowest, 0] + sizes[lowest, 1] + sizes[lowest, 2] + sizes[lowest, 3]
    chosen = np.uint32(0)
    for k in range(n):
        kept[chosen] = k
        chosen += np.uint32(bucket[k] >= lowest)
    slots = scratch.slots[first:count]
    for k in range(chosen):
        slots[k] = slots[np.uint32(kept[k])]
    for s in range(len(priors)):
        own = shares[s, first:count]
        for k in range(chosen):
            own[k] = own[np.uint32(kept[k])]
    return np.int64(chosen)


@njit(cache=True, nogil=True)
def price(slots, asked, features, scratch):
    """Set `scratch.known` of those of `slots` (int32[n]) that have none yet in this call."""
    known, priced, wanted, out = scratch.known, scratch.priced, scratch.wanted, scratch.z
    since, call, count = asked.since, scratch.call[0], 0
    for k in range(slots.shape[0]):
        j = np.uint32(slots[k])
        wanted[count] = j
        count += priced[j] < since
        priced[j] = call
    if count > 0:
        column = 0
        for feature in literal_unroll(features):
            column = feature_kernels.price(feature, wanted[:count], known, column, out)


@njit(cache=True, nogil=True)
def describe(row, count, asked, features, scratch):
    """Set `scratch.x` to the features of the candidates of a row of `Asked`: a row of it for each
    feature."""
    slots, shares, x, known = scratch.slots, scratch.shares, scratch.x, scratch.known
    price(slots[:count], asked, features, scratch)
    f = column = 0
    for feature in literal_unroll(features):
        column = feature_kernels.describe(feature, row, slots, count, shares, known, column, x[f])
        f += 1  # noqa: SIM113


@njit(cache=True, nogil=True)
def activity(user, history):
    """What the features count by once more: .3·(log(1 + n) − 3) for a user of n events."""
    return 0.3 * (np.log(1.0 + history.events[user]) - 3.0)
