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

_BLOCK = 64  # items whose bounds are looked at together
_CHUNK = 512  # items after which the worst score of a list is looked at again
_MARKS = 255  # rows that a byte tells apart
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


@njit(cache=True, nogil=True, _nrt=False, fastmath={"contract"})
def _possible(begin, end, limits, stock, eaten, call, bound, hits):
    """Set `hits` to the slots from `begin` to `end` that may have a product of `limits[2]` or more,
    by their bounds, and are alive and not `eaten`; returns how many.

    Args:
        limits: v·e, the length of the rest, and the least. bound: float32[_BLOCK], memory.
    """
    bias, along, across, alive = stock.bias, stock.along, stock.across, stock.alive
    to, far, least = limits
    count = np.int32(0)
    for first in range(begin, end, _BLOCK):
        at, some = np.uint64(first), np.int32(0)
        length = min(_BLOCK, end - first)
        for k in range(length):
            j = at + np.uint64(k)
            bound[k] = bias[j] + to * along[j] + far * across[j]
            some += np.int32(bound[k] >= least)
        if some > 0:
            for k in range(length):  # without a branch: nobody could predict which are possible
                j = at + np.uint64(k)
                hits[np.uint32(count)] = j
                count += np.int32((bound[k] >= least) & (eaten[j] != call) & alive[j])
    return count


@njit(cache=True, nogil=True, _nrt=False, fastmath={"reassoc", "contract"})
def _products(hits, count, v, q, bias, out):
    """Set `out` to b_j + q_j·v of the first `count` of `hits`."""
    for k in range(count):
        j = np.uint32(hits[k])
        total = np.float32(0.0)
        for f in range(v.shape[0]):
            total += v[f] * q[j, f]
        out[k] = bias[j] + total


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
    tail, fill, older, pages = history.tail, history.fill, history.older, history.pages
    n, at = items.shape[1], 0
    eaten = np.zeros(q.shape[0], np.uint8)
    bound = np.empty(_BLOCK, np.float32)
    room = max(_CHUNK, strong.shape[0]) + 1
    hits, found = np.empty(room, np.int32), np.empty(room, np.float32)
    for r in range(users.shape[0]):
        # Taken out once: a row taken out within a loop is counted each time.
        row, best, vector = items[r], scores[r], v[r]
        row[:] = -1
        best[:] = -np.inf
        call = np.uint8(r % _MARKS + 1)
        if call == 1:
            eaten[:] = 0
        if exclude:
            mark(call, users[r], tail, fill, older, pages, eaten)
        count = 0
        for j in strong:
            if j < size and eaten[j] != call and alive[j]:
                eaten[j] = call
                hits[count] = j
                count += 1
        for begin in range(-_CHUNK, size, _CHUNK):
            if begin >= 0:
                limits = to[r], far[r], best[n - 1] - _SLACK
                end = min(begin + _CHUNK, size)
                count = _possible(begin, end, limits, stock, eaten, call, bound, hits)
            _products(hits, count, vector, q, bias, found)
            for k in range(count):
                score, worst = found[k], best[n - 1]
                if score > worst or (score == worst and hits[k] < row[n - 1]):
                    insert(hits[k], score, row, best)
        for k in range(n):
            if row[k] >= 0:
                strong[at] = row[k]
                at = (at + 1) % strong.shape[0]
