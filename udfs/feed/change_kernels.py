"""The compiled loop of changes: from a learner's replica of the items to the owners of the items.

In: the columns of a `Catalogue` and what touched items were before; out: changes of the factors.
Like `udfs.memory.history_kernels` they release the
interpreter lock and are compared with plain NumPy in the tests. Names of sizes: `d` factors, `t`
touched items.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

from udfs.compiling import njit


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
