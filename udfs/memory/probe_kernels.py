"""The compiled loops of the approximate search: the best items of the most promising clusters.

In: what users want, factors and biases of items, items by cluster (`udfs.memory.cluster_kernels`);
out: ranked slots. Like `udfs.memory.history_kernels` they release the interpreter lock and have
plain twins in the tests. Names of sizes: `I` catalogue slots, `d` factors, `C` clusters, `M` the
most items of a cluster, `N` items of a list.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from udfs.compiling import njit
from udfs.memory.history_kernels import mark
from udfs.memory.prefetch import LINE, prefetch
from udfs.memory.top_kernels import insert
from udfs.memory.vector_kernels import ROUNDING

AHEAD = 16  # items from now that are asked for


class Stock(NamedTuple):
    """The items: float32[I, d], float32[I], bool[I]."""

    q: Any
    bias: Any
    alive: Any


class Wanted(NamedTuple):
    """What users want.

    Attributes:
        users: int32[rows], cache slots; int32[0] where nothing is left out for anybody.
        v, near: float32[rows, d], what each user wants; float32[rows, C], how promising each
            cluster is.
        reach: float32[rows, C]; a cluster is passed over where `near` + `reach` is less than all
            scores of a full list.
        cosine: whether an item's score is the cosine of its factor and v, of length 1, in place of
            b_j + q_j·v.
    """

    users: Any
    v: Any
    near: Any
    reach: Any
    cosine: bool


class Marks(NamedTuple):
    """Memory of one search: int64[I], of an earlier call or all 0, and a number larger than all in
    it. It is marked with `call` + r what the user of row r has consumed."""

    eaten: Any
    call: int


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def _along(j, v, q):
    total = np.float32(0.0)
    for f in range(v.shape[0]):
        total += v[f] * q[j, f]
    return total


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def _cosine(j, v, q):
    total, square = np.float32(0.0), np.float32(1e-24)
    for f in range(v.shape[0]):
        total += v[f] * q[j, f]
        square += q[j, f] * q[j, f]
    return total / np.sqrt(square)


@njit(cache=True, nogil=True)
def _cosines(items, v, q, found):
    """Set `found` to the cosine of v, of length 1, and the factor of each item."""
    for k in range(items.shape[0]):
        found[k] = _cosine(np.uint32(items[k]), v, q)


@njit(cache=True, nogil=True, _nrt=False, fastmath={"reassoc", "contract"})
def _bounds(items, v, codes, scales, found):
    """Set `found` to at least b_j + q_j·v of each item: s (k·v + |v|₁ / 2) + b_j for the s and k of
    `cluster_kernels.sketch`, and a little more, so that rounding does no harm."""
    n, d, margin = items.shape[0], v.shape[0], np.float32(0.0)
    for f in range(d):
        margin += abs(v[f])
    margin *= np.float32(0.51)
    for k in range(n):
        if k + AHEAD < n:
            prefetch(scales, items[k + AHEAD], 0)
            for f in range(0, d, 4 * LINE):
                prefetch(codes, items[k + AHEAD], f)
        j, total = np.uint32(items[k]), margin
        for f in range(d):
            total += v[f] * np.float32(codes[j, f])
        bias = scales[j, 1]
        found[k] = total * scales[j, 0] + bias + ROUNDING * abs(bias)


@njit(cache=True, nogil=True)
def probe(wanted, stock, clusters, probes, marks, history, items, scores):
    """The best items of each user among the members of the most promising clusters, best first,
    equal ones by lower slot; among all items where those are too few for a list.

    Args:
        wanted, stock, clusters, history: `Wanted`, `Stock`, `Clusters` and `History`.
        probes: how many clusters are searched at most.
        marks: `Marks`, changed; no other thread uses them meanwhile.
        items, scores: int32[rows, N] and float32[rows, N], set; −1 and −inf where a row has fewer
            than N items.
    """
    users, v, near, reach = wanted.users, wanted.v, wanted.near, wanted.reach
    q, bias, alive = stock.q, stock.bias, stock.alive
    counts, members, used = clusters.counts, clusters.members, clusters.used[0]
    codes, scales = clusters.codes, clusters.scales
    tail, fill, older, pages = history.tail, history.fill, history.older, history.pages
    eaten, call, cosine, n = marks.eaten, marks.call, wanted.cosine, items.shape[1]
    probes = min(probes, used)
    looked = np.full(used, -1, np.int32)
    order, promise = np.empty(probes, np.int32), np.empty(probes, np.float32)
    found = np.empty(members.shape[1], np.float32)
    for r in range(v.shape[0]):
        row, best, vector = items[r], scores[r], v[r]
        row[:] = -1
        best[:] = -np.inf
        order[:] = -1
        promise[:] = -np.inf
        for k in range(used):
            if near[r, k] > promise[probes - 1] and counts[k] > 0:
                insert(k, near[r, k], order, promise)
        if users.shape[0] > 0:
            mark(call + r, users[r], tail, fill, older, pages, eaten)
        worst = np.float32(-np.inf)
        for place in range(probes + used):
            if place == probes and row[n - 1] >= 0:
                break
            c = order[place] if place < probes else np.int32(place - probes)
            if c < 0 or looked[c] == r:
                continue
            if place < probes and near[r, c] + reach[r, c] < worst:
                continue
            looked[c] = r
            part = members[c, : counts[c]]
            if cosine:
                _cosines(part, vector, q, found)
            else:
                _bounds(part, vector, codes, scales, found)
            for k in range(part.shape[0]):
                if found[k] < worst:
                    continue
                j, score = part[k], found[k]
                if not alive[j] or eaten[j] == call + r:
                    continue
                if not cosine:
                    score = _along(j, vector, q) + bias[j]
                if score > worst or (score == worst and j < row[n - 1]):
                    insert(j, score, row, best)
                    worst = best[n - 1]
