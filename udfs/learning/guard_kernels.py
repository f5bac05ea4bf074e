"""The compiled loop that finds events not to be learned from: those of bots, and of hired crowds.

In: a batch as slots, what is known of its users and items. Out: which events are only served. Like
`udfs.memory.history_kernels` it releases the interpreter lock and has a plain twin in the tests.
Names of sizes: `U` users in the cache, `I` catalogue slots, `n` events.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from udfs.compiling import njit
from udfs.memory.history_kernels import consumed

MINUTES_MS, DAY_MS, WEEK_MS = 600_000.0, 86_400_000.0, 604_800_000
"""Half-lives: that of a user's rate, and that of breadth and of what items got; how long a bot is
not learned from."""
BINS = 64
_STEP = math.log(2) / 4  # a bin's width, as a logarithm: four bins double a measure
RATE, BREADTH, SPREAD = range(3)
"""What users are measured by, and vote for: a row of `votes` each."""
_LEAST_VOTES = 20
_FAR = 5.0  # standard deviations
_LEAST_DEVIATION = 0.3  # of a logarithm
# Limits before enough users have voted, and the range that later ones stay in. No user of the data
# sets in docs/privacy.md has a rate of 190 or a breadth of 730, nor a spread below 0.3.
_FIRST = (1_000.0, 5_000.0, 0.05)
_LOWEST, _HIGHEST = (300.0, 1_500.0, 0.02), (3_000.0, 15_000.0, 0.15)
_VOTES_FROM = 5  # events: who has done less says nothing about how people act
_GAPS, _GAPS_JUDGED, _GAPS_KEPT = 30, 50, 64.0
_LEAST_GAP_MS = 500  # less is one action that is told as several events

NEW = 10
"""Users with as many events are new no more."""
_CLASSES = NEW + 1
YOUNG, GROWN, CLOCK, COUNT = range(_CLASSES, _CLASSES + 4)
TOTALS = _CLASSES + 4
"""The length of `totals`: weights by how many events their users had, those that counted as of new
users and as of others, the time they are of (ms), and the number of events."""
_TIMES = 10.0  # more than its share
_ROOM = 20.0  # events besides
_LEAST_EVENTS = 300.0
_LOOK = 64  # events, after which limits are computed again


class Watched(NamedTuple):
    """What is known of users.

    Attributes:
        rate, breadth: float32[U], events and items that were new to the user, decayed.
        gaps, mean, square: float32[U], how many gaps between events, the mean of their logarithms
            and their variance, over about `_GAPS_KEPT`.
        at, until: int64[U], the last event and the time up to which nothing is learned from the
            user, or was; ms, 0: none.
        bins: int8[U, 3], the user's votes, −1: none.
        turn, ahead: int64[U], int32[U], the last batch and the user's events in it so far.
        held: int64[U], the last batch in which nothing more was learned from the user.
    """

    rate: Any
    breadth: Any
    gaps: Any
    mean: Any
    square: Any
    at: Any
    until: Any
    bins: Any
    turn: Any
    ahead: Any
    held: Any


class Taken(NamedTuple):
    """What items got from new users and from others, float64[I] each, as of `at` (ms)."""

    young: Any
    grown: Any
    at: Any


@njit(cache=True, nogil=True)
def _centre(votes, total):
    """The median of votes by bin, and the median distance to it, both in bins."""
    half, before, b = 0.5 * total, 0.0, 0
    while before + votes[b] < half:
        before += votes[b]
        b += 1
    middle = b + (half - before) / votes[b]
    low, high, seen, distance = b, b + 1, 0.0, 0.0
    while seen < half:
        below = middle - (low + 0.5) if low >= 0 else np.inf
        above = high + 0.5 - middle if high < votes.shape[0] else np.inf
        if below <= above:
            seen, distance, low = seen + votes[low], below, low - 1
        else:
            seen, distance, high = seen + votes[high], above, high + 1
    return middle, max(distance, 0.0)


@njit(cache=True, nogil=True)
def limits(votes):
    """How far users may go, by what users of their shard have done: float64[3].

        exp(median ± 5 · max(1.4826 · MAD, 0.3)) of logarithms, within fixed bounds

    Args:
        votes: int32[3, BINS], one vote of each user for each measure.
    """
    found = np.empty(3)
    for k in range(3):
        total = votes[k].sum()
        found[k] = _FIRST[k]
        if total < _LEAST_VOTES:
            continue
        middle, distance = _centre(votes[k], total)
        away = _FAR * max(1.4826 * distance * _STEP, _LEAST_DEVIATION)
        value = math.exp(middle * _STEP + (-away if k == SPREAD else away))
        if k == SPREAD:
            value /= 100.0
        found[k] = min(max(value, _LOWEST[k]), _HIGHEST[k])
    return found


@njit(cache=True, nogil=True)
def _vote(u, k, value, bins, votes):
    """Let a user vote for a value, at its bin; votes for a rate or breadth only rise."""
    at = min(max(int(math.log(max(value, 1.0)) / _STEP), 0), votes.shape[1] - 1)
    old = bins[u, k]
    if at == old or (k != SPREAD and at < old):
        return
    if old >= 0:
        votes[k, old] -= 1
    votes[k, at] += 1
    bins[u, k] = at


@njit(cache=True, nogil=True)
def _follow(u, ms, fresh, had, watched, votes):
    """Take what a user's next event says; `fresh`: whether its item was new to the user; `had`: how
    many events the user had before."""
    rate, breadth, gaps = watched.rate, watched.breadth, watched.gaps
    mean, square, at = watched.mean, watched.square, watched.at
    gap = ms - at[u] if at[u] > 0 else 0
    if gap > 0:
        rate[u] *= 2.0 ** (-gap / MINUTES_MS)
        breadth[u] *= 2.0 ** (-gap / DAY_MS)
    if gap >= _LEAST_GAP_MS:
        length = math.log(gap / 1000.0)
        gaps[u] = min(gaps[u] + 1.0, _GAPS_KEPT)
        off = length - mean[u]
        mean[u] += off / gaps[u]
        square[u] = max(square[u] + (off * (length - mean[u]) - square[u]) / gaps[u], 0.0)
    rate[u] += 1.0
    breadth[u] += fresh
    at[u] = max(at[u], ms)
    if had + 1 >= _VOTES_FROM:
        _vote(u, RATE, rate[u], watched.bins, votes)
        _vote(u, BREADTH, breadth[u], watched.bins, votes)
    if gaps[u] >= _GAPS:
        _vote(u, SPREAD, 100.0 * math.sqrt(square[u]), watched.bins, votes)


@njit(cache=True, nogil=True)
def _odd(u, watched, limit):
    """Whether a user is far outside."""
    regular = watched.gaps[u] >= _GAPS_JUDGED and math.sqrt(watched.square[u]) < limit[SPREAD]
    return regular or watched.rate[u] > limit[RATE] or watched.breadth[u] > limit[BREADTH]


@njit(cache=True, nogil=True)
def newness(totals):
    """From how many events on users count as grown: as many as leave to the new ones at most half
    of all, at least 1 and at most `NEW`."""
    whole, part = totals[:_CLASSES].sum(), 0.0
    for k in range(NEW):
        part += totals[k]
        if part >= 0.5 * whole:
            return max(k, 1)
    return NEW


@njit(cache=True, nogil=True)
def crowded(j, ms, weight, had, new, taken, totals):
    """Whether an event would give an item more of new users than its other users explain; if not,
    it is counted. With N of new users and E of others, of the item and (capital sums) of all,

        N_j + w ≤ 10 · (R · E_j + ½ · min(R, 1)) + 20,   R = (ΣN + 1) / (ΣE + 1)

    in units of the mean weight.

    Args:
        j: a slot. ms, weight: of the event. had: events of its user before. new: see `newness`.
        taken, totals: `Taken`, and float64[TOTALS], changed.
    """
    young, grown, at = taken.young, taken.grown, taken.at
    if ms > totals[CLOCK]:
        left = 2.0 ** (-(ms - totals[CLOCK]) / DAY_MS)
        for k in range(TOTALS):
            if k != CLOCK:
                totals[k] *= left
        totals[CLOCK] = ms
    one = 2.0 ** (-(totals[CLOCK] - ms) / DAY_MS)
    left = 2.0 ** (-(totals[CLOCK] - at[j]) / DAY_MS)
    young[j] *= left
    grown[j] *= left
    at[j] = totals[CLOCK]
    amount, mean = weight * one, weight
    if totals[COUNT] > 0.0:
        mean = (totals[YOUNG] + totals[GROWN]) / totals[COUNT]
    if had < new:
        ratio = (totals[YOUNG] + mean) / (totals[GROWN] + mean)
        most = _TIMES * (ratio * grown[j] + 0.5 * min(ratio, 1.0) * mean) + _ROOM * mean
        if totals[COUNT] >= _LEAST_EVENTS and young[j] + amount > most:
            return True
        young[j] += amount
        totals[YOUNG] += amount
    else:
        grown[j] += amount
        totals[GROWN] += amount
    totals[min(had, NEW)] += amount
    totals[COUNT] += one
    return False


@njit(cache=True, nogil=True)
def judge(batch, ts, history, watched, taken, totals, votes, number, held):
    """Decide which events are not learned from. Once one of a user is not, none that follows in
    the batch is.

    Args:
        batch, ts, history: `Batch`, int64[n] ms, `History` as before the batch.
        watched, taken, totals, votes: `Watched`, `Taken`, float64[TOTALS], int32[3, BINS], changed.
        number: of the batch, from 1. held: bool[n], set.

    Returns: how many events are held, how many users are from now on as bots, and as a crowd.
    """
    users, items, weights, flags = batch.users, batch.items, batch.weights, batch.flags
    tail, fill, older, pages = history.tail, history.fill, history.older, history.pages
    until, turn, ahead, stopped = watched.until, watched.turn, watched.ahead, watched.held
    limit, new = limits(votes), newness(totals)
    count = bots = crowd = 0
    for e in range(users.shape[0]):
        if e % _LOOK == _LOOK - 1:  # a replay's batches are long
            limit, new = limits(votes), newness(totals)
        u, j, ms, weight = users[e], items[e], ts[e], np.float64(weights[e])
        if turn[u] != number:
            turn[u], ahead[u] = number, 0
        stop = stopped[u] == number or ms < until[u]
        had, acts = history.events[u] + ahead[u], weight != 0.0 or flags[e] & 1 == 1
        if acts:
            fresh = j < 0 or not consumed(j, u, tail, fill, older, pages)
            _follow(u, ms, fresh, had, watched, votes)
            if _odd(u, watched, limit):
                bots += not stop
                until[u], stop = max(until[u], ms + WEEK_MS), True
        likes = not stop and j >= 0 and weight > 0.0
        if likes and crowded(j, np.float64(ms), weight, had, new, taken, totals):
            crowd += 1
            until[u], stop = ms + np.int64(DAY_MS), True
        ahead[u] += acts
        held[e] = stop
        if stop:
            stopped[u] = number
            count += 1
    return count, bots, crowd


@njit(cache=True, nogil=True)
def forget_votes(bins, votes):
    """Take a user's votes back: int8[3], int32[3, BINS]."""
    for k in range(3):
        if bins[k] >= 0:
            votes[k, bins[k]] -= 1
