"""The compiled loop that fills lists that are short.

In: ranked slots; out: the same arrays changed in place. Names of sizes: `N` items of a list.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

import numpy as np

from udfs.compiling import njit


@njit(cache=True, nogil=True)
def fill_up(items, scores, models, more, model):
    """Fill lists that are short with items of `more` that they lack, in order.

    Args:
        items, scores, models: int32[rows, N], float32[rows, N], int8[rows, N], changed in place; a
            filled place gets half the score of the one before it, and `model`.
        more: int32[rows, M], −1 where there are no more.
    """
    for r in range(items.shape[0]):
        at = 0
        while at < items.shape[1] and items[r, at] >= 0:
            at += 1
        for j in more[r]:
            if at == items.shape[1] or j < 0:
                break
            known = False
            for k in range(at):
                known = known or items[r, k] == j
            if not known:
                items[r, at] = j
                scores[r, at] = scores[r, at - 1] / 2 if at else np.float32(1.0)
                models[r, at] = model
                at += 1
