"""The compiled call that makes lists: candidates, ranks, scores, reasons, what was consumed.

One call for all of it, because for the list of a single user what surrounds a call, Python and the
memory that it touches, costs more than what the kernel does. In: the views of all sources and
features; out: lists. Names of sizes: `N` items of a list.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import literal_unroll

from udfs.compiling import njit
from udfs.models.cached import forget_unreadable
from udfs.models.offers import explain, name
from udfs.models.popular.popular_kernels import near_top
from udfs.ranking.ranker_kernels import rank


class Offers(NamedTuple):
    """What sources offer besides evidence.

    Attributes:
        naming: views of those that name candidates, see `udfs.models.offers.names`.
        first: the first column of `Asked.extra` that they set, N for each.
        named: whether they have been asked already.
        positions: for each source of evidence, its position in `SOURCES`.
        near: uint8[…], as in `popular_kernels.near_top`.
        given: scores of a ranker of a team's own, see `ranker_kernels.rank`.
    """

    naming: Any
    first: int
    named: bool
    positions: Any
    near: Any
    given: Any


@njit(cache=True, nogil=True)
def _name_all(asked, history, naming, first, n, scratch):
    """Let each source name its best items, N columns each."""
    column = first
    for source in literal_unroll(naming):
        name(source, asked, history, scratch, column, n)
        column += n


@njit(cache=True, nogil=True)
def _explain_all(asked, history, sources, positions, scratch, out):
    """Let each source of evidence explain its items."""
    s = 0
    for source in literal_unroll(sources):
        explain(source, positions[s], asked, history, scratch.shown, out)
        s += 1  # noqa: SIM113 (Numba enumerates no such loop)


@njit(cache=True, nogil=True)
def make_lists(asked, history, sources, features, items, scratch, network, offers, out):
    """The lists of the users in the rows from `asked.begin` to `asked.end` − 1.

    Args:
        asked: `Asked`, of whose `extra` the columns of `offers.naming` are set here.
        offers: `Offers`. The others as of `ranker_kernels.rank`.
        out: `Told`, set; scores as in `Lists`. Where there is no room for reasons or for what was
            consumed, they are not looked for.

    Returns: how many lists are shorter than N.
    """
    begin, end, n = asked.begin, asked.end, out.items.shape[1]
    if not offers.named:
        _name_all(asked, history, offers.naming, offers.first, n, scratch)
    given = offers.given
    short = rank(asked, history, sources, features, items, scratch, network, given, out)
    scores, reasons, consumed = out.scores, out.reasons, out.consumed
    lowest = np.float32(network.floor) if network.choice >= 0 else np.float32(0.0)
    for r in range(begin, end):
        for k in range(n):
            scores[r, k] = np.exp(scores[r, k]) - lowest
    if reasons.shape[2] > 0:
        reasons[begin:end] = -1
        _explain_all(asked, history, sources, offers.positions, scratch, out)
    if consumed.shape[1] > 0:
        near_top(offers.near, asked.users[begin:end], history, consumed[begin:end])
    return short


forget_unreadable(_name_all, _explain_all, make_lists)
