"""The compiled loops of user-based collaborative filtering: recording consumers and querying them.

In: history pages and the last consumers of each item; out: amounts by item. Like
`udfs.memory.history_kernels` they release the interpreter lock, are exactly sequential, and have a
plain twin in the tests. Names of sizes: `U` users in the cache, `I` catalogue slots, `R` consumers
recorded for an item.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from udfs.compiling import njit
from udfs.memory.history_kernels import PAGE, recent
from udfs.memory.prefetch import LINE, prefetch
from udfs.models.evidence import FAINTEST, ZERO, fallen, line, speaks
from udfs.models.user_cf.closest_kernels import closest


class Noted(NamedTuple):
    """Who consumed what, and the parameters of the query.

    Attributes:
        who, serial, counts: int32[I, R], int64[I, R], int64[I], see `note`.
        position: float64[H]. shrink, activity_shrink, power: float64, > 0, > 0, ≥ 0.
        neighbours, items_each: the number of users whose items are scored, and of items of each.
        weight, alike, amounts: float32[U], all 0 before and after a call; int32[U + 1], float32[U]:
            memory of one thread.
    """

    who: Any
    serial: Any
    counts: Any
    position: Any
    shrink: float
    activity_shrink: float
    power: float
    neighbours: int
    items_each: int
    weight: Any
    alike: Any
    amounts: Any


@njit(cache=True, nogil=True)
def note(users, items, serials, who, serial, counts):
    """Record that each user consumed an item, in order: int32[n], int32[n].

    Args:
        serials: int64[U], the number of the user that is in each cache slot.
        who, serial, counts: changed in place: the last R consumers of each item with their
            serials at that time, and how many there were in all; the newest is at
            (counts − 1) mod R.
    """
    for e in range(users.shape[0]):
        item = items[e]
        place = counts[item] % who.shape[1]
        who[item, place] = users[e]
        serial[item, place] = serials[users[e]]
        counts[item] += 1


@njit(cache=True, nogil=True)
def gather(noted, user, history, evidence, touched):
    """Add to `evidence` what the users most like `user` have consumed.

    The similarity of v to u comes from the items h that v consumed too, h being the k-th newest of
    the last H items of u:

        a_v = Σ_h `position[k]` / (n_h + shrink)^power

    and each of the `neighbours` most similar users adds, for each of its last `items_each` items j,

        t_j += a_v / (n_v + activity_shrink)^power

    (session-kNN: Jannach, Ludewig 2017, with recent users in place of sessions).

    Args:
        noted: `Noted`, n_h = `counts[h]`. user: a cache slot.
        history: `History`, n_v = `events[v]`.
        evidence, touched: as in `udfs.models.evidence.speaks`.
    """
    last = np.empty(noted.position.shape[0], np.int32)
    likes, who, serial, counts = 0, noted.who, noted.serial, noted.counts
    serials, events = history.serials, history.events
    weight, alike, amounts = noted.weight, noted.alike, noted.amounts
    length = recent(user, history, 0, last)
    for place in range(length):
        h = last[place]
        if h >= 0:
            for r in range(0, who.shape[1], LINE):
                prefetch(who, h, r)
            for r in range(0, who.shape[1], LINE // 2):
                prefetch(serial, h, r)
    for place in range(length):
        h = last[place]
        if h < 0 or h >= counts.shape[0]:
            continue
        fall = fallen(counts[h] + noted.shrink, noted.power)
        part = max(np.float32(noted.position[place] * fall), FAINTEST)
        for r in range(min(counts[h], who.shape[1])):
            other = np.uint32(who[h, r])
            before = weight[other]
            valid = other != user and serials[other] == serial[h, r]
            alike[likes] = other
            likes += valid and before == ZERO
            weight[other] = before + (part if valid else ZERO)
    for k in range(likes):
        other = np.uint32(alike[k])
        amounts[k] = weight[other]
        weight[other] = ZERO
    best = closest(alike, amounts, likes, noted.neighbours)
    for k in range(best):
        fall = fallen(events[alike[k]] + noted.activity_shrink, noted.power)
        amounts[k] = max(np.float32(amounts[k] * fall), FAINTEST)
    _add_items(alike, amounts, best, noted.items_each, history, evidence, touched)


@njit(cache=True, nogil=True, _nrt=False)
def _add_items(users, amounts, count, most, history, evidence, touched):
    """Add to `evidence` the amount of each of the first `count` users for each of its last `most`
    items that it liked."""
    tail, fill, older = history.tail, history.fill, history.older
    pages, disliked = history.pages, history.disliked
    for k in range(count):  # none waits for the one before it
        page = tail[users[k]]
        prefetch(older, page, 0)
        prefetch(disliked, page, 0)
        for n in range(0, PAGE, LINE):
            prefetch(pages, page, n)
    for k in range(count):
        amount, user = amounts[k], users[k]
        page, stop, left = tail[user], fill[user], most
        while page >= 0 and left > 0:
            bits = disliked[page]
            for n in range(max(stop - left, 0), stop):
                # Unsigned, since a signed index may count from the end; and without a branch.
                j = np.uint32(pages[page, n])
                liked = (bits >> np.uint32(n)) & np.uint32(1) == 0
                evidence[j] += amount if liked else ZERO
                touched[line(j)] = 1
            left -= stop
            page, stop = older[page], PAGE


@njit(cache=True, nogil=True)
def damp(noted, slots, out):
    """(n_j + shrink)^−power, the damping of items that many consumed."""
    counts, shrink, power = noted.counts, noted.shrink, noted.power
    for k in range(slots.shape[0]):
        n = np.float64(counts[slots[k]]) if slots[k] < counts.shape[0] else 0.0
        out[k] = fallen(n + shrink, power)


speaks(Noted, gather, damp)
