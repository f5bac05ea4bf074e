"""The compiled loops of changes: from a learner's replica of the items to the owners of the items.

In: the columns of a `Catalogue` and what touched items were before; out: changes of the factors,
and columns to which changes are added. Like `udfs.memory.history_kernels` they release the
interpreter lock and are compared with plain NumPy in the tests. Names of sizes: `d` factors, `t`
touched items, `m` items of a message.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from udfs.compiling import njit
from udfs.memory.popularity_kernels import add_decayed
from udfs.memory.vector_kernels import SPREAD_LIMIT, clip


@njit(cache=True, nogil=True)
def changes(touched, before, q, y, bias, spread, out):
    """What the touched items have gained since `softmax_kernels.learn` began.

    Args:
        touched, before: int32[t], float32[t, 2d + 4], as `learn` has set them.
        q, y, bias, spread: the items' columns, as there.
        out: float32[t, 2d + 4], set: of q, b, spread and y, as `before`.
    """
    d = q.shape[1]
    for k in range(touched.shape[0]):
        j = touched[k]
        for f in range(d):
            out[k, f] = q[j, f] - before[k, f]
            out[k, d + 4 + f] = y[j, f] - before[k, d + 4 + f]
        out[k, d] = bias[j] - before[k, d]
        for a in range(3):
            out[k, d + 1 + a] = spread[j, a] - before[k, d + 1 + a]


class Told(NamedTuple):
    """What a message says of m items.

    Attributes:
        change: float32[m, d + 4] of q, bias and spread. context: float32[m, d] of y.
        weight, weight_at, events: float64[m], float64[m] ms, int64[m]: a decayed sum of positive
            weights and its time, events.
    """

    change: NDArray[np.float32]
    context: NDArray[np.float32]
    weight: NDArray[np.float64]
    weight_at: NDArray[np.float64]
    events: NDArray[np.int64]


class Owned(NamedTuple):
    """The columns of the catalogue that owns the items."""

    q: NDArray[np.float32]
    y: NDArray[np.float32]
    bias: NDArray[np.float32]
    spread: NDArray[np.float32]
    popularity: NDArray[np.float64]
    popularity_at: NDArray[np.float64]
    events: NDArray[np.int64]
    seen: NDArray[np.int64]


@njit(cache=True, nogil=True)
def apply_changes(items, told, owned, seen, half_life):
    """Add changes to distinct items (int32[m], negative: skipped).

    Args:
        told, owned: `Told`, and `Owned`, changed.
        seen: ms, the time of those that had events. half_life: ms.
    """
    change, context = told.change, told.context
    weight, weight_at, events = told.weight, told.weight_at, told.events
    q, y, bias, spread = owned.q, owned.y, owned.bias, owned.spread
    value, at, count, last = owned.popularity, owned.popularity_at, owned.events, owned.seen
    d = q.shape[1]
    for k in range(items.shape[0]):
        j = items[k]
        if j < 0:
            continue
        for f in range(d):
            q[j, f] = clip(q[j, f] + change[k, f])
            y[j, f] = clip(y[j, f] + context[k, f])
        bias[j] = clip(bias[j] + change[k, d])
        for a in range(3):
            total = spread[j, a] + change[k, d + 1 + a]
            spread[j, a] = min(max(total, np.float32(0.0)), SPREAD_LIMIT)
        value[j], at[j] = add_decayed(value[j], at[j], weight[k], weight_at[k], half_life)
        count[j] += events[k]
        if events[k] > 0:
            last[j] = seen
