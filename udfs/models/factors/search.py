"""Ranked candidates from the learned factors: the top N, exact or of the best clusters.

In: a `Catalogue`, `Users` and cache slots. Out: `(slots, scores)` as parallel arrays, int32[n, N]
and float32[n, N], best first, −1 where a list is shorter; scores in 0 to 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from udfs.direct import Direct
from udfs.memory import top_kernels
from udfs.memory.catalogue import Catalogue
from udfs.memory.clusters import ClusterIndex
from udfs.memory.probe_kernels import Stock
from udfs.memory.users import Users
from udfs.models.factors import product_kernels, search_kernels, window_kernels
from udfs.models.factors.arrays import Places
from udfs.models.factors.search_kernels import Taste
from udfs.models.ranked import Ranked, no_lists
from udfs.threads import Threads

_CELLS = 2_000_000  # scores held at once: 8 MB
_search = Direct(search_kernels.search)


def user_vectors(
    catalogue: Catalogue, users: Users, slots: NDArray[np.int32], places: Places
) -> NDArray[np.float32]:
    """v_u, what the factors of items are multiplied by for each user in `slots`: float32[n, d]."""
    vectors = np.empty((len(slots), catalogue.dimensions), np.float32)
    c = catalogue
    window_kernels.vectors(slots, users.p, users.view, c.q, c.y, c.alive, places, vectors)
    return vectors


def best_by_factors(
    catalogue: Catalogue,
    users: Users,
    slots: NDArray[np.int32],
    taste: Taste,
    n: int,
    exclude: bool,
    threads: Threads,
) -> Ranked:
    """The `n` items with the largest b_i + q_i·v_u for each user in `slots`, with these as scores.

    Args:
        taste: its vectors, float32[n, d], are set if they are not known.
        exclude: leave out what a user has consumed.
    """
    items, scores = np.empty((len(slots), n), np.int32), np.empty((len(slots), n), np.float32)
    c, history = catalogue, users.view
    if (clusters := c.clusters) is not None:
        if not taste.known:
            held = taste.q, taste.y, c.alive, taste.places
            window_kernels.vectors(slots, taste.p, history, *held, taste.vectors)
        stock, asked = _stock(c), history if exclude else None
        items.fill(-1)
        scores.fill(-np.inf)

        def some_clusters(_: int, begin: int, end: int) -> None:
            part = slice(begin, end)
            found = items[part], scores[part]
            clusters.search(taste.vectors[part], stock, *found, slots[part], asked)

        threads.each(some_clusters, len(slots))
        return items, scores
    bounded = exact_stock(c)

    def some(_: int, begin: int, end: int) -> None:
        part = slice(begin, end)
        these, own = slots[part], taste._replace(vectors=taste.vectors[part])
        found = items[part], scores[part]
        _search(these, own, bounded, exclude, history, *found, varying=(these, own.vectors))

    threads.each(some, len(slots))
    return items, scores


def rank_similar(catalogue: Catalogue, slots: NDArray[np.integer[Any]], n: int) -> Ranked:
    """The `n` items whose factors have the largest cosine with those of `slots`, themselves
    left out; scores (1 + cosine) / 2."""
    if catalogue.clusters is not None:
        return _similar_by_clusters(catalogue, catalogue.clusters, slots, n)
    items, scores = no_lists(len(slots), n)
    size = catalogue.size
    q = catalogue.q[:size]
    unit = q / np.maximum(np.linalg.norm(q, axis=1, keepdims=True), np.float32(1e-12))
    chunk = max(1, _CELLS // max(1, size))
    for begin in range(0, len(slots), chunk):
        part = slots[begin : begin + chunk]
        product = unit[part] @ unit.T
        product[np.arange(len(part)), part] = -np.inf
        end = begin + chunk
        top_kernels.top_n(product, catalogue.shown, items[begin:end], scores[begin:end])
    return items, np.clip((1 + scores) / 2, 0, 1).astype(np.float32)


def _similar_by_clusters(
    catalogue: Catalogue, clusters: ClusterIndex, slots: NDArray[np.integer[Any]], n: int
) -> Ranked:
    items, scores = no_lists(len(slots), n + 1)  # an item is most like itself
    q = catalogue.q[slots]
    unit = q / np.maximum(np.linalg.norm(q, axis=1, keepdims=True), np.float32(1e-12))
    clusters.search(unit, _stock(catalogue), items, scores, cosine=True)
    kept = np.argsort(items == slots[:, None], axis=1, kind="stable")[:, :n]
    scores = np.clip((1 + np.take_along_axis(scores, kept, axis=1)) / 2, 0, 1)
    return np.take_along_axis(items, kept, axis=1), scores.astype(np.float32)


def exact_stock(c: Catalogue) -> product_kernels.Stock:
    """What the exact search reads of the items."""
    return product_kernels.Stock(c.q, c.bias, c.shown, c.along, c.across, c.size, c.strong)


def _stock(catalogue: Catalogue) -> Stock:
    return Stock(catalogue.q, catalogue.bias, catalogue.shown)


def logistic(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """σ(x), float32."""
    with np.errstate(over="ignore"):
        result: NDArray[np.float32] = (1.0 / (1.0 + np.exp(-x))).astype(np.float32)
    return result
