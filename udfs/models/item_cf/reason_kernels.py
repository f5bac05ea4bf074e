"""The reasons of the items in lists, found within the call that makes the lists.

In: lists with the source of each item, counted pairs; out: the history items behind each of them.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

import numpy as np

from udfs.compiling import njit
from udfs.models.item_cf.evidence_kernels import Pairs, explain
from udfs.models.offers import explains


@njit(cache=True, nogil=True)
def explain_lists(pairs, model, asked, history, shown, out):
    """See `udfs.models.offers.explains`; `evidence_kernels.explain` says which items these are."""
    items, models, reasons, users = out.items, out.models, out.reasons, asked.users
    n, most = reasons.shape[1], reasons.shape[2]
    own, found = np.empty((1, n), np.int32), np.empty((1, n, most), np.int32)
    shares = np.empty((1, n, most), np.float32)
    for r in range(asked.begin, asked.end):
        some = False
        for k in range(n):
            mine = models[r, k] == model and items[r, k] >= 0
            own[0, k] = items[r, k] if mine else -1
            some |= mine
        if some:
            explain(users[r : r + 1], own, history, pairs, shown, found, shares)
            for k in range(n):
                if own[0, k] >= 0:
                    for place in range(most):
                        reasons[r, k, place] = found[0, k, place]


explains(Pairs, explain_lists)
