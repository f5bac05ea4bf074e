"""The ranker's features of factors besides their product: what follows the last item, and norms.

In: factors of items, the history of a user; out: a row of features, float32 by candidate.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from udfs.compiling import njit
from udfs.models.factors.window_kernels import last_liked
from udfs.ranking.feature_kernels import fills, prices

SCALE = np.float32(0.3)
"""What both are multiplied by. The first steps of AdaGrad are equally long for any feature, so the
weight of one with large values is learned fast and stays noisy: without this, some lists of a shop
become worse (docs/decisions/headroom.md)."""
_LEAST = np.float32(1e-12)  # no square of a norm is taken to be below


class Last(NamedTuple):
    """SCALE · cos(q_j, q_h + y_h), h being the last item that the user liked; 0 if there is none.

    Attributes:
        q, y: float32[I, d] twice. alive: bool[I]. history: `History`.
        shared: float32, 1: as above; 0: y_h alone, as where ratings are learned.
    """

    q: Any
    y: Any
    alive: Any
    history: Any
    shared: Any


class Norm(NamedTuple):
    """SCALE · log(.05 + |q_j|).

    Attributes:
        q: float32[I, d].
    """

    q: Any


@njit(cache=True, nogil=True, _nrt=False, fastmath={"reassoc", "contract"})
def _square(j, q):
    """q_j·q_j."""
    total = np.float32(0.0)
    for f in range(q.shape[1]):
        total += q[j, f] * q[j, f]
    return total


@njit(cache=True, nogil=True, _nrt=False, fastmath={"reassoc", "contract"})
def _cosine(j, h, q, y, shared):
    """The cosine of q_j and shared·q_h + y_h."""
    product, own, square = np.float32(0.0), np.float32(0.0), np.float32(0.0)
    for f in range(q.shape[1]):
        front, back = q[j, f], shared * q[h, f] + y[h, f]
        product += front * back
        own += front * front
        square += back * back
    return product / np.sqrt(max(own * square, _LEAST))


@njit(cache=True, nogil=True, _nrt=False)
def fill_last(view, row, user, slots, count, shares, out):
    """See `Last`."""
    q, y, shared = view.q, view.y, view.shared
    last = last_liked(user, view.history, view.alive)
    for k in range(count):
        out[k] = SCALE * _cosine(slots[k], last, q, y, shared) if last >= 0 else np.float32(0.0)


@njit(cache=True, nogil=True, _nrt=False)
def price_norm(view, slots, out):
    """See `Norm`."""
    q = view.q
    for k in range(slots.shape[0]):
        out[k] = SCALE * np.log(np.float32(0.05) + np.sqrt(_square(slots[k], q)))


fills(Last, fill_last)
prices(Norm, price_norm)
