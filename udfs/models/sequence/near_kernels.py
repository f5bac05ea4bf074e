"""The compiled loops of the source `sequence`: from histories to rows of a vocabulary, and from
products of vectors to the best items.

In: history pages, which row each slot has and the other way round, products. Out: what the network
is given, ranked slots. Names of sizes: `I` catalogue slots, `V` rows of the vocabulary, `L` last
items, `N` items of a list.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

import numpy as np

from udfs.compiling import njit
from udfs.memory.history_kernels import PAGE, consumed
from udfs.memory.top_kernels import insert


@njit(cache=True, nogil=True, _nrt=False)
def last_rows(users, history, row, out):
    """The last items of each user that the model knows and the user did not dislike, oldest first.

    Args:
        users: int32[n], cache slots; −1 for nobody in particular. history: `History`.
        row: int32[I], 0: not known. out: int64[n, L], set, 0 before the first item.
    """
    older, pages, disliked = history.older, history.pages, history.disliked
    for r in range(users.shape[0]):
        at = out.shape[1]
        for k in range(at):
            out[r, k] = 0
        if users[r] < 0:
            continue
        page, stop = history.tail[users[r]], history.fill[users[r]]
        while page >= 0 and at > 0:
            for k in range(stop - 1, -1, -1):
                j = pages[page, k]
                if at == 0 or j < 0 or j >= row.shape[0]:
                    continue
                if row[j] > 0 and (disliked[page] >> np.uint32(k)) & np.uint32(1) == 0:
                    at -= 1
                    out[r, at] = row[j]
            page, stop = older[page], PAGE


@njit(cache=True, nogil=True)
def nearest(products, slot, users, shown, exclude, history, items, scores):
    """The items with the largest products of each user, best first, equal ones by lower slot.

    Args:
        products: float32[n, V], of which those with row 0 are passed over. slot: int32[V], −1:
            nobody has met the item. users: int32[n], cache slots, −1 for nobody in particular.
        shown: bool[I], items that may be in lists. exclude: leave out what a user has consumed.
        history: `History`. items, scores: int32[n, N], float32[n, N], set; −1 and −inf where there
            are fewer.
    """
    tail, fill, older, pages = history.tail, history.fill, history.older, history.pages
    last = items.shape[1] - 1
    for r in range(products.shape[0]):
        row, best, user = items[r], scores[r], users[r]
        row[:] = -1
        best[:] = -np.inf
        for v in range(1, products.shape[1]):
            score, j = products[r, v], slot[v]
            if j < 0 or not shown[j] or score < best[last]:
                continue
            if score == best[last] and j > row[last] >= 0:
                continue
            if exclude and user >= 0 and consumed(j, user, tail, fill, older, pages):
                continue
            insert(j, score, row, best)
