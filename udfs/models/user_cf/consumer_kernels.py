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
        neighbours, items_each: the number of users whose items are scored, and of items of each,
            at most 2¹⁶.
        around: float32[2D + 1], what an item counts that stands D, …, 1, 0, −1, …, −D places after
            the anchor.
        weight, alike, amounts: float32[U], all 0 before and after a call; int32[U + 1],
            float32[U]: memory of one thread. back: uint8[I], memory of one thread, all 0 before and
            after a call.
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
    around: Any
    weight: Any
    alike: Any
    amounts: Any
    back: Any


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

    Of each of the `neighbours` most similar users the last `items_each` items are looked at. The
    anchor is that of them which is newest in the history of u. An item j that v liked and that
    stands d places after it adds

        t_j += a_v / (n_v + activity_shrink)^power · `around[D − d]`

    (VS-kNN: Ludewig, Jannach 2018; STAN: Garg et al. 2019, with recent users in place of sessions).

    Args:
        noted: `Noted`, n_h = `counts[h]`. user: a cache slot.
        history: `History`, n_v = `events[v]`.
        evidence, touched: as in `udfs.models.evidence.speaks`.
    """
    last = np.empty(noted.position.shape[0], np.int32)
    likes, who, serial, counts = 0, noted.who, noted.serial, noted.counts
    serials, events = history.serials, history.events
    weight, alike, amounts, back = noted.weight, noted.alike, noted.amounts, noted.back
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
        back[h] = place + 1
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
    _add_items(noted, best, history, evidence, touched)
    for place in range(length):
        h = last[place]
        if 0 <= h < counts.shape[0]:
            back[h] = 0


@njit(cache=True, nogil=True, _nrt=False)
def _anchor(user, most, back, history):
    """How many places back in the history of `user` the item of the least `back` above 0 stands, of
    the last `most`, the newest of equal ones; −1 if none has any."""
    pages, older = history.pages, history.older
    page, stop, begin = history.tail[user], history.fill[user], 0
    least = np.uint32(1 << 31)
    while page >= 0 and begin < most:
        for n in range(max(stop - (most - begin), 0), stop):
            # Unsigned and without a branch; 0 becomes the largest of all.
            place = np.uint32(np.uint32(back[np.uint32(pages[page, n])]) - np.uint32(1))
            found = np.uint32(place << np.uint32(16)) | np.uint32(begin + stop - 1 - n)
            least = min(least, np.uint32(found))
        begin += stop
        page, stop = older[page], PAGE
    return np.int64(least & np.uint32(0xFFFF)) if least < np.uint32(1 << 31) else np.int64(-1)


@njit(cache=True, nogil=True, _nrt=False)
def _add_items(noted, count, history, evidence, touched):
    """Add to `evidence` the amount of each of the first `count` of `noted.alike` for each item
    around its anchor that it liked."""
    users, amounts, around, back = noted.alike, noted.amounts, noted.around, noted.back
    tail, fill, older = history.tail, history.fill, history.older
    pages, disliked, most = history.pages, history.disliked, noted.items_each
    reach = (around.shape[0] - 1) // 2
    for k in range(count):  # none waits for the one before it
        page = tail[users[k]]
        prefetch(older, page, 0)
        prefetch(disliked, page, 0)
        for n in range(0, PAGE, LINE):
            prefetch(pages, page, n)
    for k in range(count):
        amount, user = amounts[k], users[k]
        anchor = _anchor(user, most, back, history)
        if anchor < 0:
            continue
        page, stop, begin = tail[user], fill[user], 0
        newest, oldest = max(anchor - reach, 0), anchor + reach
        while page >= 0 and begin <= oldest:
            bits, top = disliked[page], begin + stop - 1  # item n stands top − n places back
            for n in range(max(top - oldest, 0), min(top - newest, stop - 1) + 1):
                j = np.uint32(pages[page, n])
                liked = (bits >> np.uint32(n)) & np.uint32(1) == 0
                part = amount * around[np.uint32(top - n - anchor + reach)]
                evidence[j] += part if liked else ZERO
                touched[line(j)] = 1
            begin += stop
            page, stop = older[page], PAGE


@njit(cache=True, nogil=True)
def damp(noted, slots, out):
    """1: what many consumed is not held against it."""
    for k in range(slots.shape[0]):
        out[k] = np.float32(1.0)


speaks(Noted, gather, damp)
