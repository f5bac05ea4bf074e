"""The compiled loops of the approximate search: clusters of items, kept up to date as factors move.

In: factors and biases of items; out: which items stand together, and the best of the most promising
clusters. Like `udfs.kernels` they release the interpreter lock and have plain twins in the tests.
Names of sizes: `I` catalogue slots, `d` factors, `C` clusters, `M` the most items of a cluster, `N`
items of a list. The point of an item is its factor with its bias behind it, d + 1 numbers.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from udfs.kernels import dot, mark
from udfs.list_kernels import insert

DRIFTED = np.float32(1.5)  # an item is placed anew this many times as far from its centre, squared
_LEAST_SHARE = 8  # a split that leaves less than one in so many on a side is none
_ITERATIONS = 4


class Clusters(NamedTuple):
    """Items by cluster.

    Attributes:
        centres: float32[C, d + 1], the mean of the members' points when it was last computed.
        lengths, radius: float32[C] twice, half of its squared length, and the mean squared distance
            of the members.
        members, counts: int32[C, M], int32[C], slots, the first `counts` of each row.
        changes: int32[C], how often a member has come or moved since `centres` was computed.
        of, at: int32[I] twice, the cluster of each slot, −1 for none, and where it stands there.
        distance: float32[I], squared distance to the centre when the item was placed.
        used: int64[1], the clusters in use, the first so many.
    """

    centres: Any
    lengths: Any
    radius: Any
    members: Any
    counts: Any
    changes: Any
    of: Any
    at: Any
    distance: Any
    used: Any


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def _product(j, c, q, bias, centres):
    d = q.shape[1]
    total = np.float32(0.0)
    for f in range(d):
        total += q[j, f] * centres[c, f]
    return total + bias[j] * centres[c, d]


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def _squared(j, c, q, bias, centres):
    d = q.shape[1]
    total = np.float32(0.0)
    for f in range(d):
        total += (q[j, f] - centres[c, f]) ** 2
    return total + (bias[j] - centres[c, d]) ** 2


@njit(cache=True, nogil=True)
def _nearest(j, q, bias, centres, lengths, used):
    """The cluster whose centre c has the largest x·c − |c|²/2: the nearest one."""
    best, most = 0, np.float32(-np.inf)
    for c in range(used):
        value = _product(j, c, q, bias, centres) - lengths[c]
        if value > most:
            best, most = c, value
    return best


@njit(cache=True, nogil=True)
def _recentre(c, q, bias, clusters):
    """Compute the centre of a cluster anew."""
    centres, members, n = clusters.centres, clusters.members, clusters.counts[c]
    clusters.changes[c] = 0
    if n == 0:
        return
    d = q.shape[1]
    centre = centres[c]
    centre[:] = np.float32(0.0)
    for k in range(n):
        j = members[c, k]
        for f in range(d):
            centre[f] += q[j, f]
        centre[d] += bias[j]
    for f in range(d + 1):
        centre[f] /= np.float32(n)
    clusters.lengths[c] = np.float32(0.5) * dot(centre, centre)
    total = np.float32(0.0)
    for k in range(n):
        total += _squared(members[c, k], c, q, bias, centres)
    clusters.radius[c] = total / np.float32(n)


@njit(cache=True, nogil=True)
def _remove(j, clusters):
    c, place = clusters.of[j], clusters.at[j]
    clusters.counts[c] -= 1
    last = clusters.members[c, clusters.counts[c]]
    clusters.members[c, place] = last
    clusters.at[last] = place
    clusters.of[j] = -1


@njit(cache=True, nogil=True)
def _add(j, c, clusters):
    n = clusters.counts[c]
    clusters.members[c, n] = j
    clusters.of[j], clusters.at[j] = c, n
    clusters.counts[c] = n + 1
    clusters.changes[c] += 1


@njit(cache=True, nogil=True)
def _sides(c, q, bias, clusters, beyond):
    """Set `beyond` (bool[M]) to which members of a cluster lie beyond its centre along the
    direction in which they differ most, by power iteration."""
    centres, members, n, d = clusters.centres, clusters.members, clusters.counts[c], q.shape[1]
    x = np.empty((n, d + 1), np.float32)
    along, w = np.empty(n, np.float32), np.zeros(d + 1, np.float32)
    farthest = np.float32(-1.0)
    for k in range(n):
        j = members[c, k]
        for f in range(d):
            x[k, f] = q[j, f] - centres[c, f]
        x[k, d] = bias[j] - centres[c, d]
        length = dot(x[k], x[k])
        if length > farthest:
            farthest = length
            w[:] = x[k]
    for _ in range(_ITERATIONS):
        for k in range(n):
            along[k] = dot(x[k], w)
        w[:] = np.float32(0.0)
        for k in range(n):
            for f in range(d + 1):
                w[f] += along[k] * x[k, f]
        w /= max(np.sqrt(dot(w, w)), np.float32(1e-30))
    count = 0
    for k in range(n):
        beyond[k] = dot(x[k], w) > 0.0
        count += beyond[k]
    if min(count, n - count) * _LEAST_SHARE < n:
        for k in range(n):
            beyond[k] = k % 2 == 1


@njit(cache=True, nogil=True)
def _split(c, q, bias, clusters):
    """Move the members of a full cluster that `_sides` tells into a new one; returns that."""
    members, counts = clusters.members, clusters.counts
    beyond = np.empty(members.shape[1], np.bool_)
    _recentre(c, q, bias, clusters)
    _sides(c, q, bias, clusters, beyond)
    fresh = clusters.used[0]
    clusters.used[0] += 1
    n, counts[c], counts[fresh] = counts[c], 0, 0
    for k in range(n):
        _add(members[c, k], fresh if beyond[k] else c, clusters)
    for part in (c, fresh):
        _recentre(part, q, bias, clusters)
        for k in range(counts[part]):
            j = members[part, k]
            clusters.distance[j] = _squared(j, part, q, bias, clusters.centres)
    return fresh


@njit(cache=True, nogil=True)
def dissolve(c, clusters, slots):
    """Take all members out of cluster `c` into `slots` (int32[M]); returns how many. The last of
    the clusters in use takes its number."""
    centres, members, counts, of = clusters.centres, clusters.members, clusters.counts, clusters.of
    n, last = counts[c], clusters.used[0] - 1
    for k in range(n):
        slots[k] = members[c, k]
        of[members[c, k]] = -1
    for f in range(centres.shape[1]):
        centres[c, f] = centres[last, f]
    for k in range(counts[last]):
        members[c, k] = members[last, k]
    if c != last:
        for k in range(counts[last]):
            of[members[c, k]] = c
    clusters.lengths[c], clusters.radius[c] = clusters.lengths[last], clusters.radius[last]
    counts[c], clusters.changes[c] = counts[last], clusters.changes[last]
    counts[last] = 0
    clusters.used[0] = last
    return n


@njit(cache=True, nogil=True)
def place(slots, q, bias, clusters):
    """Put items whose points have changed where they belong now.

    An item stays in its cluster until it is far from the centre: more than `DRIFTED` times as far
    (squared) as when it came, and as the members are on average. It then joins the cluster of the
    nearest centre, which is split in two where it is full. The centre of a cluster is computed anew
    when there have been as many changes as it has members.

    Args:
        slots: int32[m], in order. q, bias: float32[I, d], float32[I].
        clusters: `Clusters`, changed in place; at least one in use, and m more than are in use.
    """
    # Taken out once: members taken out of a tuple within a loop would be counted each time.
    centres, lengths, radius, counts = (
        clusters.centres, clusters.lengths, clusters.radius, clusters.counts,
    )  # fmt: skip
    changes, of, distance = clusters.changes, clusters.of, clusters.distance
    room = clusters.members.shape[1]
    for j in slots:
        c = of[j]
        if c >= 0:
            changes[c] += 1
            if changes[c] > counts[c]:
                _recentre(c, q, bias, clusters)
            if _squared(j, c, q, bias, centres) <= DRIFTED * max(distance[j], radius[c]):
                continue
            _remove(j, clusters)
        c = _nearest(j, q, bias, centres, lengths, clusters.used[0])
        if counts[c] == room:
            fresh = _split(c, q, bias, clusters)
            if _squared(j, fresh, q, bias, centres) < _squared(j, c, q, bias, centres):
                c = fresh
        _add(j, c, clusters)
        distance[j] = _squared(j, c, q, bias, centres)


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


@njit(cache=True, nogil=True)
def _scores(items, v, q, bias, found):
    """Set `found` to b_j + q_j·v of each item."""
    for k in range(items.shape[0]):
        j = np.uint32(items[k])
        found[k] = _along(j, v, q) + bias[j]


@njit(cache=True, nogil=True)
def probe(
    v, near, reach, probes, cosine, q, bias, alive, counts, members, eaten, call,
    exclude, users, tail, fill, older, pages, items, scores,
):  # fmt: skip
    """The best items of each user among the members of the most promising clusters, best first,
    equal ones by lower slot; among all items where those are too few for a list.

    Args:
        v, near: float32[rows, d], what each user wants; float32[rows, C], how promising each
            cluster is.
        reach: float32[rows, C]; a cluster is passed over where `near` + `reach` is less than all
            scores of a full list.
        probes: how many clusters are searched at most.
        cosine: whether an item's score is the cosine of its factor and v, of length 1, in place of
            b_j + q_j·v.
        q, bias, alive: float32[I, d], float32[I], bool[I].
        counts, members: int32[C], int32[C, M], as in `Clusters`, those in use.
        eaten: int64[I], of an earlier call or all 0. call: int64, larger than all in it; it is
            marked with `call` + r what the user of row r has consumed.
        exclude, users, tail, …: as in `list_kernels.best_products`.
        items, scores: int32[rows, N] and float32[rows, N], set; −1 and −inf where a row has fewer
            than N items.
    """
    n, used = items.shape[1], counts.shape[0]
    probes = min(probes, used)
    looked = np.full(used, -1, np.int32)
    order, promise = np.empty(probes, np.int32), np.empty(probes, np.float32)
    found = np.empty(members.shape[1], np.float32)
    for r in range(v.shape[0]):
        row, best, wanted = items[r], scores[r], v[r]
        row[:] = -1
        best[:] = -np.inf
        order[:] = -1
        promise[:] = -np.inf
        for k in range(used):
            if near[r, k] > promise[probes - 1] and counts[k] > 0:
                insert(k, near[r, k], order, promise)
        if exclude:
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
                _cosines(part, wanted, q, found)
            else:
                _scores(part, wanted, q, bias, found)
            for k in range(part.shape[0]):
                if found[k] >= worst:
                    j = part[k]
                    better = found[k] > worst or j < row[n - 1]
                    if better and alive[j] and eaten[j] != call + r:
                        insert(j, found[k], row, best)
                        worst = best[n - 1]
