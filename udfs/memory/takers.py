"""How many different users took an item: counted only if `privacy.min_users` is set.

In: batches, with the histories before them. Out: the column `takers` of a `Catalogue`, and whose
first it was. A user counts who likes and consumes an item that is not in the user's history yet.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from udfs.compiling import njit
from udfs.direct import Direct
from udfs.memory.catalogue import Catalogue
from udfs.memory.columns import Table, column
from udfs.memory.history_kernels import Batch, History, consumed

MOST = 255
"""As many, or more."""


def add(
    takers: NDArray[np.uint8], slots: NDArray[np.int32], more: NDArray[np.integer[Any]]
) -> None:
    """Add to a column of counts, uint8[I], at slots, int32[n], of which some may be equal.

    >>> takers = np.array([0, 250, 3], np.uint8)
    >>> add(takers, np.array([1, 2, 1], np.int32), np.array([4, 1, 4]))
    >>> takers.tolist()
    [0, 255, 4]
    """
    distinct, place = np.unique(slots, return_inverse=True)
    counts = np.bincount(place, more, len(distinct)).astype(np.int64)
    takers[distinct] = np.minimum(counts + takers[distinct], MOST)


@njit(cache=True, nogil=True)
def first_takes(batch, history, latest, found):
    """The items that users of a batch take for the first time.

    Args:
        batch, history: `Batch`, and `History` before it.
        latest: int32[I], all −1, left so. found: int32[n], set: a slot for each such user.

    Returns: how many.
    """
    users, items, weights, flags = batch.users, batch.items, batch.weights, batch.flags
    tail, fill, older, pages = history.tail, history.fill, history.older, history.pages
    before = np.empty(users.shape[0], np.int32)  # the event before on the same item
    count = 0
    for e in range(users.shape[0]):
        u, j = users[e], items[e]
        if j < 0 or flags[e] & 1 == 0:
            continue
        at = latest[j]
        before[e], latest[j] = at, e
        while at >= 0 and users[at] != u:
            at = before[at]
        if at < 0 and weights[e] > 0.0 and not consumed(j, u, tail, fill, older, pages):
            found[count] = j
            count += 1
    for e in range(users.shape[0]):
        if items[e] >= 0:
            latest[items[e]] = -1
    return count


class _Latest(Table):
    """See `first_takes`."""

    latest = column(np.int32, fill=-1)


class Takers:
    """The counts of one replica."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue, self._table = catalogue, catalogue.attach(_Latest())
        self._first = Direct(first_takes)

    def count(self, batch: Batch, history: History) -> NDArray[np.int32]:
        """Count the users of a batch before it is learned; returns a slot for each."""
        found = np.empty(len(batch.users), np.int32)
        given = batch, history, self._table.latest, found
        count = self._first(*given, varying=(found, *batch))
        slots: NDArray[np.int32] = found[:count]
        add(self._catalogue.takers, slots, np.ones(count, np.int64))
        return slots
