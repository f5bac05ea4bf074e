"""The compiled loop that adds gathered messages to the items that a shard owns.

In: the rows of some messages, one after the other. Out: the columns of a `Catalogue`, changed in
place. Like `udfs.memory.history_kernels` it releases the interpreter lock and is compared with
plain NumPy in the tests. Names of sizes: `d` factors, `m` rows of all messages, `M` messages.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from udfs.compiling import njit
from udfs.memory.popularity_kernels import add_decayed, add_sums
from udfs.memory.vector_kernels import SPREAD_LIMIT, clip


class Told(NamedTuple):
    """What M messages say of m items; an item may occur once in each message.

    Attributes:
        starts, seen: int64[M + 1], int64[M]: message k has the rows `starts[k]` to
            `starts[k + 1]`, and was made at `seen[k]`, ms.
        change: float32[m, d + 4] of q, bias and spread.
        moved, context: int64[c], float32[c, d]: of y, for the rows in `moved`.
        weight, weight_at, events: float64[m], float64[m] ms, int64[m]: a decayed sum of positive
            weights and its time, events.
        sums: float64[e, 4], of the same weights at each of `SPANS`, as of `weight_at`, of the rows
            with events, in order.
    """

    starts: NDArray[np.int64]
    seen: NDArray[np.int64]
    change: NDArray[np.float32]
    moved: NDArray[np.int64]
    context: NDArray[np.float32]
    weight: NDArray[np.float64]
    weight_at: NDArray[np.float64]
    events: NDArray[np.int64]
    sums: NDArray[np.float64]


class Owned(NamedTuple):
    """The columns of the catalogue that owns the items."""

    q: NDArray[np.float32]
    y: NDArray[np.float32]
    bias: NDArray[np.float32]
    spread: NDArray[np.float32]
    popularity: NDArray[np.float64]
    popularity_at: NDArray[np.float64]
    sums: NDArray[np.float64]
    events: NDArray[np.int64]
    seen: NDArray[np.int64]


@njit(cache=True, nogil=True)
def apply_changes(items, told, owned, half_life):
    """Add changes to items, row by row, as if each message were applied by itself.

    Args:
        items: int32[m], the slot of each row; negative: skipped.
        told, owned: `Told`, and `Owned`, changed. half_life: ms.
    """
    starts, made, change, moved, context = (
        told.starts,
        told.seen,
        told.change,
        told.moved,
        told.context,
    )
    weight, weight_at, events, more = told.weight, told.weight_at, told.events, told.sums
    q, y, bias, spread = owned.q, owned.y, owned.bias, owned.spread
    value, at, count, last = owned.popularity, owned.popularity_at, owned.events, owned.seen
    sums, d, named = owned.sums, q.shape[1], -1
    for m in range(made.shape[0]):
        for k in range(starts[m], starts[m + 1]):
            j = items[k]
            named += events[k] > 0
            if j < 0:
                continue
            for f in range(d):
                q[j, f] = clip(q[j, f] + change[k, f])
            bias[j] = clip(bias[j] + change[k, d])
            for a in range(3):
                total = spread[j, a] + change[k, d + 1 + a]
                spread[j, a] = min(max(total, np.float32(0.0)), SPREAD_LIMIT)
            if events[k] > 0:
                add_sums(sums, j, at[j], more, named, weight_at[k])
                count[j] += events[k]
                last[j] = made[m]
            value[j], at[j] = add_decayed(value[j], at[j], weight[k], weight_at[k], half_life)
    for k in range(moved.shape[0]):
        j = items[moved[k]]
        if j >= 0:
            for f in range(d):
                y[j, f] = clip(y[j, f] + context[k, f])
