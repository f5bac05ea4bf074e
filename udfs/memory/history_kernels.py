"""The compiled loops over users' histories.

In: history pages and events in order; out: the pages changed in place, or what they hold. Each
kernel is exactly sequential (event by event), releases the interpreter lock, and has a plain NumPy
twin in the tests. Names of sizes: `U` users in the cache, `H` history pages, `I` catalogue slots.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from udfs.compiling import njit
from udfs.state.records import PAGE as PAGE


class History(NamedTuple):
    """The users' history pages (see `note`) and what else is known of users.

    Attributes:
        tail, fill: int32[U]. older, pages: int32[H], int32[H, PAGE]. disliked: uint32[H], a bit for
            each item of a page that its user did not like.
        events, serials: int64[U], events learned; one number for each user put into a cache slot.
        repeats: whether an item that is taken again, after another one, stands in them again.
    """

    tail: Any
    fill: Any
    older: Any
    pages: Any
    disliked: Any
    events: Any
    serials: Any
    repeats: bool = False


class Spare(NamedTuple):
    """Where histories grow: unused pages, and the notes of those that are full.

    Attributes:
        free: int32[f], of which the first `counts[0]` are pages that nobody uses.
        sealed: int32[s, 2], of which the first `counts[1]` are (user, page), full pages that have
            changed.
        counts: int64[2], changed.
    """

    free: Any
    sealed: Any
    counts: Any


class Batch(NamedTuple):
    """n events in order.

    Attributes:
        users, items: int32[n] twice, cache slots and catalogue slots (−1: outside the catalogue).
        weights: float32[n]. flags: uint8[n], 1: the event puts its item into the history.
    """

    users: Any
    items: Any
    weights: Any
    flags: Any


@njit(cache=True, nogil=True, _nrt=False)
def consumed(item, user, tail, fill, older, pages):
    """Whether catalogue slot `item` stands in the history pages of cache slot `user`."""
    page = tail[user]
    length = fill[user]
    while page >= 0:
        found = np.int32(0)  # looks at a whole page without a branch: that is vectorised
        for k in range(np.int32(PAGE)):
            found |= np.int32(pages[page, k] == item) & np.int32(k < length)
        if found:
            return True
        page = older[page]
        length = PAGE
    return False


@njit(cache=True, nogil=True, _nrt=False)
def mark(value, user, tail, fill, older, pages, out):
    """Set `out` ([room]) to `value` at each slot below `room` in the history of `user`."""
    page, stop = tail[user], fill[user]
    while page >= 0:
        for k in range(stop):
            if pages[page, k] < out.shape[0]:
                out[pages[page, k]] = value
        page, stop = older[page], PAGE


@njit(cache=True, nogil=True, _nrt=False)
def judge(item, user, liked, tail, fill, older, pages, disliked):
    """Mark an item of a user's history as liked or not, the last time it stands there: a later
    word counts more.

    Args:
        disliked: uint32[H], changed in place: bit k marks item k of a page as not liked.

    Returns: the page that this changed, or −1: the item isn't there, or was marked so already.
    """
    page, length = tail[user], fill[user]
    while page >= 0:
        for k in range(length - 1, -1, -1):
            if pages[page, k] == item:
                bit = np.uint32(1) << np.uint32(k)
                if ((disliked[page] & bit) == 0) == liked:
                    return -1
                disliked[page] ^= bit
                return page
        page, length = older[page], PAGE
    return -1


@njit(cache=True, nogil=True, _nrt=False)
def newest(user, tail, fill, pages):
    """The last item of the history of `user`, −1 if it is empty."""
    return pages[tail[user], fill[user] - 1] if tail[user] >= 0 and fill[user] > 0 else np.int32(-1)


@njit(cache=True, nogil=True, _nrt=False)
def stands(item, user, repeats, tail, fill, older, pages):
    """Whether `item` is not appended to the history of `user`: it is there, or, with `repeats`, it
    is the last one."""
    if repeats:
        return newest(user, tail, fill, pages) == item
    return consumed(item, user, tail, fill, older, pages)


@njit(cache=True, nogil=True, _nrt=False)
def append(item, user, repeats, tail, fill, older, pages, free, free_count):
    """Append an item to its user's history unless it `stands` there.

    Returns: pages still free of `free[:free_count]`, or −1 where nothing was appended.
    """
    if stands(item, user, repeats, tail, fill, older, pages):
        return -1
    if tail[user] < 0 or fill[user] == PAGE:
        free_count -= 1
        page = free[free_count]
        older[page] = tail[user]
        tail[user] = page
        fill[user] = 0
    pages[tail[user], fill[user]] = item
    fill[user] += 1
    return free_count


@njit(cache=True, nogil=True, _nrt=False)
def note(item, user, consumes, weight, history, spare):
    """What an event leaves in its user's history: the item, if it `consumes` one that does not
    stand there, and whether it was liked, by the sign of the last weight other than 0.

    Args:
        history, spare: `History` and `Spare`, changed; at least one page is free, and there is room
            for one more sealed page.
    """
    tail, fill, older, pages = history.tail, history.fill, history.older, history.pages
    disliked, counts = history.disliked, spare.counts
    left = -1
    if consumes:
        left = append(item, user, history.repeats, tail, fill, older, pages, spare.free, counts[0])
    page = -1
    if left >= 0:
        counts[0] = left
        page, k = tail[user], fill[user] - 1
        bit = np.uint32(weight <= 0.0) << np.uint32(k)
        disliked[page] = bit if k == 0 else disliked[page] | bit
    elif weight != 0.0:
        page = judge(item, user, weight > 0.0, tail, fill, older, pages, disliked)
    if page >= 0 and (page != tail[user] or fill[user] == PAGE):
        sealed, at = spare.sealed, counts[1]
        sealed[at, 0] = user
        sealed[at, 1] = page
        counts[1] = at + 1


@njit(cache=True, nogil=True)
def replay(batch, history, spare):
    """`note` what events left in the history of their users, in order, without learning.

    Args:
        batch, history, spare: `Batch`, and `History` and `Spare`, changed; of each there is room
            for so many events.
    """
    users, items, weights, flags = batch.users, batch.items, batch.weights, batch.flags
    for e in range(users.shape[0]):
        note(items[e], users[e], flags[e] & 1 == 1, weights[e], history, spare)


@njit(cache=True, nogil=True, _nrt=False)
def recent(user, history, begin, out):
    """Set `out[begin:]` (int32) to the last items of a history, newest first; returns the end.

    An item j that its user did not like is written as −1 − j.
    """
    older, pages, disliked = history.older, history.pages, history.disliked
    page, stop = history.tail[user], history.fill[user]
    while page >= 0:
        for k in range(stop - 1, -1, -1):
            if begin >= out.shape[0]:
                return begin
            j = pages[page, k]
            out[begin] = j if (disliked[page] >> np.uint32(k)) & np.uint32(1) == 0 else -1 - j
            begin += 1
        page, stop = older[page], PAGE
    return begin


@njit(cache=True, nogil=True, _nrt=False)
def among(item, items, begin, end):
    """Whether `items[begin:end]` (int32) holds an item."""
    found = False
    for k in range(begin, end):
        found |= items[k] == item
    return found
