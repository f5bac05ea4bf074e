"""Ranked candidates from the learned factors: exact top-N by matrix product and threshold.

In: a `Catalogue`, `Users` and cache slots. Out: `(slots, scores)` as parallel arrays, int32[n, N]
and float32[n, N], best first, −1 where a list is shorter; scores in 0 to 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from udfs import kernels
from udfs.catalogue import Catalogue
from udfs.users import Users

Ranked = tuple[NDArray[np.int32], NDArray[np.float32]]
_CELLS = 2_000_000  # scores held at once: 8 MB


def rank_by_factors(
    catalogue: Catalogue, users: Users, slots: NDArray[np.int32], n: int, exclude: bool
) -> Ranked:
    """The `n` items with the largest σ(b_i + p_u·q_i) for each user in `slots`.

    Args:
        exclude: leave out what a user has consumed.
    """
    items, scores = _empty(len(slots), n)
    size = catalogue.size
    q = catalogue.q[:size].T
    chunk = max(1, _CELLS // max(1, size))
    for begin in range(0, len(slots), chunk):
        part = slots[begin : begin + chunk]
        product = users.p[part] @ q
        kernels.top_n(
            product, catalogue.bias, catalogue.alive, exclude, part, users.tail, users.fill,
            users.older, users.pages, items[begin : begin + chunk], scores[begin : begin + chunk],
        )  # fmt: skip
    return items, _logistic(scores)


def rank_similar(catalogue: Catalogue, slots: NDArray[np.integer[Any]], n: int) -> Ranked:
    """The `n` items whose factors have the largest cosine with those of `slots`, themselves
    left out; scores (1 + cosine) / 2."""
    items, scores = _empty(len(slots), n)
    size = catalogue.size
    norms = np.maximum(np.linalg.norm(catalogue.q[:size], axis=1), 1e-12)
    unit = catalogue.q[:size] / norms[:, None]
    none = np.zeros(size, np.float32)
    absent = np.full(1, -1, np.int32)
    pages = np.zeros((1, kernels.PAGE), np.int32)
    chunk = max(1, _CELLS // max(1, size))
    for begin in range(0, len(slots), chunk):
        part = slots[begin : begin + chunk]
        product = unit[part] @ unit.T
        product[np.arange(len(part)), part] = -np.inf
        kernels.top_n(
            product, none, catalogue.alive, False, absent, absent, absent, absent, pages,
            items[begin : begin + chunk], scores[begin : begin + chunk],
        )  # fmt: skip
    return items, np.clip((1 + scores) / 2, 0, 1).astype(np.float32)


def popularity_shares(
    catalogue: Catalogue, now_ms: float, half_life_ms: float
) -> NDArray[np.float32]:
    """Each slot's decayed popularity at `now_ms` as a share of the largest, float32[I].

    popularity · 2^(−age / half-life) / maximum, 0 for items that are not alive.
    """
    size = catalogue.size
    age = np.maximum(now_ms - catalogue.popularity_at[:size], 0.0)
    value = catalogue.popularity[:size] * 2.0 ** (-age / half_life_ms) * catalogue.alive[:size]
    shares: NDArray[np.float32] = np.asarray(
        value / max(float(value.max(initial=0.0)), 1e-300), np.float32
    )
    return shares


def rank_by_popularity(
    catalogue: Catalogue, shares: NDArray[np.float32], users: Users, slots: NDArray[np.int32],
    n: int, exclude: bool,
) -> Ranked:  # fmt: skip
    """The `n` items with the largest of `shares` (see `popularity_shares`) for each user in
    `slots`; a slot of −1 is nobody in particular."""
    items, scores = _empty(len(slots), n)
    chunk = max(1, _CELLS // max(1, len(shares)))
    none = np.zeros(len(shares), np.float32)
    for begin in range(0, len(slots), chunk):
        part = slots[begin : begin + chunk]
        rows = np.repeat(shares[None, :], len(part), axis=0)
        kernels.top_n(
            rows, none, catalogue.alive, exclude, part, users.tail, users.fill, users.older,
            users.pages, items[begin : begin + chunk], scores[begin : begin + chunk],
        )  # fmt: skip
    return items, scores


def _empty(rows: int, n: int) -> Ranked:
    return np.full((rows, n), -1, np.int32), np.full((rows, n), -np.inf, np.float32)


def _logistic(x: NDArray[np.float32]) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):
        result: NDArray[np.float32] = (1.0 / (1.0 + np.exp(-x))).astype(np.float32)
    return result
