"""The compiled loop that describes candidates for a ranker that is not compiled.

In: what `candidate_kernels` reads; out: the features of all candidates of as many lists as there is
room for. Names of sizes: `C` room for candidates, `F` features that are wanted.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from udfs.compiling import njit
from udfs.models.cached import forget_unreadable
from udfs.ranking.candidate_kernels import activity, collect, describe


class Described(NamedTuple):
    """Candidates of lists, one list after the other.

    Attributes:
        x: float32[C, F]. starts: int64[rows + 1], where the candidates of each row begin, counted
            from those of the first row of all.
        pick: int32[F], which features are wanted; one past the last: the user's activity.
    """

    x: Any
    starts: Any
    pick: Any


@njit(cache=True, nogil=True)
def describe_all(asked, history, sources, features, items, scratch, out):
    """Set `out.x` to the features of the candidates of the rows from `asked.begin` on, and
    `out.starts` behind each; the candidates and their order are those of `ranker_kernels.rank`.

    Args:
        asked, history, sources, features, items, scratch: as of `rank`; all `extra` are named.
        out: `Described`; `starts[asked.begin]` is set already.

    Returns: the first row that has no room any more, or `asked.end`.
    """
    x, starts, pick, own = out.x, out.starts, out.pick, scratch.x
    used = 0
    for r in range(asked.begin, asked.end):
        count = collect(r, asked, history, sources, items, scratch)
        if used + count > x.shape[0]:
            return r
        describe(r, count, asked, features, scratch)
        active = np.float32(activity(asked.users[r], history))
        for f in range(pick.shape[0]):
            for k in range(count):
                x[used + k, f] = own[pick[f], k] if pick[f] < len(features) else active
        used += count
        starts[r + 1] = starts[r] + count
    return asked.end


forget_unreadable(describe_all)
