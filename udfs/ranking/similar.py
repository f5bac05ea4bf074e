"""The items similar to an item, of all sources that know some.

In: the catalogue, the sources, slots of items. Out: `Lists`, one for each item: those that are
taken with it, then those that are like it by their metadata, then those with the nearest factors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from udfs.memory.catalogue import Catalogue
from udfs.models.content.source import Content
from udfs.models.factors.search import rank_similar
from udfs.models.item_cf.neighbours import Neighbours
from udfs.models.ranked import Lists, Ranked, of_one
from udfs.options.sources import position
from udfs.ranking.fill_kernels import fill_up


def similar(
    catalogue: Catalogue,
    neighbours: Neighbours | None,
    content: Content,
    slots: NDArray[np.integer[Any]],
    n: int,
) -> Lists:
    """Lists of n items like each of `slots`; without `neighbours` by factors alone."""
    if neighbours is None:
        return of_one(rank_similar(catalogue, slots, n), "mf")
    lists = of_one(neighbours.similar(catalogue, slots, n), "item-cf")
    if content.described.some:
        _fill(lists, slots, "content", lambda short: content.similar(short, n))
    _fill(lists, slots, "mf", lambda short: rank_similar(catalogue, short, n))
    return lists


def _fill(
    lists: Lists,
    slots: NDArray[np.integer[Any]],
    source: str,
    find: Callable[[NDArray[np.integer[Any]]], Ranked],
) -> None:
    """Fill lists that are short with what a source finds for their items."""
    if len(short := np.flatnonzero(lists.items[:, -1] < 0)):
        more = np.full_like(lists.items, -1)
        more[short] = find(slots[short])[0]
        fill_up(*lists, more, position(source))
