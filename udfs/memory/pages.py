"""History pages: chains of fixed-size pages of catalogue slots, shared by all cached users.

In: pages to add to a user's chain, chains to free. Out: the arrays that the kernels of
`udfs.memory.history_kernels` work on. `Users` holds where each user's chain begins.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from udfs.memory.columns import Table, column
from udfs.state.records import PAGE


class Pages(Table):
    """Pages in use and free ones.

    Attributes:
        pages, older: int32[H, PAGE], int32[H]: catalogue slots, and the page before (−1: none).
        disliked: uint32[H], bit k is set if the event of item k of a page had no positive weight.
        free: int32[H], the first `free_count` of which are unused pages.
    """

    pages = column(np.int32, (PAGE,), slots=True)
    older = column(np.int32, fill=-1)
    disliked = column(np.uint32)
    free = column(np.int32)

    def __init__(self) -> None:
        super().__init__(64)
        self.free[:] = np.arange(self.room)
        self.free_count = self.room

    def make_free(self, count: int) -> None:
        """Make sure that `count` pages are free."""
        while self.free_count < count:
            begin = self.room
            self.reserve(begin + 1)
            added = np.arange(begin, self.room)
            self.free[self.free_count : self.free_count + len(added)] = added
            self.free_count += len(added)

    def push(self, tail: int, items: NDArray[np.int32], disliked: int) -> int:
        """Put a page of up to PAGE items (int32[k]) on top of the chain that begins at `tail`;
        returns where the chain begins now."""
        self.make_free(1)
        self.free_count -= 1
        page = int(self.free[self.free_count])
        self.older[page], self.disliked[page] = tail, disliked
        self.pages[page, : len(items)] = items
        return page

    def give_back(self, page: int) -> None:
        """Free a page and all older ones in its chain."""
        while page >= 0:
            self.free[self.free_count] = page
            self.free_count += 1
            page = int(self.older[page])

    def drop_oldest(self, tail: int) -> None:
        """Free the oldest page of a chain of at least two."""
        page = tail
        while self.older[self.older[page]] >= 0:
            page = int(self.older[page])
        self.give_back(int(self.older[page]))
        self.older[page] = -1

    def below(self, page: int) -> int:
        """How many older pages follow a page."""
        count = 0
        while (page := int(self.older[page])) >= 0:
            count += 1
        return count

    def chain(self, tail: int, fill: int) -> NDArray[np.int32]:
        """The items of one chain, those of its newest page first: int32[m]."""
        parts, page, stop = [self.pages[0, :0]], tail, fill
        while page >= 0:
            parts.append(self.pages[page, :stop])
            page, stop = int(self.older[page]), PAGE
        return np.concatenate(parts)

    def standing(self, tail: int, fill: int) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
        """The items of one chain, oldest first, int32[m], and whether each is liked, bool[m]."""
        parts, liked, page, stop = [self.pages[0, :0]], [np.zeros(0, np.bool_)], tail, fill
        while page >= 0:
            parts.insert(0, self.pages[page, :stop])
            liked.insert(0, self.disliked[page] >> np.arange(stop, dtype=np.uint32) & 1 == 0)
            page, stop = int(self.older[page]), PAGE
        return np.concatenate(parts), np.concatenate(liked)

    def items(self, tails: NDArray[np.int32], fill: NDArray[np.int32]) -> NDArray[np.int32]:
        """All items on pages in use, one after the other: int32[m].

        Args:
            tails, fill: int32[u] twice, where each chain begins (−1: none), and how many items are
                on that page; all older ones are full.
        """
        length = np.full(self.room, PAGE)
        length[self.free[: self.free_count]] = 0
        length[tails[tails >= 0]] = fill[tails >= 0]
        found: NDArray[np.int32] = self.pages[np.arange(PAGE) < length[:, None]]
        return found
