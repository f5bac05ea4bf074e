"""The reasons of sources that explain their items in Python, after the call that makes the lists.

In: lists with the source of each item. Out: their reasons, in the places that the kernels left
empty.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from udfs.models.model import Model
from udfs.models.offers import can_explain
from udfs.models.ranked import Told
from udfs.options.sources import SOURCES, evident

REASONS = 2
"""How many history items are named as reasons for an item of a list."""

Explaining = list[tuple[int, Model]]
"""The positions in `SOURCES` of sources that explain their items in Python, with each of them."""


def explaining(models: dict[str, Model]) -> Explaining:
    """Those of `models`, by name, that explain their items, but not by a kernel."""
    speaking = [source.name for source in evident()]
    return [
        (at, models[name])
        for at, name in enumerate(SOURCES)
        if name in models
        and type(models[name]).explain is not Model.explain
        and not (name in speaking and can_explain(type(models[name].evidence(0))))
    ]


def explain(sources: Explaining, slots: NDArray[np.int32], told: Told) -> None:
    """Set the reasons of the items of `sources`, for the users in `slots` (int32[n])."""
    for at, model in sources:
        if at not in told.models.tobytes():  # int8, and quicker than `any`
            continue
        own = told.models == at
        # Only those rows: the reasons of an item are looked for in all that its user consumed.
        rows = own.any(axis=1).nonzero()[0]
        own = own[rows]
        reasons = model.explain(slots[rows], np.where(own, told.items[rows], -1))
        part = told.reasons[rows, :, : reasons.shape[2]]
        part[own] = reasons[own]
        told.reasons[rows, :, : reasons.shape[2]] = part
