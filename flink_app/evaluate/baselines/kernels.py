"""The compiled loops of the baselines: choosing a list, steps of descent, and counted neighbours.

In: arrays of `flink_app.evaluate.baselines.base.History` and of the models; out: the same arrays
changed in place, or scores. Names of sizes: `U` users, `I` items, `d` factors, `n` pairs of a user
and an item, `N` items of a list. Arguments `last`, `older` and `what` are a history's.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

import numpy as np

from udfs.compiling import njit
from udfs.memory.top_kernels import insert


@njit(cache=True, nogil=True)
def best(scores, known, user, exclude, last, older, what, items):
    """Fill `items` (int32[N]) with the best known items, −1 where they end.

    Of equal ones the first.

    Args:
        scores: float64[I], −inf is left out. known: bool[I]. exclude: whether the items in the
            history of `user` are left out.
    """
    free = known.copy()
    if exclude:
        place = last[user]
        while place >= 0:
            free[what[place]] = False
            place = older[place]
    top = np.full(items.shape[0], -np.inf)
    items[:] = -1
    for item in range(scores.shape[0]):
        if free[item] and scores[item] > top[-1]:
            insert(np.int32(item), scores[item], items, top)


@njit(cache=True, nogil=True)
def step(p, q, target, rate, penalty, both):
    """One step of descent on (target − p·q)²/2 with both old values, in place; q only if `both`.

    Args:
        p, q: float64[d] of a user and an item. rate: η. penalty: λ.
    """
    error = target
    for f in range(p.shape[0]):
        error -= p[f] * q[f]
    for f in range(p.shape[0]):
        old = p[f]
        p[f] += rate * (error * q[f] - penalty * old)
        if both:
            q[f] += rate * (error * old - penalty * q[f])


@njit(cache=True, nogil=True)
def count_pairs(user, item, last, older, what, pairs):
    """Count `item` with every item in the history of `user`; pairs: int32[I, I], in place."""
    place = last[user]
    while place >= 0:
        other = what[place]
        pairs[other, item] += 1
        pairs[item, other] += 1
        place = older[place]


@njit(cache=True, nogil=True)
def item_scores(user, last, older, what, pairs, counts, recent, out):
    """Add to `out` (float64[I]) the cosines with the user's `recent` newest items.

    Args:
        pairs: int32[I, I], users who took both. counts: int32[I], users who took each.
    """
    place = last[user]
    while place >= 0 and recent > 0:
        other = what[place]
        for item in range(out.shape[0]):
            if pairs[other, item] > 0:
                out[item] += pairs[other, item] / np.sqrt(float(counts[other]) * counts[item])
        place = older[place]
        recent -= 1


@njit(cache=True, nogil=True)
def user_scores(user, links, counts, neighbours, out):
    """Add to `out` (float64[I]) the cosines of the nearest users who took each item.

    Args:
        links: `flink_app.evaluate.baselines.base.Links`, the whole history.
        counts: int32[U], items of each user. neighbours: how many users are near.
    """
    who, what = links.who, links.what
    last_of_user, older_of_user = links.last_of_user, links.older_of_user
    last_of_item, older_of_item = links.last_of_item, links.older_of_item
    shared = np.zeros(counts.shape[0], np.int32)
    place = last_of_user[user]
    while place >= 0:
        pair = last_of_item[what[place]]
        while pair >= 0:
            shared[who[pair]] += 1
            pair = older_of_item[pair]
        place = older_of_user[place]
    shared[user] = 0
    near = np.flatnonzero(shared)
    cosines = np.empty(near.shape[0])
    for k in range(near.shape[0]):
        cosines[k] = shared[near[k]] / np.sqrt(float(counts[user]) * counts[near[k]])
    order = np.argsort(-cosines, kind="mergesort")[:neighbours]
    for k in order:
        place = last_of_user[near[k]]
        while place >= 0:
            out[what[place]] += cosines[k]
            place = older_of_user[place]
