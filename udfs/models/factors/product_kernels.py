"""The compiled loop of the exact search: the items with the largest products for each user.

In: factor matrices, history pages and cache slots; out: ranked slots. Like all kernels it releases
the interpreter lock and has a plain NumPy twin in the tests. Names of sizes: `U` users in the
cache, `I` catalogue slots, `d` factors, `N` items of a list.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from udfs.compiling import njit
from udfs.memory.history_kernels import mark
from udfs.memory.top_kernels import insert

_BLOCK = 32  # items whose bounds are looked at together
_SLACK = np.float32(2e-5)  # far above the rounding error of a sum of biases


class Stock(NamedTuple):
    """The items to choose from, of which the first `size` slots are in use.

    Attributes:
        q, bias, alive: float32[I, d], float32[I], bool[I].
        along, across: float32[I] twice, bounds of products (`vector_kernels.measure`).
        strong: int32[S], slots to try first, set to those of the last lists. They change no list.
    """

    q: Any
    bias: Any
    alive: Any
    along: Any
    across: Any
    size: int
    strong: Any


class Wanted(NamedTuple):
    """What users want.

    Attributes:
        users: int32[rows], cache slots. v: float32[rows, d].
        to, far: float32[rows] twice, v_u·e and the length of the rest.
    """

    users: Any
    v: Any
    to: Any
    far: Any


@njit(cache=True, nogil=True)
def _bounds(begin, stop, bias, along, across, to, far, bound):
    """Set `bound` to what b_j + q_j·v is at most, for the slots from `begin` to `stop`."""
    for k in range(stop - begin):
        j = np.uint32(begin + k)
        bound[k] = bias[j] + to * along[j] + far * across[j]


@njit(cache=True, nogil=True)
def _possible(begin, stop, bound, least, alive, eaten, row, hits):
    """Set `hits` to the slots from `begin` to `stop` that may have `least` or more, by their
    bounds, and are alive and not `eaten`; returns how many."""
    some = np.int32(0)
    for k in range(stop - begin):
        some += np.int32(bound[k] >= least)
    count = 0
    if some > 0:
        for k in range(stop - begin):
            j = np.uint32(begin + k)
            hits[count] = j
            count += (bound[k] >= least) & (eaten[j] != row) & alive[j]
    return count


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def _product(j, v, q, bias):
    total = np.float32(0.0)
    for f in range(v.shape[0]):
        total += v[f] * q[j, f]
    return bias[j] + total


@njit(cache=True, nogil=True)
def best_products(wanted, stock, exclude, history, items, scores):
    """The items with the largest b_i + q_i·v_u of each user, best first, equal ones by lower slot.

    Exact: only items are left out whose bound b_i + (q_i·e)(v_u·e) + |…|·|…|
    (`vector_kernels.measure`) lies below the worst score of a full list. `strong` items come first,
    to have one soon, then all by blocks, in which bounds are vectorised.

    Args:
        wanted, stock: `Wanted` and `Stock`, `strong` changed.
        exclude: leave out what each user has consumed. history: `History`.
        items, scores: int32[rows, N] and float32[rows, N], set; −1 and −inf where a row has fewer
            than N items.
    """
    users, v, to, far = wanted.users, wanted.v, wanted.to, wanted.far
    q, bias, alive, size, strong = stock.q, stock.bias, stock.alive, stock.size, stock.strong
    along, across = stock.along, stock.across
    tail, fill, older, pages = history.tail, history.fill, history.older, history.pages
    n, at = items.shape[1], 0
    eaten = np.full(q.shape[0], -1, np.int32)
    bound, hits = np.empty(_BLOCK, np.float32), np.empty(_BLOCK + 1, np.int32)
    for r in range(users.shape[0]):
        # Taken out once: a row taken out within a loop is counted each time.
        row, best, vector = items[r], scores[r], v[r]
        row[:] = -1
        best[:] = -np.inf
        worst = np.float32(-np.inf)
        if exclude:
            mark(r, users[r], tail, fill, older, pages, eaten)
        for j in strong:
            if j < size and eaten[j] != r and alive[j]:
                eaten[j] = r
                score = _product(j, vector, q, bias)
                if score > worst or (score == worst and j < row[n - 1]):
                    insert(j, score, row, best)
                    worst = best[n - 1]
        for begin in range(0, size, _BLOCK):
            stop = min(begin + _BLOCK, size)
            _bounds(begin, stop, bias, along, across, to[r], far[r], bound)
            count = _possible(begin, stop, bound, worst - _SLACK, alive, eaten, r, hits)
            for k in range(count):
                score = _product(hits[k], vector, q, bias)
                if score > worst or (score == worst and hits[k] < row[n - 1]):
                    insert(hits[k], score, row, best)
                    worst = best[n - 1]
        for k in range(n):
            if row[k] >= 0:
                strong[at] = row[k]
                at = (at + 1) % strong.shape[0]
