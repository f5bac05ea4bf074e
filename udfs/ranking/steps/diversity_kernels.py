"""The compiled loop of diversity: greedy maximisation of a determinantal point process.

In: values and content vectors of candidates; out: values as they were when each was chosen. Names
of sizes: `I` catalogue slots, `M` candidates, `N` items chosen, `W` numbers of a vector.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

import numpy as np

from udfs.compiling import njit

LEAST = 1e-4
"""The least share of an item that a list lacks: a twin of what it has is the last, not lost."""


@njit(cache=True, nogil=True, _nrt=False, fastmath={"reassoc", "contract"})
def _product(a, b):
    total = np.float32(0.0)
    for f in range(a.shape[0]):
        total += a[f] * b[f]
    return total


@njit(cache=True, nogil=True, _nrt=False)
def _unit(packed, out):
    """Set `out` (float32[W]) to a packed vector of length 1, or to 0."""
    for f in range(out.shape[0]):
        out[f] = packed[f]
    length = np.sqrt(_product(out, out))
    scale = np.float32(1.0) / length if length > 0 else np.float32(0.0)
    for f in range(out.shape[0]):
        out[f] *= scale


@njit(cache=True, nogil=True, _nrt=False)
def _next_direction(basis, count, of):
    """Set `basis[count]` to the direction of a vector that the first `count` lack; returns whether
    there is any."""
    own = basis[count]
    for f in range(own.shape[0]):
        own[f] = of[f]
    for b in range(count):
        part = _product(own, basis[b])
        for f in range(own.shape[0]):
            own[f] -= part * basis[b, f]
    length = np.sqrt(_product(own, own))
    if length * length < LEAST:
        return False
    for f in range(own.shape[0]):
        own[f] /= length
    return True


@njit(cache=True, nogil=True)
def diversify(items, values, vectors, n, strength):
    """Choose N candidates of each list one by one, each time the one with the largest

        z_j + α log d_j²,   d_j² = |x_j − its projection on the span of those chosen|²

    and set values to that: of those chosen as it was then, of the others as it is at the end. d_j²
    is what the determinant of the chosen items' products grows by, so this is the greedy search
    of Chen, Zhang, Zhou (2018) for the likeliest set of a DPP, with Gram–Schmidt in place of
    Cholesky: as W is small, no product of two candidates is needed.

    Args:
        items, values: int32[rows, M], float32[rows, M], z, changed.
        vectors: int8[I, W], of any length; all 0: d_j² stays 1.
        n: N. strength: α, above 0.
    """
    rows, most, width = items.shape[0], items.shape[1], vectors.shape[1]
    x, basis = np.empty((most, width), np.float32), np.empty((n, width), np.float32)
    weight, left = np.empty(most), np.empty(most, np.float32)
    chosen = np.empty(most, np.bool_)
    for r in range(rows):
        count = 0
        while count < most and items[r, count] >= 0:
            count += 1
        top = np.float32(-np.inf)
        for k in range(count):
            top = max(top, values[r, k])
        for k in range(count):
            _unit(vectors[items[r, k]], x[k])
            weight[k] = np.exp((np.float64(values[r, k]) - top) / strength)
            left[k], chosen[k] = np.float32(1.0), False
        directions = 0
        for _ in range(min(n, count)):
            best, most_worth = -1, -1.0
            for k in range(count):
                worth = weight[k] * left[k]
                if worth > most_worth and not chosen[k]:
                    best, most_worth = k, worth
            chosen[best] = True
            values[r, best] += np.float32(strength * np.log(left[best]))
            if not _next_direction(basis, directions, x[best]):
                continue
            own = basis[directions]
            directions += 1
            for k in range(count):
                part = _product(x[k], own)
                if not chosen[k]:
                    left[k] = max(left[k] - part * part, np.float32(LEAST))
        for k in range(count):
            if not chosen[k]:
                values[r, k] += np.float32(strength * np.log(left[k]))
