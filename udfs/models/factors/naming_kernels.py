"""The items that fit users by factors, named within the call that makes their lists.

In: the factors of users and items; out: candidates for the ranker, and what each user wants.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

from typing import Any, NamedTuple

from udfs.compiling import njit
from udfs.models.factors.search_kernels import Taste, search
from udfs.models.offers import names


class Fitting(NamedTuple):
    """What the search reads, and where its results are put.

    Attributes:
        taste: `Taste`, whose vectors of all rows are set where they are not known. stock: `Stock`.
        items, scores: int32[rows, N], float32[rows, N], set. found: whether they are set already.
    """

    taste: Any
    stock: Any
    items: Any
    scores: Any
    found: bool


@njit(cache=True, nogil=True)
def name_fitting(view, asked, history, scratch, column, n):
    """See `udfs.models.offers.names`."""
    begin, end, items, extra = asked.begin, asked.end, view.items, asked.extra
    if not view.found:
        taste = view.taste
        vectors = taste.vectors[begin:end]
        held = taste.p, taste.q, taste.y, taste.alive, taste.places, taste.axis
        own = Taste(*held, vectors, taste.known)
        found, scores, users = items[begin:end], view.scores[begin:end], asked.users[begin:end]
        search(users, own, view.stock, asked.exclude, history, found, scores)
    for r in range(begin, end):
        for k in range(n):
            extra[r, column + k] = items[r, k]


names(Fitting, name_fitting)
