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
from udfs.models.evidence import LINE, ZERO, damp, gather
from udfs.ranking import feature_kernels
from udfs.ranking.choice_kernels import choose

UNKNOWN = np.float32(-1.0)
_BLOCK = 128  # items that are looked at before any of them is


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
    """The catalogue: bool[I], int64[I], how often items were taken, and the slots in use."""

    alive: Any
    events: Any
    size: int


class Scratch(NamedTuple):
    """Memory of the kernels between calls.

    Attributes:
        evidence, touched: float32[S, I], uint8[I / LINE], all 0, left so: the evidence of each
            source, and 1 for each line of items that may have some. I is a multiple of 8 · LINE.
        mark: int64[I]. call: int64[3]: the last mark given; the `Asked.since` for which `damps`
            holds, and how many `due` there are.
        slots, shares, x, z: int32[I + E], float32[S, I + E], float32[F, I + 1],
            float32[I + 1]: the candidates, their shares, features and logits. place: int32[I + 1],
            where in `slots` an item is. bucket: uint8[I + E + COUNTED].
        damps, due: float32[S, I], int32[I + 1]: what the evidence of an item is multiplied by
            whoever the list is for, 0 for one that is not alive, less than 0 if that is not known
            yet; and the items of which it is known.
        shown: int32[I], all 0, left so.
        known, priced: float32[I, K], int64[I]: the features of an item that are the same whoever
            the list is for, and the marks from which on they are valid.
        wanted: int32[I + E + PICKED].
    """

    evidence: Any
    touched: Any
    mark: Any
    call: Any
    slots: Any
    shares: Any
    x: Any
    z: Any
    place: Any
    bucket: Any
    damps: Any
    due: Any
    known: Any
    priced: Any
    wanted: Any
    shown: Any


@njit(cache=True, nogil=True)
def weigh(begin, sources, alive, scratch):
    """Set `scratch.damps` of those of `scratch.due` that stand from `begin` on.

    All at once: what is taken out of tuples is counted at each call, and made a list cost twice as
    much when this was called for each item. Whoever calls it sees first whether it is needed.
    """
    damps, call, out = scratch.damps, scratch.call, scratch.z
    chosen = scratch.due[begin : call[2]]
    s = 0
    for source in literal_unroll(sources):
        damp(source, chosen, out[: chosen.shape[0]])
        for k in range(chosen.shape[0]):
            j = np.uint32(chosen[k])
            damps[s, j] = out[k] if alive[j] else ZERO
        s += 1  # noqa: SIM113 (Numba enumerates no such loop)


@njit(cache=True, nogil=True)
def collect(row, asked, history, sources, items, scratch):
    """The candidates of one user: those of `extra`, and about `most` of all that have evidence.

    Evidence becomes a share of its largest among all with evidence, by source, at least
    LOWEST_SHARE. What is weighed to choose is a plain sum of the shares; it need only keep all that
    the ranker may put into a list. All candidates are alive and, if asked, unseen.

    Args:
        row: of `asked`.

    Returns: how many there are; `scratch.slots` names them, those of `extra` first, the others by
    slot, with `scratch.shares`. `scratch.mark` is `scratch.call[0]` at those of `extra`.
    """
    evidence, touched = scratch.evidence, scratch.touched
    call, user = scratch.call, asked.users[row]
    s = 0
    for source in literal_unroll(sources):
        gather(source, user, history, evidence[s], touched)
        s += 1  # noqa: SIM113
    if call[1] != asked.since:
        _forget(scratch)
        call[1] = asked.since
    known = call[2]
    first, runs = _find(row, asked, history, scratch)
    if call[2] > known:
        weigh(known, sources, items.alive, scratch)
    count = _move(first, runs, scratch)
    return choose(first, count, asked, scratch)


@njit(cache=True, nogil=True, _nrt=False)
def _forget(scratch):
    """No damping is known any more."""
    damps, due, call = scratch.damps, scratch.due, scratch.call
    for k in range(call[2]):
        damps[0, due[k]] = UNKNOWN
    call[2] = 0


