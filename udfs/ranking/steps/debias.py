"""Popularity debias: items with few events get a bounded boost.

In: candidates, how many events items have. Out: values, with λ·min(log((1 + n*) / (1 + n_j)), B)
added, where n* is the most events of any candidate of the list.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

from math import log
from typing import Any

import numpy as np

from udfs.compiling import njit
from udfs.direct import Direct
from udfs.models.model import Shop
from udfs.ranking.steps.candidates import Candidates

BOUND = log(100.0)
"""B: a hundredth of the events counts as much as fewer do. With a twentieth, what few have taken is
treated like what nobody has, and lists have a third fewer of the items that had been in none."""


@njit(cache=True, nogil=True)
def weigh_rare(items: Any, values: Any, events: Any, strength: Any) -> None:
    """See the module.

    Args:
        items, values: int32[rows, M], float32[rows, M], the latter changed. events: int64[I].
        strength: λ.
    """
    for r in range(items.shape[0]):
        most = 0
        for k in range(items.shape[1]):
            if items[r, k] >= 0:
                most = max(most, events[items[r, k]])
        top = np.log(np.float32(1 + most))
        for k in range(items.shape[1]):
            if items[r, k] >= 0:
                gap = top - np.log(np.float32(1 + events[items[r, k]]))
                values[r, k] += np.float32(strength) * min(gap, np.float32(BOUND))


class Debias:
    """See the module; `strength` is λ."""

    def __init__(self, strength: float, shop: Shop) -> None:
        self._strength, self._shop, self._kernel = strength, shop, Direct(weigh_rare)

    def weigh(self, candidates: Candidates) -> None:
        """See `udfs.ranking.steps.candidates.Step`."""
        events = self._shop.catalogue.events
        self._kernel(candidates.items, candidates.values, events, self._strength)
