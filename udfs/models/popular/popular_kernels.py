"""The compiled loops over one order of items and what each user has consumed of it.

In: slots in order, history pages; out: ranked slots. Names of sizes: `N` items of a list.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from udfs.compiling import njit
from udfs.memory.history_kernels import PAGE, among, mark
from udfs.memory.popularity_kernels import left
from udfs.memory.top_kernels import insert
from udfs.models.offers import names

HALF_LIVES = 5
"""The half-lives: an hour, the one of `popularity` (a day), a week, four weeks, none."""
LEVELS = HALF_LIVES + 1
"""These, and what strangers take first."""
BEST = 10
"""How many items count as the most popular at a level."""

OVERALL, WITHIN = 1, 2
"""Near the top of what is popular, or of what is in a category."""


class Sums(NamedTuple):
    """What is known of popularity, as in `Catalogue`: float64[I], float64[I] ms, float64[I, 4]."""

    popularity: Any
    popularity_at: Any
    sums: Any


@njit(cache=True, nogil=True, _nrt=False)
def decay(given, alive, now_ms, half_life_ms, levels):
    """Popularity at `now_ms`, at each half-life.

    Args:
        given: `Sums`. alive: bool[I]. half_life_ms: of `popularity`.
        levels: float64[6, room], of which the first I columns of the half-lives' rows are set; 0
            for what is not alive.
    """
    popularity, popularity_at, sums = given.popularity, given.popularity_at, given.sums
    for j in range(len(alive)):
        age = max(now_ms - popularity_at[j], 0.0)
        hour, week, month = left(age)
        here = 1.0 if alive[j] else 0.0
        levels[0, j] = here * hour * sums[j, 0]
        levels[1, j] = here * popularity[j] * 2.0 ** (-age / half_life_ms)
        levels[2, j] = here * week * sums[j, 1]
        levels[3, j] = here * month * sums[j, 2]
        levels[4, j] = here * sums[j, 3]


@njit(cache=True, nogil=True)
def mix(levels, weights, shares):
    """Mix the shares of each item at the first levels, and divide by the largest.

        s_j = Σ_h w_h p_hj / Σ_k p_hk

    Args:
        levels: float64[6, room], p. weights: float64[H], w, H ≤ 6. shares: float32[I], set.
    """
    value = np.zeros(len(shares))
    for h in range(weights.shape[0]):
        row, total = levels[h, : len(shares)], 0.0
        if weights[h] > 0.0:
            total = row.sum()
        if total > 0.0:
            value += weights[h] / total * row
    best = 1e-300
    for j in range(len(shares)):
        best = max(best, value[j])
    for j in range(len(shares)):
        shares[j] = value[j] / best


@njit(cache=True, nogil=True)
def mark_best(levels, size, best):
    """Mark the most popular items at each level.

    Args:
        levels: float64[6, room]. best: uint8[size], set: bit h where an item is one of the `BEST`
            with the largest levels[h], above 0; equal ones by lower slot.
    """
    best[:] = 0
    slots, values = np.empty(BEST, np.int32), np.empty(BEST, np.float32)
    for h in range(levels.shape[0]):
        slots[:], values[:] = -1, 0.0
        for j in range(size):
            x = np.float32(levels[h, j])
            if x > values[BEST - 1]:
                insert(j, x, slots, values)
        for j in slots:
            if j >= 0:
                best[j] |= np.uint8(1 << h)


@njit(cache=True, nogil=True)
def resort(shares, alive, order, count, listed, most):
    """Put living slots in order again, of which few have moved since the last time.

    Insertion sort: linear in the number of slots and in how far they move.

    Args:
        shares: float32[I]. alive: bool[I].
        order: int32[room], room ≥ I, changed: the first `count` are the last order.
        listed: bool[room], set: which slots were in it. most: places that all may move in all.

    Returns: the number of living slots; −1 if more has moved, then `order` holds nothing.
    """
    listed[:] = False
    n = 0
    for k in range(count):  # slots that are no more are left out
        j = order[k]
        if j < len(shares) and alive[j]:
            listed[j] = True
            order[n] = j
            n += 1
    for j in range(len(shares)):
        if alive[j] and not listed[j]:
            order[n] = j
            n += 1
    for k in range(1, n):
        j = order[k]
        at = k
        while at > 0:
            other = order[at - 1]
            if shares[other] > shares[j] or (shares[other] == shares[j] and other < j):
                break
            order[at] = other
            at -= 1
        order[at] = j
        most -= k - at
        if most < 0:
            return -1
    return n


@njit(cache=True, nogil=True)
def first_unseen(order, room, users, exclude, history, items):
    """The first N of `order` (int32[m], slots) for each user, without what the user has consumed.

    Args:
        room: all of `order` are below it; a history may name slots that are not.
        users: int32[rows], cache slots, −1 for nobody. exclude: whether what they consumed is
            left out. history: `History`.
        items: int32[rows, N], set; −1 where a row has fewer than N items.
    """
    tail, fill, older, pages = history.tail, history.fill, history.older, history.pages
    eaten = np.full(room if exclude else 0, -1, np.int32)
    for r in range(users.shape[0]):
        if exclude and users[r] >= 0:
            mark(r, users[r], tail, fill, older, pages, eaten)
        _first(order, eaten, r, items[r])


@njit(cache=True, nogil=True)
def _first(order, marks, call, row):
    """Set `row` (int32[N]) to the first of `order` that `marks`, if there are any, do not mark as
    `call`, −1 where there are fewer."""
    row[:] = -1
    count = 0
    for j in order:
        if count == row.shape[0]:
            break
        if j < marks.shape[0] and marks[j] == call:
            continue
        row[count] = j
        count += 1


class Unseen(NamedTuple):
    """The order for everybody.

    Attributes:
        order: int32[m], living slots, the most popular first.
    """

    order: Any


@njit(cache=True, nogil=True)
def name_unseen(view, asked, history, scratch, column, n):
    """The first of the order that each user has not consumed, see `udfs.models.offers.names`."""
    tail, fill, older, pages = history.tail, history.fill, history.older, history.pages
    extra, users, call, marks = asked.extra, asked.users, scratch.call, scratch.mark
    for r in range(asked.begin, asked.end):
        call[0] += 2
        if asked.exclude and users[r] >= 0:
            mark(call[0], users[r], tail, fill, older, pages, marks)
        _first(view.order, marks, call[0], extra[r, column : column + n])


names(Unseen, name_unseen)


@njit(cache=True, nogil=True)
def near_top(near, users, history, found):
    """The popular items that each user has consumed, the last consumed first; then those that are
    popular only within a category, in the same order.

    Args:
        near: uint8[room], OVERALL for a slot that counts as popular, WITHIN for one that does in a
            category only; slots from room on are OVERALL too: those items are newer than the order,
            and may be in the next one.
        users: int32[rows], cache slots. history: `History`.
        found: int32[rows, K], set; −1 where a row has fewer than K.
    """
    tail, fill, older, pages = history.tail, history.fill, history.older, history.pages
    room, most = near.shape[0], found.shape[1]
    for r in range(users.shape[0]):
        found[r, :] = -1
        count, within, page, stop = 0, 0, tail[users[r]], fill[users[r]]
        while page >= 0 and count < most:
            for k in range(stop - 1, -1, -1):
                j = pages[page, k]
                level = near[j] if j < room else np.uint8(OVERALL)
                if history.repeats and (
                    among(j, found[r], 0, count) or among(j, found[r], most - within, most)
                ):
                    continue
                if level == OVERALL and count < most:
                    found[r, count] = j
                    count += 1
                elif level == WITHIN and count + within < most:
                    within += 1  # from the end on, as long as there is room
                    found[r, most - within] = j
            page, stop = older[page], PAGE
        within = min(within, most - count)
        for k in range(within // 2):
            a, b = most - 1 - k, most - within + k
            found[r, a], found[r, b] = found[r, b], found[r, a]
        for k in range(within if count + within < most else 0):
            found[r, count + k] = found[r, most - within + k]
        found[r, count + within :] = -1
