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

PLACE = 27  # beside the slot of a user, of at most 2²⁷, stands the place by which it was found
SLOT = np.int32((1 << PLACE) - 1)


class Noted(NamedTuple):
    """Who consumed what, and the parameters of the query.

    Attributes:
        who, serial, counts: int32[I, R], int64[I, R], int64[I], see `note`.
        position: float64[H]. shrink, activity_shrink, power: float64, > 0, > 0, ≥ 0.
        neighbours, items, depth: at most so many users are asked and so many items added, a user's
            last ones after the others; in how many of a user's last items the anchor is looked for.
        around: float32[2D + 1], what an item counts that stands D, …, 1, 0, −1, …, −D places after
            the anchor.
        weight, alike, amounts: float32[U], all 0 before and after a call; int32[U + 1],
            float32[U]: memory of one thread.
    """

    who: Any
    serial: Any
    counts: Any
    position: Any
    shrink: float
    activity_shrink: float
    power: float
    neighbours: int
    items: int
    depth: int
    around: Any
    weight: Any
    alike: Any
    amounts: Any


@njit(cache=True, nogil=True)
def note(users, items, serials, who, serial, counts):
    """Record that each user consumed an item, in order: int32[n], int32[n]. Who took it last of all
    already is not recorded again.

    Args:
        serials: int64[U], the number of the user that is in each cache slot.
        who, serial, counts: changed in place: the last R consumers of each item with their
            serials at that time, and how many there were in all; the newest is at
            (counts − 1) mod R.
    """
    for e in range(users.shape[0]):
        item = items[e]
        last, place = (counts[item] - 1) % who.shape[1], counts[item] % who.shape[1]
        if counts[item] and who[item, last] == users[e] and serial[item, last] == serials[users[e]]:
            continue
        who[item, place] = users[e]
        serial[item, place] = serials[users[e]]
        counts[item] += 1


@njit(cache=True, nogil=True)
def gather(noted, user, history, evidence, touched):
    """Add to `evidence` what the users most like `user` have consumed.

    The similarity of v to u comes from the items h that v consumed too, h being the k-th newest of
    the last H items of u:

        a_v = Σ_h `position[k]` / (n_h + shrink)^power

    The anchor is the newest item of u by which v was found, if it is among the last `depth` items
    of v. For each of the `neighbours` most similar users, an item j that v liked and that stands d
    places after the anchor adds

        t_j += a_v / (n_v + activity_shrink)^power · `around[D − d]`

    the most similar first, until `items` are added
    (VS-kNN: Ludewig, Jannach 2018; STAN: Garg et al. 2019, with recent users in place of sessions).

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
        named = np.int32(place) << PLACE
        for r in range(min(counts[h], who.shape[1])):
            other = np.uint32(who[h, r])
            before = weight[other]
            valid = other != user and serials[other] == serial[h, r]
            alike[likes] = np.int32(other) | named
            likes += valid and before == ZERO
            weight[other] = before + (part if valid else ZERO)
    for k in range(likes):
        other = np.uint32(alike[k] & SLOT)
        amounts[k] = weight[other]
        weight[other] = ZERO
    best = closest(alike, amounts, likes, noted.neighbours)
    for k in range(best):
        fall = fallen(events[alike[k] & SLOT] + noted.activity_shrink, noted.power)
        amounts[k] = max(np.float32(amounts[k] * fall), FAINTEST)
    _add_items(noted, best, last, history, evidence, touched)


@njit(cache=True, nogil=True, _nrt=False)
def _stands(item, user, most, history):
    """How many places back in the history of `user` an item stands, of about the last `most`: of
    all on the last page that is looked at; −1 if it is not there."""
    pages, older = history.pages, history.older
    page, stop, begin = history.tail[user], history.fill[user], 0
    while page >= 0 and begin < most:
        found = np.int32(-1)  # looks at a whole page without a branch: that is vectorised
        for n in range(np.int32(PAGE)):
            here = np.int32(pages[page, n] == item) & np.int32(n < stop)
            found = max(found, np.int32(n) if here else np.int32(-1))
        if found >= 0:
            return begin + stop - 1 - found
        begin += stop
        page, stop = older[page], PAGE
    return -1


@njit(cache=True, nogil=True, _nrt=False)
def _add_items(noted, count, last, history, evidence, touched):
    """Add to `evidence` the amount of each of the first `count` of `noted.alike` for each item
    around its anchor, one of `last`, that it liked."""
    users, amounts, around, depth = noted.alike, noted.amounts, noted.around, noted.depth
    tail, fill, older = history.tail, history.fill, history.older
    pages, disliked, left = history.pages, history.disliked, noted.items
    reach = (around.shape[0] - 1) // 2
    for k in range(count):  # none waits for the one before it
        page = tail[users[k] & SLOT]
        prefetch(older, page, 0)
        prefetch(disliked, page, 0)
        for n in range(0, PAGE, LINE):
            prefetch(pages, page, n)
    for k in range(count):
        amount, user = amounts[k], users[k] & SLOT
        anchor = _stands(last[users[k] >> PLACE], user, depth, history)
        if anchor < 0:
            continue
        page, stop, begin = tail[user], fill[user], 0
        newest, oldest = max(anchor - reach, 0), anchor + reach
        while page >= 0 and begin <= oldest:
            bits, top = disliked[page], begin + stop - 1  # item n stands top − n places back
            low, high = max(top - oldest, 0), min(top - newest, stop - 1) + 1
            for n in range(low, high):
                # Unsigned, since a signed index may count from the end; and without a branch.
                j = np.uint32(pages[page, n])
                liked = (bits >> np.uint32(n)) & np.uint32(1) == 0
                part = amount * around[np.uint32(top - n - anchor + reach)]
                evidence[j] += part if liked else ZERO
                touched[line(j)] = 1
            left -= max(high - low, 0)
            begin += stop
            page, stop = older[page], PAGE
        if left <= 0:
            break


@njit(cache=True, nogil=True)
def damp(noted, slots, out):
    """1: what many consumed is not held against it."""
    for k in range(slots.shape[0]):
        out[k] = np.float32(1.0)


speaks(Noted, gather, damp)
