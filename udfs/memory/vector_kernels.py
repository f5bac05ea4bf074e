"""The compiled arithmetic of factors: products, bounds of products, limits.

In: rows of factors; out: numbers, or columns changed in place. Names of sizes: `I` catalogue slots,
`d` factors.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

import numpy as np

from udfs.compiling import njit

LIMIT = np.float32(16.0)  # the largest absolute value of a factor or bias


ROUNDING = np.float32(1e-5)  # far above the error of a product of single precision


@njit(cache=True, nogil=True, _nrt=False, fastmath={"reassoc", "contract"})
def dot(a, b):
    """Inner product of two float32[d]; `np.dot` in compiled code would need SciPy."""
    total = np.float32(0.0)
    for f in range(a.shape[0]):
        total += a[f] * b[f]
    return total


@njit(cache=True, nogil=True, _nrt=False)
def measure(q, axis, items, along, across):
    """What of the factors of `items` lies along a unit vector, and how much across it.

    By Cauchy and Schwarz q·v ≤ (q·e)(v·e) + |q − (q·e)e|·|v − (v·e)e| for a unit vector e. Both
    lengths are taken a little larger, by ROUNDING of the whole, so that this holds for products of
    single precision too.

    Args:
        q, axis: float32[I, d], float32[d], e, or all 0. items: int32[m].
        along, across: float32[I], float32[I], set at the items.
    """
    for k in range(items.shape[0]):
        j = items[k]
        along[j] = dot(q[j], axis)
        rest = np.float32(0.0)
        for f in range(axis.shape[0]):
            rest += (q[j, f] - along[j] * axis[f]) ** 2
        across[j] = np.sqrt(rest + ROUNDING * dot(q[j], q[j]))


SPREAD_LIMIT = np.float32(100.0)  # of the accumulators: steps shrink to η / 10 and never end


@njit(cache=True, nogil=True, _nrt=False, inline="always")
def clip(value):
    """`value` within ± `LIMIT`."""
    return min(max(value, -LIMIT), LIMIT)