@njit(cache=True, nogil=True, _nrt=False)
def _find(row, asked, history, scratch):
    """Set `scratch.slots` to the candidates of `extra`, `scratch.wanted` to the runs of items that
    may have evidence, and add to `scratch.due` whose damping is wanted.

    Returns: how many candidates, and how many numbers of runs.
    """
    evidence, call, mark, slots = scratch.evidence, scratch.call, scratch.mark, scratch.slots
    damps, due, runs, user = scratch.damps, scratch.due, scratch.wanted, asked.users[row]
    call[0] += 2
    if asked.exclude:
        for s in range(evidence.shape[0]):
            history_kernels.mark(
                ZERO, user, history.tail, history.fill, history.older, history.pages, evidence[s]
            )
    first = 0
    for j in asked.extra[row]:
        if j >= 0 and mark[j] != call[0]:
            mark[j] = call[0]
            slots[first] = j
            first += 1
    count, end = _runs(scratch.touched, runs), call[2]
    for k in range(first):
        j = slots[k]
        due[end] = j
        end += damps[0, j] < ZERO
        damps[0, j] = max(damps[0, j], ZERO)
    call[2] = _due(runs, count, evidence, damps, due, end)
    return first, count


@njit(cache=True, nogil=True, _nrt=False)
def _runs(touched, runs):
    """Set `runs` to the begin and end, as items, of each run of touched lines; returns how many
    numbers. `touched` is left 0."""
    words, count = touched.view(np.uint64), 0
    for word in range(words.shape[0]):
        if words[word] == 0:
            continue
        for line in range(8 * word, 8 * word + 8):
            if touched[line] == 0:
                continue
            begin = np.int32(line * LINE)
            if count == 0 or runs[count - 1] != begin:
                runs[count], count = begin, count + 2
            runs[count - 1] = begin + np.int32(LINE)
        words[word] = 0
    return count


@njit(cache=True, nogil=True, _nrt=False)
def _due(runs, count, evidence, damps, due, end):
    """Add to `due` the items of `runs` that have evidence and no damping yet, and mark them as
    having one; returns the end."""
    for r in range(0, count, 2):
        for first in range(runs[r], runs[r + 1], _BLOCK):
            at, length = np.uint64(first), min(_BLOCK, runs[r + 1] - first)
            for s in range(evidence.shape[0]):
                some = np.int32(0)
                for k in range(length):
                    j = at + np.uint64(k)
                    due_here = (evidence[s, j] != ZERO) & (damps[0, j] < ZERO)
                    some = np.int32(some | np.int32(due_here))
                for k in range(length if some else 0):
                    j = at + np.uint64(k)
                    wanted = (evidence[s, j] != ZERO) & (damps[0, j] < ZERO)
                    due[end] = j
                    end += wanted
                    damps[0, j] = ZERO if wanted else damps[0, j]
    return end


@njit(cache=True, nogil=True, _nrt=False)
def _move(first, count, scratch):
    """Move the evidence of the first candidates and of all items of the runs, times their damping,
    to `scratch.shares`, with their slots; returns how many. Items without evidence are moved too:
    whole runs are vectorised."""
    evidence, damps, runs = scratch.evidence, scratch.damps, scratch.wanted
    shares, slots = scratch.shares, scratch.slots
    for k in range(first):
        j = np.uint32(slots[k])
        for s in range(evidence.shape[0]):
            shares[s, k] = evidence[s, j] * damps[s, j]
            evidence[s, j] = ZERO
    at = np.uint64(first)
    for r in range(0, count, 2):
        begin, length = np.uint64(runs[r]), np.int64(runs[r + 1] - runs[r])
        for s in range(evidence.shape[0]):
            for k in range(length):
                item = begin + np.uint64(k)
                shares[s, at + np.uint64(k)] = evidence[s, item] * damps[s, item]
                evidence[s, item] = ZERO
        for k in range(length):
            slots[at + np.uint64(k)] = np.int32(begin + np.uint64(k))
        at += np.uint64(length)
    return np.int64(at)


@njit(cache=True, nogil=True, _nrt=False)
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


@njit(cache=True, nogil=True, _nrt=False)
def describe(row, count, asked, features, scratch):
    """Set `scratch.x` to the features of the candidates of a row of `Asked`: a row of it for each
    feature."""
    slots, shares, x, known = scratch.slots, scratch.shares, scratch.x, scratch.known
    user = asked.users[row]
    price(slots[:count], asked, features, scratch)
    f = column = 0
    for feature in literal_unroll(features):
        column = feature_kernels.describe(
            feature, row, user, slots, count, shares, known, column, x[f]
        )
        f += 1  # noqa: SIM113


@njit(cache=True, nogil=True, _nrt=False)
def activity(user, history):
    """What the features count by once more: .3·(log(1 + n) − 3) for a user of n events."""
    return 0.3 * (np.log(1.0 + history.events[user]) - 3.0)
