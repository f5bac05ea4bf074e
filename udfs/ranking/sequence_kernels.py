"""The ranker's feature of a sequence model: how well an item fits what a user wants by it.

In: vectors of items and of users (`udfs.models.sequence`); out: a row of features, float32 by
candidate.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from udfs.compiling import njit
from udfs.ranking.feature_kernels import FARTHEST, fills


class SequenceFit(NamedTuple):
    """x_j·v, less the mean of the candidates that the model knows, within ±`FARTHEST`; exactly 0
    for one that it does not know, and where it says nothing of the user.

    Attributes:
        row: int32[I], the item's row of `vectors`, 0: not known. vectors: float32[V, d], x.
        wanted: float32[rows, d], v of each user, all 0 if the model says nothing.
    """

    row: Any
    vectors: Any
    wanted: Any


@njit(cache=True, nogil=True, _nrt=False)
def fill_sequence_fit(view, row, user, slots, count, shares, out):
    """See `SequenceFit`."""
    rows, vectors, wanted = view.row, view.vectors, view.wanted[row]
    total, known = 0.0, 0
    for k in range(count):
        at = rows[slots[k]]
        out[k] = np.float32(0.0)
        if at > 0:
            for f in range(wanted.shape[0]):
                out[k] += wanted[f] * vectors[at, f]
            total += out[k]
            known += 1
    mean = np.float32(total / max(known, 1))
    for k in range(count):
        if rows[slots[k]] > 0:
            out[k] = min(max(out[k] - mean, -FARTHEST), FARTHEST)


fills(SequenceFit, fill_sequence_fit)
