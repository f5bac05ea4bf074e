"""What lists are besides accurate: varied, like their users, and how they share out the items.

In: lists of t tests, and what items and users are. Out: figures of all the lists together, over
their first ten places. Accuracy and novelty are those of `udfs.learning.quality`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from flink_app.lookup.sample import gini
from udfs.learning.quality import sums
from udfs.learning.quality_kernels import TOP

MEASURES = ("recall@10", "ndcg@10", "coverage", "novelty", "diversity", "gini", "calibration")
_CHUNK = 500  # lists that are looked at together
_SMOOTH = 0.01  # Steck's α

Lists = NDArray[np.int32]
"""int32[t, N], slots of items, −1 where a list ends."""


class Facts(NamedTuple):
    """What t tests are compared with.

    Attributes:
        wanted: int32[t], the item that was taken; −1: no list could have had it.
        groups: int32[I, G], the categories of each item as numbers from 0 to C − 1, −1: none.
        mixes: float32[t, C], the shares of categories in what the user had taken by then; all 0 if
            nothing of that has any. shares: float64[I], each item's share of all events.
        known: how many items anybody has taken.
    """

    wanted: NDArray[np.int32]
    groups: NDArray[np.int32]
    mixes: NDArray[np.float32]
    shares: NDArray[np.float64]
    known: int


def measures(lists: Lists, facts: Facts) -> dict[str, float]:
    """All of `MEASURES`; without categories, diversity and calibration are left out."""
    found = sums(lists, facts.wanted, facts.shares)
    tests, top = found["tests"], lists[:, :TOP]
    values = {
        "recall@10": found["recall@10"] / tests,
        "ndcg@10": found["ndcg@10"] / tests,
        "coverage": coverage(top, facts.known),
        "novelty": found["novelty@10"] / tests,
        "gini": exposure_gini(top, facts.known),
    }
    if (facts.groups >= 0).any():
        values["diversity"] = diversity(top, facts.groups)
        values["calibration"] = calibration(top, facts.groups, facts.mixes)
    return {name: values[name] for name in MEASURES if name in values}


def coverage(top: Lists, known: int) -> float:
    """How many different items are in any list, by how many are known; above 1 if items that nobody
    takes are shown.

    >>> coverage(np.array([[0, 1], [1, -1]]), 4)
    0.5
    """
    return len(np.unique(top[top >= 0])) / known


def exposure_gini(top: Lists, known: int) -> float:
    """The Gini index of exposure over the `known` items: 0 if all have as much, 1 if one has all.
    Where more are shown than are known, it is over those.

    Place k of a list is worth 1 / log₂(k + 1), as in DCG (Singh, Joachims 2018, Fairness of
    exposure in rankings).

    >>> exposure_gini(np.array([[0], [1]]), 2), exposure_gini(np.array([[0], [0]]), 2)
    (0.0, 0.5)
    """
    worth = np.broadcast_to(1.0 / np.log2(np.arange(top.shape[1]) + 2.0), top.shape)
    each = np.bincount(top[top >= 0], worth[top >= 0])
    shown = each[each > 0]
    return gini(np.concatenate([np.zeros(max(known - len(shown), 0)), shown]))


def diversity(top: Lists, groups: NDArray[np.int32]) -> float:
    """The mean over lists of 1 − the cosine of two items' categories, over all pairs (Ziegler et
    al. 2005, intra-list similarity). Items without categories are like nothing.

    >>> round(diversity(np.array([[0, 1, 2]]), np.array([[0, -1], [0, 1], [1, -1]])), 3)
    0.529
    """
    means = []
    for begin in range(0, len(top), _CHUNK):
        there, of = _of(top[begin : begin + _CHUNK], groups)
        same = (of[:, :, None, :, None] == of[:, None, :, None, :]) & (of >= 0)[:, :, None, :, None]
        shared, size = same.sum(axis=(3, 4)), np.maximum((of >= 0).sum(axis=2), 1)
        alike = shared / np.sqrt(size[:, :, None] * size[:, None, :])
        n = there.sum(axis=1)
        pairs = np.maximum(n * (n - 1), 1)
        own = np.trace(alike, axis1=1, axis2=2)
        means.append(1.0 - (alike.sum(axis=(1, 2)) - own) / pairs)
    return float(np.concatenate(means).mean())


def calibration(top: Lists, groups: NDArray[np.int32], mixes: NDArray[np.float32]) -> float:
    """The mean of KL(p ‖ .99 q + .01 p), p the user's mix of categories and q the list's, in which
    each item counts for its categories in equal parts (Steck 2018, Calibrated recommendations):
    0 if lists mirror what their users take. Tests of users without a mix are left out.

    >>> round(calibration(np.array([[0, 1]]), np.array([[0], [1]]), np.array([[0.5, 0.5]])), 6)
    0.0
    >>> round(calibration(np.array([[0, 0]]), np.array([[0], [1]]), np.array([[0.5, 0.5]])), 3)
    1.959
    """
    total = tests = 0.0
    for begin in range(0, len(top), _CHUNK):
        p = mixes[begin : begin + _CHUNK].astype(np.float64)
        q = mixture(top[begin : begin + _CHUNK], groups, p.shape[1])
        with np.errstate(divide="ignore", invalid="ignore"):
            terms = p * np.log(p / ((1.0 - _SMOOTH) * q + _SMOOTH * p))
        total += float(np.where(p > 0, terms, 0.0).sum())
        tests += float(p.any(axis=1).sum())
    return total / tests if tests else 0.0


def mixture(top: Lists, groups: NDArray[np.int32], categories: int) -> NDArray[np.float64]:
    """The shares of categories in each list, float64[t, C]; all 0 if no item has any.

    >>> mixture(np.array([[0, 1]]), np.array([[0, -1], [0, 1]]), 2).tolist()
    [[0.75, 0.25]]
    """
    _, of = _of(top, groups)
    each = (of >= 0).sum(axis=2)
    worth = np.where(of >= 0, 1.0 / np.maximum(each, 1)[:, :, None], 0.0)
    found = np.zeros((len(top), categories))
    rows = np.broadcast_to(np.arange(len(top))[:, None, None], of.shape)
    np.add.at(found, (rows[of >= 0], of[of >= 0]), worth[of >= 0])
    found /= np.maximum(found.sum(axis=1, keepdims=True), 1e-12)
    return found


def mixes(
    users: Sequence[int] | NDArray[Any], items: Lists, at: NDArray[np.int64], groups: Lists
) -> NDArray[np.float32]:
    """The mixes of users just before some of n events: float32[t, C], see `Facts`.

    Args:
        users: int[n], a number of each event's user. items: int32[n]. at: int64[t], ascending.

    >>> mixes([7, 7, 7], np.array([0, 1, 0]), np.array([0, 2]), np.array([[0], [1]])).tolist()
    [[0.0, 0.0], [0.5, 0.5]]
    """
    own = mixture(np.asarray(items)[:, None], groups, int(groups.max(initial=-1)) + 1)
    found, taken = np.zeros((len(at), own.shape[1]), np.float32), dict[int, Any]()
    wanted = {event: row for row, event in enumerate(np.asarray(at).tolist())}
    for event, user in enumerate(np.asarray(users).tolist()):
        if (row := wanted.get(event)) is not None and user in taken:
            found[row] = taken[user] / max(taken[user].sum(), 1e-12)
        taken[user] = taken.get(user, 0.0) + own[event]
    return found


def _of(top: Lists, groups: NDArray[np.int32]) -> tuple[NDArray[np.bool_], NDArray[np.int32]]:
    """Which places of lists hold an item, bool[t, N], and its categories, int32[t, N, G]."""
    there = top >= 0
    return there, np.where(there[:, :, None], groups[np.maximum(top, 0)], -1).astype(np.int32)
