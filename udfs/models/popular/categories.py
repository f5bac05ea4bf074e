"""The first items of each category, out of one order of all items.

In: slots in order, best first, with scores; the groups of items (`udfs.memory.metadata`). Out: a
list for each of the largest categories. It is called where shared lists are written, never for an
event, and not at all as long as no item has a category.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from udfs.memory.catalogue import Catalogue
from udfs.memory.metadata import CATEGORY, GROUPS
from udfs.models.ranked import Ranked, no_lists

MOST = 200
"""How many categories have lists: the largest, since each costs two keys, written every few
seconds."""


class Categories:
    """The largest categories at one moment.

    Attributes:
        names: those with the most items that may be shown first.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        metadata, size = catalogue.metadata, catalogue.size
        labels, groups = metadata.labels, metadata.groups[:size, : GROUPS - 1]
        described = metadata.described[:size] & catalogue.shown[:size]
        named = groups[described]
        counts = np.bincount(named[named >= 0], minlength=len(labels))
        largest = [k for k in np.argsort(-counts, kind="stable").tolist() if counts[k]][:MOST]
        self.names = [labels[k].removeprefix(CATEGORY) for k in largest]
        rows = np.full(len(labels) + 1, -1, np.int16)  # the last one: of −1
        rows[largest] = np.arange(len(largest))
        self._rows = rows[groups]  # [I, GROUPS − 1], the list of each category of an item

    def first(self, order: NDArray[np.int32], scores: NDArray[np.float32], n: int) -> Ranked:
        """The first `n` of an order in each category.

        Args:
            order: int32[m], slots, the best first. scores: float32[m], in 0 to 1.

        Returns: a row for each of `names`; scores as shares of the row's largest.
        """
        items, found = no_lists(len(self.names), n)
        rows = self._rows[order]
        for one in range(1, rows.shape[1]):  # a category that an item names twice
            rows[(rows[:, one, None] == rows[:, :one]).any(axis=1), one] = -1
        at, column = np.nonzero(rows >= 0)
        row = rows[at, column]
        by_row = np.argsort(row, kind="stable")
        at, row = at[by_row], row[by_row]
        place = np.arange(len(row)) - np.searchsorted(row, row)
        at, row, place = at[place < n], row[place < n], place[place < n]
        items[row, place], found[row, place] = order[at], scores[at]
        found[row, place] /= np.maximum(found[row, 0], np.float32(1e-30))
        return items, found
