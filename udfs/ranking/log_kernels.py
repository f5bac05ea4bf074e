"""The compiled call behind the ranker's log: a user's candidates with their features and logits.

In: what `ranker_kernels.train` reads. Out: the beginnings of the rows of `Scratch`. The ranking is
that of the next list, and nothing is learned, so that lists are the same with a log and without.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

import numpy as np

from udfs.compiling import njit
from udfs.models.cached import forget_unreadable
from udfs.ranking.candidate_kernels import activity, collect, describe
from udfs.ranking.ranker_kernels import fold, logits


@njit(cache=True, nogil=True)
def measure(asked, history, sources, features, items, scratch, network):
    """Set `slots`, `x` and `z` of `scratch` for the candidates of the row `asked.begin`.

    Args: as of `ranker_kernels.rank`.

    Returns: how many candidates there are, and the user's `activity`.
    """
    row = asked.begin
    folded = np.zeros((max(network.hidden, 1), len(network.speaks) + 2), np.float32)
    count = collect(row, asked, history, sources, items, scratch)
    describe(row, count, asked, features, scratch)
    active = activity(asked.users[row], history)
    fold(network, active, folded)
    logits(scratch.x, count, network, folded, scratch.z)
    return count, active


forget_unreadable(measure)
