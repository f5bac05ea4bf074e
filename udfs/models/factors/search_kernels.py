"""The compiled loop that goes from users to the items that fit them, in one call.

In: the factors of users and items, history pages and cache slots; out: what each user wants, and
ranked slots. One call, because for a single user what is handed to a kernel costs more than the
search. Names of sizes: `U` users in the cache, `I` catalogue slots, `d` factors, `N` items of a
list.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from udfs.compiling import njit
from udfs.memory.vector_kernels import ROUNDING, dot
from udfs.models.factors.product_kernels import Wanted, best_products
from udfs.models.factors.window_kernels import vectors as want


class Taste(NamedTuple):
    """What users' vectors are made from, and where they are put.

    Attributes:
        p, q, y, alive: float32[U, d], float32[I, d] twice, bool[I]. places: `Places`; see
            `window_kernels.vectors`.
        axis: float32[d], e of `vector_kernels.measure`.
        vectors: float32[rows, d]. known: whether these are set already.
    """

    p: Any
    q: Any
    y: Any
    alive: Any
    places: Any
    axis: Any
    vectors: Any
    known: bool


@njit(cache=True, nogil=True)
def search(users, taste, stock, exclude, history, items, scores):
    """The items with the largest b_i + q_i·v_u of each user, see `best_products`.

    Args:
        users: int32[rows], cache slots. taste: `Taste`, whose vectors are set where they are not
            known. stock, exclude, history, items, scores: as in `best_products`.
    """
    vectors, axis = taste.vectors, taste.axis
    if not taste.known:
        want(users, taste.p, history, taste.q, taste.y, taste.alive, taste.places, vectors)
    to, far = np.empty(users.shape[0], np.float32), np.empty(users.shape[0], np.float32)
    for r in range(users.shape[0]):
        vector = vectors[r]
        along, whole = dot(vector, axis), dot(vector, vector)
        to[r] = along
        far[r] = np.sqrt(max(whole - along * along, np.float32(0.0)) + ROUNDING * whole)
    best_products(Wanted(users, vectors, to, far), stock, exclude, history, items, scores)
