"""The compiled loops of the session baselines: rules counted, sessions compared.

In: the arrays of a `flink_app.evaluate.baselines.sessions.Log`. Out: counts or scores, in place.
Names of sizes: `U` users, each a session, `I` items, `n` events. Arguments `who`, `what`, `last`,
`older`, `last_of_item` and `older_of_item` are a log's.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

import numpy as np

from udfs.compiling import njit


@njit(cache=True, nogil=True)
def add_rules(place, item, what, older, steps, rules):
    """Add 1 / distance to the rule from each of the last items to `item`, in place.

    Args:
        place: of the session's last event before. steps: how far back, events.
        rules: float32[I, I], from, to.
    """
    distance = 1
    while place >= 0 and distance <= steps:
        rules[what[place], item] += np.float32(1.0 / distance)
        place = older[place]
        distance += 1


@njit(cache=True, nogil=True)
def last_items(user, what, last, older, recent, step_of):
    """Note the items of the user's newest events: how many events back each stands.

    Args:
        recent: how many events. step_of: int32[I], all 0; 1 for the newest item, in place.

    Returns:
        Length of the session as it is used, events, and its distinct items, int32[m].
    """
    items = np.empty(recent, np.int32)
    count, step, place = 0, 0, last[user]
    while place >= 0 and step < recent:
        step += 1
        if step_of[what[place]] == 0:
            step_of[what[place]] = step
            items[count] = what[place]
            count += 1
        place = older[place]
    return step, items[:count]


@njit(cache=True, nogil=True)
def sharing(user, items, who, last, last_of_item, older_of_item, most):
    """Other sessions with one of `items`: the `most` with the newest last events, int32[m]."""
    met = np.zeros(last.shape[0], np.bool_)
    met[user] = True
    found = np.empty(last.shape[0], np.int32)
    count = 0
    for item in items:
        place = last_of_item[item]
        while place >= 0:
            other = who[place]
            if not met[other]:
                met[other] = True
                found[count] = other
                count += 1
            place = older_of_item[place]
    newest = np.empty(count, np.int64)
    for k in range(count):
        newest[k] = -last[found[k]]
    order = np.argsort(newest, kind="mergesort")[:most]
    return found[:count][order]


@njit(cache=True, nogil=True)
def similarities(sessions, what, last, older, weight, stamp, out):
    """Σ of the weights of the items that each session shares with the running one.

    Args:
        sessions: int32[m]. weight: float64[I], of the running session's items, 0 for others.
        stamp: int32[I], below 0. out: float64[m], in place.

    Returns:
        How many events each session has, int32[m].
    """
    lengths = np.zeros(sessions.shape[0], np.int32)
    for k in range(sessions.shape[0]):
        total, place = 0.0, last[sessions[k]]
        while place >= 0:
            item = what[place]
            if stamp[item] != k:
                stamp[item] = k
                total += weight[item]
            lengths[k] += 1
            place = older[place]
        out[k] = total
    return lengths


@njit(cache=True, nogil=True)
def add_sessions(sessions, similar, what, last, older, step_of, decay, inside, stamp, out):
    """Add to the score of each item how similar the sessions are that have it.

    For a session of similarity s whose newest shared item is a, j events back in the running one:
    s · decay[j] · exp(−|place of the item − place of a| / inside), or without the last factor.

    Args:
        sessions: int32[m]. similar: float64[m]. step_of: int32[I], 0 for items not in the running
            session. decay: float64[recent + 1] by j. inside: λ, events; 0 for none.
        stamp: int32[I], below 0. out: float64[I], in place.
    """
    for k in range(sessions.shape[0]):
        newest, anchor, step, place = 0, 0, 0, last[sessions[k]]
        while place >= 0:
            item = what[place]
            if step_of[item] > 0 and (newest == 0 or step_of[item] < newest):
                newest, anchor = step_of[item], step
            step += 1
            place = older[place]
        step, place = 0, last[sessions[k]]
        while place >= 0:
            item = what[place]
            if stamp[item] != k:
                stamp[item] = k
                near = np.exp(-abs(step - anchor) / inside) if inside > 0.0 else 1.0
                out[item] += similar[k] * decay[newest] * near
            step += 1
            place = older[place]
