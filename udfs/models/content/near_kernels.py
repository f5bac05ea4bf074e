"""The compiled loops from a user's last items to the new items that are like them.

In: vectors of items in groups, history pages; out: what each user likes as a vector, candidates for
the ranker, the history items behind them. Names of sizes: `I` catalogue slots, `W` numbers of a
vector, `G` groups, `H` history items, `N` items of a list.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from udfs.compiling import njit
from udfs.memory import history_kernels
from udfs.memory.prefetch import prefetch
from udfs.memory.top_kernels import insert
from udfs.models.content.group_kernels import ITEMS, USED, product
from udfs.models.offers import names

LENGTH = np.float32(4064.0)  # of a user's vector: 32 times that of an item's
GROUPS = 32  # that are looked at for a list at most
_WARM = 2  # times as many items are looked at for a list, where most are no new ones


class Alike(NamedTuple):
    """What is read, and where its results are put.

    Attributes:
        groups: `Groups`. shown: bool[I], items that may be in lists. events: int64[I].
        position: float32[H], the weights of the last H items of a history.
        few: of items with so many events none is wanted. most: how many others are looked at.
        profiles: int16[rows, W]: see `profile`. known: whether they are set already.
        touched, lead: int8[U, W], the vector of what each user touched last, all 0 if that is not
            known; and how many times as much as all others together it counts.
    """

    groups: Any
    shown: Any
    events: Any
    position: Any
    few: int
    most: int
    profiles: Any
    known: bool
    touched: Any
    lead: float


@njit(cache=True, nogil=True, _nrt=False)
def _set(row, total, profiles):
    """Set a row to `total`, float32[W], brought to `LENGTH`; to 0 if it is shorter than 1."""
    square = np.float32(1e-12)
    for f in range(total.shape[0]):
        square += total[f] * total[f]
    scale = LENGTH / np.sqrt(square) if square > 1.0 else np.float32(0.0)
    for f in range(total.shape[0]):
        profiles[row, f] = np.int16(total[f] * scale)


@njit(cache=True, nogil=True, _nrt=False)
def profile(user, row, history, alike, last, total):
    """Set `alike.profiles[row]` to what a user likes, a vector of `LENGTH`, all 0 if that is not
    known: Σ_k w_k x_{h_k} over the last H items h_k, w_k = `position[k]`, less than 0 for one
    that the user did not like. Brought to length 1, `lead` times the vector of what the user
    touched last, perhaps once more, is added.

    Args:
        last, total: int32[H], float32[W], memory.
    """
    position, profiles, vectors = alike.position, alike.profiles, alike.groups.vectors
    total[:] = 0.0
    length = history_kernels.recent(user, history, 0, last)
    for k in range(length):
        prefetch(vectors, last[k] if last[k] >= 0 else -1 - last[k], 0)
    for k in range(length):
        h, weight = last[k], position[k]
        if h < 0:
            h, weight = -1 - h, -weight
        if h < vectors.shape[0]:
            for f in range(total.shape[0]):
                total[f] += weight * np.float32(vectors[h, f])
    _set(row, total, profiles)
    if alike.lead > 0.0:
        times = np.float32(alike.lead) * LENGTH / np.float32(127.0)
        for f in range(total.shape[0]):
            total[f] = np.float32(profiles[row, f]) + times * np.float32(alike.touched[user, f])
        _set(row, total, profiles)


@njit(cache=True, nogil=True, _nrt=False)
def _look(row, group, call, alike, marks, items, scores):
    """Put those items of a group that are wanted, and not marked as `call`, among the best of a
    row; returns how many items were looked at, and how many of them were wanted."""
    groups, shown, events, profiles = alike.groups, alike.shown, alike.events, alike.profiles
    few = alike.few
    vectors, after = groups.vectors, groups.after
    at, last = groups.heads[group], items.shape[0] - 1
    looked = new = 0
    while at > 0:
        j, at = at - 1, after[at - 1]
        if at > 0:
            prefetch(vectors, at - 1, 0)
        looked += 1
        if events[j] >= few or not shown[j] or marks[j] == call:
            continue
        new += 1
        score = np.float32(product(row, profiles, j, vectors))
        if score > scores[last] or (score == scores[last] and j < items[last]):
            insert(j, score, items, scores)
    return looked, new


@njit(cache=True, nogil=True)
def near(users, begin, end, exclude, history, alike, marks, call, out, column, n):
    """The new items most like the last items of each user, best first.

    Groups are searched in the order of the product of their centres and the user's vector, until
    enough items were looked at.

    Args:
        users: int32[rows], cache slots, of which those from `begin` to `end` − 1 are served; −1 for
            nobody in particular, whose vector must be known.
        exclude: whether what they consumed is left out. history, alike: `History`, `Alike`.
        marks, call: int64[I], int64[…], `marks` below 2 + `call[0]`, which is increased.
        out: int32[rows, …], of which n columns from `column` on are set, −1 where there are fewer.
    """
    groups, profiles, most = alike.groups, alike.profiles, alike.most
    used, centres, heads = groups.counts[USED], groups.centres, groups.heads
    tail, fill, older, pages = history.tail, history.fill, history.older, history.pages
    last = np.empty(alike.position.shape[0], np.int32)
    total = np.empty(profiles.shape[1], np.float32)
    order, promise = np.empty(GROUPS, np.int32), np.empty(GROUPS, np.float32)
    scores = np.empty(n, np.float32)
    for r in range(begin, end):
        row = out[r, column : column + n]
        row[:] = -1
        if not alike.known:
            profile(users[r], r, history, alike, last, total)
        if product(r, profiles, r, profiles) == 0:
            continue
        call[0] += 2
        if exclude and users[r] >= 0:
            history_kernels.mark(call[0], users[r], tail, fill, older, pages, marks)
        order[:] = -1
        promise[:] = -np.inf
        for g in range(used):
            value = np.float32(product(r, profiles, g, centres))
            if value > promise[GROUPS - 1] and heads[g] > 0:
                insert(g, value, order, promise)
        scores[:] = -np.inf
        looked = new = 0
        for k in range(GROUPS):
            if order[k] < 0 or looked >= _WARM * most or new >= most:
                break
            some, fresh = _look(r, order[k], call[0], alike, marks, row, scores)
            looked += some
            new += fresh


@njit(cache=True, nogil=True, inline="always")
def named(n):
    """How many candidates content names for a list of n: each costs as much as any other."""
    return (n + 1) // 2


@njit(cache=True, nogil=True)
def name_alike(view, asked, history, scratch, column, n):
    """See `udfs.models.offers.names`; where no item is described, nothing else is done."""
    extra, begin, end = asked.extra, asked.begin, asked.end
    for r in range(begin, end):
        extra[r, column : column + n] = -1
    if view.groups.counts[ITEMS] == 0:
        return
    marks, call, n = scratch.mark, scratch.call, named(n)
    near(asked.users, begin, end, asked.exclude, history, view, marks, call, extra, column, n)


names(Alike, name_alike)


@njit(cache=True, nogil=True)
def explain(users, items, history, alike, reasons):
    """The history items most like each item of a list, each times its weight, the largest first.

    Args:
        users, items: int32[rows], int32[rows, N]: cache slots, and slots, −1 for those that are
            passed over. history, alike: `History`, `Alike`.
        reasons: int32[rows, N, R], set, −1 where there are fewer.
    """
    vectors, position = alike.groups.vectors, alike.position
    last = np.empty(position.shape[0], np.int32)
    parts = np.empty(reasons.shape[2], np.float32)
    for r in range(users.shape[0]):
        length = history_kernels.recent(users[r], history, 0, last)
        for at in range(items.shape[1]):
            reasons[r, at] = -1
            j = items[r, at]
            if j < 0:
                continue
            parts[:] = 0.0
            for k in range(length):
                h = last[k]
                if 0 <= h < vectors.shape[0]:
                    part = position[k] * np.float32(product(h, vectors, j, vectors))
                    if part > parts[-1] and not (
                        history.repeats and history_kernels.among(h, last, 0, k)
                    ):
                        insert(h, part, reasons[r, at], parts)
