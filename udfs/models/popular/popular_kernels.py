"""The compiled loop that leaves out of one order what each user has consumed.

In: slots in order, history pages; out: ranked slots. Names of sizes: `N` items of a list.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

import numpy as np

from udfs.compiling import njit
from udfs.memory.history_kernels import mark


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
