"""The compiled loops that keep described items in groups, so that few are looked at for a list.

In: vectors of items; out: which items stand together. A group is a chain of items, so nothing moves
when it grows, and one that has grown large is split in two. Names of sizes: `I` catalogue slots,
`W` numbers of a vector, `G` groups.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from udfs.compiling import njit
from udfs.memory.prefetch import prefetch

FULL = 64  # items of a group that is split
USED, ITEMS = 0, 1  # places in `Groups.counts`


class Groups(NamedTuple):
    """Described items by group.

    Attributes:
        vectors: int8[I, W], unit vectors times 127, all 0 for an item that is not described.
        of, after, before: int32[I], each item's group and its neighbours in the chain, all plus 1:
            0 is none.
        centres, heads, sizes: int8[G, W], int32[G] twice: the direction of each group, the first
            item of its chain plus 1, and how many are in it.
        counts: int64[2], groups in use; items described.
    """

    vectors: Any
    of: Any
    after: Any
    before: Any
    centres: Any
    heads: Any
    sizes: Any
    counts: Any


@njit(cache=True, nogil=True, _nrt=False)
def product(i, a, j, b):
    """The product of row i of a and row j of b, int8 or int16."""
    total = np.int32(0)
    for f in range(b.shape[1]):
        total = np.int32(total + np.int32(np.int32(a[i, f]) * np.int32(b[j, f])))
    return total


@njit(cache=True, nogil=True, _nrt=False)
def _unlink(j, groups):
    of, after, before, heads = groups.of, groups.after, groups.before, groups.heads
    group, left, right = of[j] - 1, before[j], after[j]
    if left > 0:
        after[left - 1] = right
    else:
        heads[group] = right
    if right > 0:
        before[right - 1] = left
    groups.sizes[group] -= 1
    of[j] = after[j] = before[j] = 0


@njit(cache=True, nogil=True, _nrt=False)
def _link(j, group, groups):
    after, before, heads = groups.after, groups.before, groups.heads
    first = heads[group]
    after[j], before[j] = first, 0
    if first > 0:
        before[first - 1] = j + 1
    heads[group] = j + 1
    groups.of[j] = group + 1
    groups.sizes[group] += 1


@njit(cache=True, nogil=True, _nrt=False)
def nearest(i, vectors, centres, used):
    """The group whose centre has the largest product with row i."""
    best, most = 0, np.int32(-2147483648)
    for g in range(used):
        value = product(i, vectors, g, centres)
        if value > most:
            best, most = g, value
    return best


@njit(cache=True, nogil=True, _nrt=False)
def _farthest(i, head, vectors, after):
    """The item of a chain with the least product with row i of the vectors."""
    at, best, least = head, head - 1, np.int32(2147483647)
    while at > 0:
        value = product(i, vectors, at - 1, vectors)
        if value < least:
            best, least = at - 1, value
        at = after[at - 1]
    return best


@njit(cache=True, nogil=True)
def _recentre(group, groups, total):
    """Set a group's centre to the direction of the sum of its items; total: float32[W], memory."""
    vectors, after, centres = groups.vectors, groups.after, groups.centres
    total[:] = 0.0
    at = groups.heads[group]
    while at > 0:
        for f in range(total.shape[0]):
            total[f] += np.float32(vectors[at - 1, f])
        at = after[at - 1]
    square = np.float32(1e-12)
    for f in range(total.shape[0]):
        square += total[f] * total[f]
    scale = np.float32(127.0) / np.sqrt(square)
    for f in range(total.shape[0]):
        centres[group, f] = np.int8(np.rint(total[f] * scale))


@njit(cache=True, nogil=True)
def _split(group, groups, total):
    """Move those items of a group that are nearer to one end of it into a new group: the ends are
    the item farthest from the first, and the one farthest from that. Of equal items no group is
    made."""
    vectors, after, counts = groups.vectors, groups.after, groups.counts
    head = groups.heads[group]
    there = _farthest(head - 1, head, vectors, after)
    here = _farthest(there, head, vectors, after)
    if product(here, vectors, there, vectors) >= product(here, vectors, here, vectors):
        return
    fresh = counts[USED]
    counts[USED] += 1
    at = head
    while at > 0:
        j, at = at - 1, after[at - 1]
        if product(j, vectors, there, vectors) > product(j, vectors, here, vectors):
            _unlink(j, groups)
            _link(j, fresh, groups)
    _recentre(group, groups, total)
    _recentre(fresh, groups, total)


@njit(cache=True, nogil=True)
def place(slots, groups):
    """Put items (int32[m]) whose vectors were set into the groups of the nearest centres; those
    without a vector into none."""
    vectors, of, centres, counts = groups.vectors, groups.of, groups.centres, groups.counts
    total = np.empty(vectors.shape[1], np.float32)
    for k in range(slots.shape[0]):
        j = slots[k]
        if k + 1 < slots.shape[0]:
            prefetch(vectors, slots[k + 1], 0)
        if of[j] > 0:
            _unlink(j, groups)
            counts[ITEMS] -= 1
        if product(j, vectors, j, vectors) == 0:
            continue
        counts[ITEMS] += 1
        if counts[USED] == 0:
            counts[USED] = 1
            for f in range(vectors.shape[1]):
                centres[0, f] = vectors[j, f]
        group = nearest(j, vectors, centres, counts[USED])
        _link(j, group, groups)
        # Again each time it has doubled: items that are all equal cannot be told apart.
        size = groups.sizes[group]
        if size >= FULL and (size & (size - 1)) == 0 and counts[USED] < centres.shape[0]:
            _split(group, groups, total)
