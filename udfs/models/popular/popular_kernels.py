"""The compiled loops over one order of items and what each user has consumed of it.

In: slots in order, history pages; out: ranked slots. Names of sizes: `N` items of a list.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

import numpy as np

from udfs.compiling import njit
from udfs.memory.history_kernels import PAGE, mark


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
        items[r, :] = -1
        count = 0
        for j in order:
            if count == items.shape[1]:
                break
            if exclude and eaten[j] == r:
                continue
            items[r, count] = j
            count += 1


@njit(cache=True, nogil=True)
def near_top(near, users, history, found):
    """The popular items that each user has consumed, the last consumed first.

    Args:
        near: bool[room], whether a slot counts as popular; a history may name slots that are not
            below room. users: int32[rows], cache slots. history: `History`.
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
                if j < room and near[j] and count < found.shape[1]:
                    found[r, count] = j
                    count += 1
            page, stop = older[page], PAGE
