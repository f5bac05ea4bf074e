"""Where candidates and the items of lists come from.

In: nothing. Out: the names of models and sources, and the arrays that they fill.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MODELS = ("item-cf", "user-cf", "mf", "popular")
"""What users' lists come from."""


SOURCES = (*MODELS, "trending")
"""Where an item of a list comes from; `Lists.models` are positions in here."""


class Lists(NamedTuple):
    """n lists, best first.

    Attributes:
        items, scores: int32[n, N], float32[n, N] in 0 to 1; −1 where a list is shorter.
        models: int8[n, N], the model that put each item there, a position in `SOURCES`.
    """

    items: NDArray[np.int32]
    scores: NDArray[np.float32]
    models: NDArray[np.int8]


Ranked = tuple[NDArray[np.int32], NDArray[np.float32]]


"""Slots and scores, int32[n, N] and float32[n, N]: the lists of one source."""


def no_lists(rows: int, n: int) -> Ranked:
    """Room for `rows` lists of `n` items, all empty."""
    return np.full((rows, n), -1, np.int32), np.full((rows, n), -np.inf, np.float32)
