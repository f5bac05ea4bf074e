"""The compiled arithmetic of factors: products, bounds of products, limits.

In: rows of factors; out: numbers, or columns changed in place. Names of sizes: `I` catalogue slots,
`d` factors.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

import numpy as np

from udfs.compiling import njit
from udfs.memory.bits import as_float32, as_int32

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


_ROOT = np.int32(0x3F3504F3)  # the bits of √½


@njit(cache=True, nogil=True, _nrt=False, fastmath={"contract"})
def logarithms(x, count):
    """Set the first `count` of x (float32[n], normal numbers above 0) to their natural logarithms:
    to 10⁻⁷, and vectorised, which `np.log` is not.

    log x = e·log 2 + log m with √½ ≤ m < √2, and log m by the polynomial of Cephes' logf (Moshier).
    """
    for k in range(count):
        bits = as_int32(x[k])
        e = np.int32(np.int32(bits - _ROOT) >> np.int32(23))
        f = as_float32(np.int32(bits - np.int32(e << np.int32(23)))) - np.float32(1.0)
        y = np.float32(7.0376836292e-2)
        y = y * f + np.float32(-1.1514610310e-1)
        y = y * f + np.float32(1.1676998740e-1)
        y = y * f + np.float32(-1.2420140846e-1)
        y = y * f + np.float32(1.4249322787e-1)
        y = y * f + np.float32(-1.6668057665e-1)
        y = y * f + np.float32(2.0000714765e-1)
        y = y * f + np.float32(-2.4999993993e-1)
        y = y * f + np.float32(3.3333331174e-1)
        y = y * f * f * f - np.float32(0.5) * f * f
        x[k] = f + (y + np.float32(0.69314718) * np.float32(e))


SPREAD_LIMIT = np.float32(100.0)  # of the accumulators: steps shrink to η / 10 and never end


@njit(cache=True, nogil=True, _nrt=False, inline="always")
def clip(value):
    """`value` within ± `LIMIT`."""
    return min(max(value, -LIMIT), LIMIT)
