"""A history without one of its items, for a moment: what would a list be if it had not happened?

In: a cached user, and which of the last items. Out: within the block, the history without it; after
it all is as it was. The items after the one that is left out are noted again, by the kernel that
notes events, on pages that nobody uses.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from udfs.memory.history_kernels import PAGE, Batch, replay
from udfs.memory.users import Users


@contextmanager
def left_out(users: Users, slot: int, ago: int) -> Iterator[None]:
    """Leave out the item that entered a history `ago` items before the last one, and one event.

    Nothing else may be done with users within the block but to read them.

    Args:
        slot: of a user whose history has more than `ago` items.
    """
    tail, fill, events = int(users.tail[slot]), int(users.fill[slot]), int(users.events[slot])
    base, items, liked = _after(users, tail, fill, ago)
    spare = users.spare(len(items) + 1)  # may replace the arrays that `view` has
    batch = Batch(
        np.full(len(items), slot, np.int32),
        items,
        np.where(liked, np.float32(1.0), np.float32(-1.0)),
        np.ones(len(items), np.uint8),
    )
    users.tail[slot], users.fill[slot] = base, PAGE if base >= 0 else 0
    users.events[slot] = max(events - 1, 0)
    try:
        replay(batch, users.view, spare)  # `free_count` stays: the pages are free again afterwards
        yield
    finally:
        users.tail[slot], users.fill[slot], users.events[slot] = tail, fill, events


def _after(
    users: Users, page: int, stop: int, left: int
) -> tuple[int, NDArray[np.int32], NDArray[np.bool_]]:
    """The page below that of the item, −1: none; and what stands on that page and on newer ones
    without it, oldest first, with whether each is liked."""
    bits = np.arange(PAGE, dtype=np.uint32)
    items, liked = [users.pages[0, :0]], [np.zeros(0, np.bool_)]
    while True:
        own, good = users.pages[page, :stop], users.disliked[page] >> bits[:stop] & 1 == 0
        if left < stop:
            own, good = np.delete(own, stop - 1 - left), np.delete(good, stop - 1 - left)
        items.insert(0, own)
        liked.insert(0, good)
        if left < stop:
            return int(users.older[page]), np.concatenate(items), np.concatenate(liked)
        page, left, stop = int(users.older[page]), left - stop, PAGE
