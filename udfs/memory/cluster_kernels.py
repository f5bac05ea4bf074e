"""The compiled loops that keep clusters of items up to date as factors move.

In: factors and biases of items; out: which items stand together, to be searched by
`udfs.memory.probe_kernels`. Like `udfs.memory.history_kernels` they release the interpreter lock
and are exactly sequential; the tests check the laws that they keep. Names of sizes: `I` catalogue
slots, `d` factors, `C` clusters, `M` the most items of a cluster. The point of an item is its
factor with its bias behind it, d + 1 numbers.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from udfs.compiling import njit
from udfs.memory.vector_kernels import dot

DRIFTED = np.float32(1.5)  # an item is placed again this many times as far from its centre, squared
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
        codes, scales: int8[I, d], float32[I, 2], each item's factor in whole numbers, the size of
            one of them, and its bias: see `sketch`.
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
    codes: Any
    scales: Any
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
    """Recompute the centre of a cluster."""
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
            for f in range(d + 1):
                w[f] = x[k, f]
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


@njit(cache=True, nogil=True, _nrt=False, fastmath={"nnan", "nsz", "reassoc", "contract"})
def sketch(j, q, bias, codes, scales):
    """Write an item's factor in a quarter of its bytes: q ≈ s·k, with k from −127 to 127 and each
    number off by s / 2 at most. The search reads the factors only of items that may be good enough.
    """
    d, most = q.shape[1], np.float32(0.0)
    for f in range(d):
        most = max(most, abs(q[j, f]))
    most = max(most, np.float32(1e-30))
    per = np.float32(127.0) / most
    for f in range(d):
        # Above 0, cutting off is rounding; unlike a call of `rint`, it is vectorised.
        codes[j, f] = np.int32(q[j, f] * per + np.float32(128.5)) - 128
    scales[j, 0], scales[j, 1] = most / np.float32(127.0), bias[j]


@njit(cache=True, nogil=True)
def place(slots, q, bias, clusters):
    """Put items whose points have changed where they belong now.

    An item stays in its cluster until it is far from the centre: more than `DRIFTED` times as far
    (squared) as when it came, and as the members are on average. It then joins the cluster of the
    nearest centre, which is split in two where it is full. The centre of a cluster is recomputed
    when there have been as many changes as it has members.

    Args:
        slots: int32[m], in order. q, bias: float32[I, d], float32[I].
        clusters: `Clusters`, changed in place; at least one in use, and m more than are in use.
    """
    # Taken out once: members taken out of a tuple within a loop would be counted each time.
    centres, lengths = clusters.centres, clusters.lengths
    radius, counts = clusters.radius, clusters.counts
    changes, of, distance = clusters.changes, clusters.of, clusters.distance
    codes, scales, room = clusters.codes, clusters.scales, clusters.members.shape[1]
    for j in slots:
        sketch(j, q, bias, codes, scales)
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
