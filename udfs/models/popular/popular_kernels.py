"""The compiled loops over one order of items and what each user has consumed of it.

In: slots in order, history pages; out: ranked slots. Names of sizes: `N` items of a list.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from udfs.compiling import njit
from udfs.memory.history_kernels import PAGE, mark
from udfs.models.offers import names


@njit(cache=True, nogil=True)
def decay(popularity, popularity_at, alive, now_ms, half_life_ms, value, shares):
    """Popularity at `now_ms`, and as a share of the largest.

    Args:
        popularity, popularity_at: float64[I] twice, decayed sums and their times, ms.
        alive: bool[I].
        value: float64[I], set. shares: float32[I], set.
    """
    best = 0.0
    for j in range(len(value)):
        x = 0.0
        if alive[j]:
            x = popularity[j] * 2.0 ** (-max(now_ms - popularity_at[j], 0.0) / half_life_ms)
        value[j] = x
        best = max(best, x)
    best = max(best, 1e-300)
    for j in range(len(value)):
        shares[j] = value[j] / best


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
    """The popular items that each user has consumed, the last consumed first.

    Args:
        near: bool[room], whether a slot counts as popular; slots from room on do too: those items
            are newer than the order, and may be in the next one.
        users: int32[rows], cache slots. history: `History`.
        found: int32[rows, K], set; −1 where a row has fewer than K.
    """
    tail, fill, older, pages = history.tail, history.fill, history.older, history.pages
    room = near.shape[0]
    for r in range(users.shape[0]):
        found[r, :] = -1
        count, page, stop = 0, tail[users[r]], fill[users[r]]
        while page >= 0 and count < found.shape[1]:
            for k in range(stop - 1, -1, -1):
                j = pages[page, k]
                if (j >= room or near[j]) and count < found.shape[1]:
                    found[r, count] = j
                    count += 1
            page, stop = older[page], PAGE
