"""The compiled loops of the ranker's features, and how the ranker's kernels find them.

A feature hands the kernels a view, a NamedTuple class of its own, and registers one kernel by that
class, as sources do (`udfs.models.evidence`).

In: shares of evidence, factors, events, popularity; out: a row of features, float32 by candidate.
Names of sizes: `I` catalogue slots, `S` sources of evidence.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba.extending import overload

from udfs.compiling import njit
from udfs.memory.history_kernels import PAGE
from udfs.memory.popularity_kernels import decayed
from udfs.memory.prefetch import LINE, prefetch
from udfs.memory.vector_kernels import logarithms

ALWAYS, OF_TAKEN, BESIDES_0, WITH_EVIDENCE = range(4)
"""When a feature says anything of an item, so that its source may be named: always; if somebody has
taken the item; unless it is 0; if its source, one of evidence, has some for the item."""
_AHEAD = 8  # candidates from now whose factors are asked for
FARTHEST = np.float32(10.0)  # the lowest product, below the highest

_fills: dict[type, Any] = {}
_prices: dict[type, Any] = {}


def fills(view: type, kernel: Any) -> None:
    """Register a feature that depends on the user, by the class of its view.

    Args:
        kernel: (view, row, user, slots, count, shares, out), which sets `out[:count]` (float32) for
            the candidates `slots[:count]` of row `row` of the call, the user in cache slot `user`;
            shares: float32[S, …], of the largest evidence of each source.
    """
    _fills[view] = kernel


def prices(view: type, kernel: Any) -> None:
    """Register a feature that is the same whoever the list is for, by the class of its view.

    Args:
        kernel: (view, slots, out), which sets `out` (float32[n]) to the feature of `slots`
            (int32[n]); each item is asked for once in a call.
    """
    _prices[view] = kernel


def is_priced(view: type) -> bool:
    """Whether a feature is one of `prices`."""
    return view in _prices


def price(view, slots, known, column, out):
    """Set `known[slots, column]`, where it is a feature of `prices`; returns the next free column.
    `out` is memory, float32[…]."""
    raise NotImplementedError


def describe(view, row, user, slots, count, shares, known, column, out):
    """Set `out[:count]` to the feature of the candidates; `column` and the result as in `price`."""
    raise NotImplementedError


@overload(price)
def _price(view, slots, known, column, out):
    kernel = _prices.get(view.instance_class)
    if kernel is None:
        return lambda view, slots, known, column, out: column

    def call(view, slots, known, column, out):
        kernel(view, slots, out[: slots.shape[0]])
        for k in range(slots.shape[0]):
            known[slots[k], column] = out[k]
        return column + 1

    return call


@overload(describe)
def _describe(view, row, user, slots, count, shares, known, column, out):
    if view.instance_class in _prices:

        def copy(view, row, user, slots, count, shares, known, column, out):
            for k in range(count):
                out[k] = known[slots[k], column]
            return column + 1

        return copy
    kernel = _fills[view.instance_class]

    def call(view, row, user, slots, count, shares, known, column, out):
        kernel(view, row, user, slots, count, shares, out)
        return column

    return call


class Share(NamedTuple):
    """log(floor + s_j), s_j the item's share of the largest evidence of one source.

    Attributes:
        source: the row of shares. floor: float32, see `Source.floor`.
    """

    source: int
    floor: Any


@njit(cache=True, nogil=True, _nrt=False)
def fill_share(view, row, user, slots, count, shares, out):
    """See `Share`."""
    own = shares[view.source]
    for k in range(count):
        out[k] = view.floor + own[k]
    logarithms(out, count)


class Product(NamedTuple):
    """b_j + q_j·v, less the largest of the candidates, at least −FARTHEST.

    Attributes:
        q, bias: float32[I, d], float32[I]. vectors: float32[rows, d], v of each user.
    """

    q: Any
    bias: Any
    vectors: Any


@njit(cache=True, nogil=True, _nrt=False, fastmath={"reassoc", "contract"})
def product(j, vector, q):
    """q_j·v: a row taken out of q would be counted each time."""
    total = np.float32(0.0)
    for f in range(vector.shape[0]):
        total += vector[f] * q[j, f]
    return total


@njit(cache=True, nogil=True, _nrt=False)
def fill_product(view, row, user, slots, count, shares, out):
    """See `Product`."""
    q, bias, vector = view.q, view.bias, view.vectors[row]
    near = np.float32(-np.inf)
    for k in range(count):
        if k + _AHEAD < count:
            for f in range(0, vector.shape[0], LINE):
                prefetch(q, slots[k + _AHEAD], f)
        j = np.uint32(slots[k])
        out[k] = bias[j] + product(j, vector, q)
        near = max(near, out[k])
    for k in range(count):
        out[k] = max(out[k] - near, -FARTHEST)


class Had(NamedTuple):
    """1 for an item among the last that the user took, where it may be in a list, else 0.

    Attributes:
        history: `History`. length: how many items, 0: none may.
    """

    history: Any
    length: int


@njit(cache=True, nogil=True, _nrt=False)
def fill_had(view, row, user, slots, count, shares, out):
    """See `Had`."""
    history, left = view.history, view.length
    out[:count] = np.float32(0.0)
    page, stop = history.tail[user], history.fill[user]
    while page >= 0 and left > 0:
        for at in range(stop - 1, max(stop - left, 0) - 1, -1):
            j = history.pages[page, at]
            for k in range(count):  # without a branch: that is vectorised
                out[k] = np.float32(1.0) if slots[k] == j else out[k]
        left -= stop
        page, stop = history.older[page], PAGE


class Taken(NamedTuple):
    """log(1 + n_j) of n_j events.

    Attributes:
        events: int64[I].
    """

    events: Any


@njit(cache=True, nogil=True, _nrt=False)
def price_taken(view, slots, out):
    """See `Taken`."""
    events = view.events
    for k in range(slots.shape[0]):
        out[k] = np.log(1.0 + events[slots[k]])


class Decayed(NamedTuple):
    """log(.05 + decayed popularity).

    Attributes:
        popularity, at: float64[I], as in `popularity_kernels`. clock: float64[1], in ms.
        half_life: in ms.
    """

    popularity: Any
    at: Any
    clock: Any
    half_life: float


@njit(cache=True, nogil=True, _nrt=False)
def price_decayed(view, slots, out):
    """See `Decayed`."""
    popularity, at, clock, half_life = view.popularity, view.at, view.clock[0], view.half_life
    for k in range(slots.shape[0]):
        j = slots[k]
        out[k] = np.log(0.05 + decayed(popularity[j], at[j], clock, half_life))


@njit(cache=True, nogil=True, _nrt=False)
def loudest(x, k, shares, taken, mean, slopes, table, raised):
    """The source whose features raise the logit of candidate k most, compared with their mean, of
    those that say anything of it.

    Args:
        shares: float32[S, …]. taken: whether somebody has taken it. mean, slopes: float32[F].
        table: `speaks` and `says` of the ranker's network. raised: float32[…], memory.
    """
    speaks, says = table
    raised[:] = -np.inf
    for f in range(len(speaks)):
        tells = says[f] == ALWAYS or (says[f] == OF_TAKEN and taken)
        tells |= says[f] == BESIDES_0 and x[f, k] != 0.0
        tells |= says[f] == WITH_EVIDENCE and shares[min(f, shares.shape[0] - 1), k] > 0.0
        if tells:
            before = raised[speaks[f]]
            gained = slopes[f] * (x[f, k] - mean[f])
            raised[speaks[f]] = gained if before == -np.inf else before + gained
    return np.argmax(raised)


fills(Share, fill_share)
fills(Product, fill_product)
fills(Had, fill_had)
prices(Taken, price_taken)
prices(Decayed, price_decayed)
