"""The compiled loop of diversity: greedy maximisation of a determinantal point process.

In: values and content vectors of candidates; out: values as they were when each was chosen. Names
of sizes: `I` catalogue slots, `M` candidates, `N` items chosen, `W` numbers of a vector.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

import numpy as np

from udfs.compiling import njit
from udfs.models.content.features import WIDTH
from udfs.ranking.steps.rerank_kernels import settle, sort

LEAST = 1e-4
"""The least share of an item that a list lacks: a twin of what it has is the last, not lost."""


@njit(cache=True, nogil=True, _nrt=False, fastmath={"reassoc", "contract"})
def _unit(packed, out):
    """Set `out` (float32[W]) to a packed vector of length 1, or to 0."""
    square = np.float32(0.0)
    for f in range(WIDTH):
        out[f] = np.float32(packed[f])
        square += out[f] * out[f]
    scale = np.float32(1.0) / np.sqrt(square) if square > 0 else np.float32(0.0)
    for f in range(WIDTH):
        out[f] *= scale


@njit(cache=True, nogil=True, _nrt=False, fastmath={"reassoc", "contract"})
def _lacks(x, basis, begin, end, parts, left):
    """What is left of d² of a vector without its parts in the directions `begin` to `end` − 1,
    which are written to `parts`."""
    for d in range(begin, end):
        part = np.float32(0.0)
        for f in range(WIDTH):
            part += x[f] * basis[d, f]
        parts[d] = part
        left -= part * part
    return max(left, np.float32(LEAST))


@njit(cache=True, nogil=True, _nrt=False, fastmath={"reassoc", "contract"})
def _add_direction(basis, count, x, parts):
    """Set `basis[count]` to the direction of what a vector has besides its parts in the first
    `count` directions; returns how many there are then."""
    own = basis[count]
    for f in range(WIDTH):
        own[f] = x[f]
    for d in range(count):
        part = parts[d]
        for f in range(WIDTH):
            own[f] -= part * basis[d, f]
    square = np.float32(0.0)
    for f in range(WIDTH):
        square += own[f] * own[f]
    if square < np.float32(LEAST):
        return count
    scale = np.float32(1.0) / np.sqrt(square)
    for f in range(WIDTH):
        own[f] *= scale
    return count + 1


@njit(cache=True, nogil=True)
def diversify(items, values, vectors, n, strength, whole):
    """Choose N candidates of each list one by one, each time the one with the largest

        z_j + α log d_j²,   d_j² = |x_j − its projection on the span of those chosen|²

    and set values to that: of those chosen as it was then, of the others as it is at the end. d_j²
    is what the determinant of the chosen items' products grows by, so this is the greedy search
    of Chen, Zhang, Zhou (2018) for the likeliest set of a DPP, with Gram–Schmidt in place of
    Cholesky: as W is small, no product of two candidates is needed. And as d_j² only falls, that of
    a candidate is computed only where the candidate may be the next, see `settle`.

    Args:
        items, values: int32[rows, M], float32[rows, M], z, changed.
        vectors: int8[I, W], of any length; all 0: d_j² stays 1.
        n: N. strength: α, above 0.
        whole: whether the others' values are wanted; if not, they are as they were when each was
            last looked at, not above those of the chosen.
    """
    most = items.shape[1]
    x, basis = np.empty((most, WIDTH), np.float32), np.empty((n + 1, WIDTH), np.float32)
    parts, left = np.empty((most, n + 1), np.float32), np.empty(most, np.float32)
    weight, worth = np.empty(most), np.empty(most)
    done, order = np.empty(most, np.int64), np.empty(most, np.int64)
    for r in range(items.shape[0]):
        count, top = 0, np.float32(-np.inf)
        while count < most and items[r, count] >= 0:
            top = max(top, values[r, count])
            count += 1
        for k in range(count):
            weight[k] = worth[k] = np.exp((np.float64(values[r, k]) - top) / strength)
            left[k], done[k] = np.float32(1.0), -1
        sort(worth, count, order)
        chosen, directions = min(n, count), 0
        for at in range(count if whole else chosen):
            k = order[at]
            while done[k] < directions:
                if done[k] < 0:
                    _unit(vectors[items[r, k]], x[k])
                    done[k] = 0
                left[k] = _lacks(x[k], basis, done[k], directions, parts[k], left[k])
                worth[k], done[k] = weight[k] * left[k], directions
                if at < chosen:
                    settle(worth, count, order, at)
                    k = order[at]
            if at < chosen:
                directions = _add_direction(basis, directions, x[k], parts[k])
        for k in range(count):
            values[r, k] += np.float32(strength * np.log(left[k]))
