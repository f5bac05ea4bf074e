"""The users a learner holds in memory, a bounded cache over Flink's state.

In: user ids of a batch with the state of their shard. Out: slots (int32 positions in the arrays)
and the arrays that the kernels work on; the rows to write back. A cached user always equals the
user's row in state, except within a batch.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from udfs.events.batch import item_key
from udfs.memory import random_kernels
from udfs.memory.catalogue import Catalogue
from udfs.memory.history_kernels import PAGE, History
from udfs.state.handles import Rows
from udfs.state.records import VERSION, read_rows, user_dtype

_COLUMNS = (
    "p", "spread", "events", "last", "seen", "marked", "serials", "tail", "fill", "first", "sealed",
)  # fmt: skip


class Users:
    """The most recently used `capacity` users, more only while one batch alone has more.

    Attributes:
        p, spread: float32[U, d], float32[U], factors and their mean squared gradients, summed up;
            where ratings are learned by squared error, `spread` is the user's bias instead.
            events, last, seen, marked: int64[U], events learned,
            event time and wall clock of the last, and the idle bucket the user stands in (ms).
        serials: int64[U], a number of its own for each user that was put into a slot.
        tail, fill: int32[U], the history page being filled (−1: none) and its length.
        first, sealed: int64[U], the full pages `first` to `sealed` − 1 stand in the history state.
        pages, older: int32[H, PAGE], int32[H]: catalogue slots, and the page before (−1: none).
        disliked: uint32[H], bit k set where the event of item k of a page had no positive weight.
    """

    def __init__(self, dimensions: int, seed: int, capacity: int, history: int) -> None:
        self.dimensions, self.seed, self.capacity = dimensions, seed, capacity
        self.history_pages = -(-history // PAGE)  # rounded up: never fewer than asked for
        self.dtype = user_dtype(dimensions)
        self.names: list[str] = []
        self._loaded = 0
        self._slots: OrderedDict[str, int] = OrderedDict()
        self._free_slots: list[int] = []
        self._allocate(64)
        self.pages = np.zeros((64, PAGE), np.int32)
        self.older = np.full(64, -1, np.int32)
        self.disliked = np.zeros(64, np.uint32)
        self.free = np.arange(64, dtype=np.int32)
        self.free_count = 64

    def _allocate(self, room: int) -> None:
        self.p = np.zeros((room, self.dimensions), np.float32)
        self.spread = np.zeros(room, np.float32)
        self.events = np.zeros(room, np.int64)
        self.last = np.zeros(room, np.int64)
        self.seen = np.zeros(room, np.int64)
        self.marked = np.full(room, -1, np.int64)
        self.serials = np.zeros(room, np.int64)
        self.tail = np.full(room, -1, np.int32)
        self.fill = np.zeros(room, np.int32)
        self.first = np.zeros(room, np.int64)
        self.sealed = np.zeros(room, np.int64)

    @property
    def view(self) -> History:
        """What the kernels read of histories; the arrays of this moment."""
        return History(
            self.tail, self.fill, self.older, self.pages, self.disliked, self.events, self.serials
        )

    def __len__(self) -> int:
        return len(self._slots)

    def find(self, user: str) -> int:
        """The slot of a cached user, or −1."""
        return self._slots.get(user, -1)

    def locate(
        self, users: Iterable[str], rows: Rows, history: Rows, catalogue: Catalogue
    ) -> dict[str, int]:
        """The slot of each distinct user, in order of first occurrence: loaded from state where the
        cache lacks it, new if state does too.

        Evicts the longest unused users when the cache is over its capacity, none of `users`.
        """
        found = dict.fromkeys(users, -1)
        for user in found:
            slot = self._slots.get(user)
            if slot is None:
                slot = self._load(user, rows, history, catalogue)
            else:
                self._slots.move_to_end(user)
            found[user] = slot
        while len(self._slots) > max(self.capacity, len(found)):
            self.forget(next(iter(self._slots)))
        return found

    def _load(self, user: str, rows: Rows, history: Rows, catalogue: Catalogue) -> int:
        slot = self._free_slots.pop() if self._free_slots else len(self.names)
        if slot == len(self.names):
            self.names.append(user)
            if slot == len(self.spread):
                self._grow()
        self.names[slot] = user
        self._slots[user] = slot
        self.tail[slot], self.fill[slot], self.marked[slot] = -1, 0, -1
        self._loaded += 1
        self.serials[slot] = self._loaded
        stored = rows.get(user)
        if stored is None:
            key = np.array([item_key(user)], np.uint64)
            random_kernels.initial_factors(key, ~self.seed & 0xFFFFFFFF, self.p[slot : slot + 1])
            for column in (self.spread, self.events, self.last, self.seen, self.first, self.sealed):
                column[slot] = 0
            return slot
        row = read_rows(stored, self.dtype, f"user {user!r}")[0]
        self.p[slot], self.spread[slot] = row["factor"], row["spread"]
        self.events[slot], self.last[slot], self.seen[slot] = (
            row["events"],
            row["last"],
            row["seen"],
        )
        self.first[slot], self.sealed[slot] = row["first"], row["sealed"]
        for number in range(int(row["first"]), int(row["sealed"])):
            page = history.get(f"{number}:{user}")
            if page is not None:
                keys = np.frombuffer(page, "<u8", PAGE)
                # Version 1 kept the keys alone: all of them liked.
                self._push_page(
                    slot, keys, int.from_bytes(page[keys.nbytes :], "little"), catalogue
                )
        if row["fill"]:
            self._push_page(slot, row["recent"][: row["fill"]], int(row["disliked"]), catalogue)
        return slot

    def _push_page(
        self, slot: int, keys: NDArray[np.uint64], disliked: int, catalogue: Catalogue
    ) -> None:
        self.reserve_pages(1)
        self.free_count -= 1
        page = self.free[self.free_count]
        self.older[page] = self.tail[slot]
        self.tail[slot], self.fill[slot], self.disliked[page] = page, len(keys), disliked
        self.pages[page, : len(keys)] = catalogue.slots_of_keys(keys)

    def reserve_pages(self, count: int) -> None:
        """Make sure that `count` history pages are free."""
        while self.free_count < count:
            n = len(self.older)
            self.pages = np.concatenate([self.pages, np.zeros_like(self.pages)])
            self.older = np.concatenate([self.older, np.full(n, -1, np.int32)])
            self.disliked = np.concatenate([self.disliked, np.zeros(n, np.uint32)])
            free = np.zeros(2 * n, np.int32)
            free[: self.free_count] = self.free[: self.free_count]
            free[self.free_count : self.free_count + n] = np.arange(n, 2 * n)
            self.free, self.free_count = free, self.free_count + n

    def _grow(self) -> None:
        old = {name: getattr(self, name) for name in _COLUMNS}
        self._allocate(2 * len(self.spread))
        for name, column in old.items():
            getattr(self, name)[: len(column)] = column

    def forget(self, user: str) -> None:
        """Drop a user from the cache; the row in state stays."""
        slot = self._slots.pop(user, None)
        if slot is None:
            return
        page = self.tail[slot]
        while page >= 0:
            self.free[self.free_count] = page
            self.free_count += 1
            page = self.older[page]
        self.tail[slot] = -1
        self._free_slots.append(slot)

    def clear(self) -> None:
        """Drop all users from the cache, and every catalogue slot noted in it."""
        for user in list(self._slots):
            self.forget(user)
        # `write` looks up whole pages, also beyond what of them is in use.
        self.pages.fill(0)

    def write(
        self, slots: NDArray[np.int32], sealed: NDArray[np.int32], rows: Rows, history: Rows,
        catalogue: Catalogue,
    ) -> None:  # fmt: skip
        """Write the users in `slots` (distinct) to state, and the pages that `sealed` names.

        Args:
            sealed: int32[k, 2], (slot, page) of the full pages that this batch filled or changed.
        """
        keys = catalogue.keys
        full = {}
        for slot, page in sealed.tolist():
            number = int(self.first[slot]) + self._below(page)
            full[f"{number}:{self.names[slot]}"] = (
                keys[self.pages[page]].tobytes() + self.disliked[page].tobytes()
            )
            self.sealed[slot] = max(self.sealed[slot], number + 1)
        if full:
            history.put_all(full)
            for slot in {slot for slot, _ in sealed.tolist()}:
                self._trim(slot, history)
        records = np.zeros(len(slots), self.dtype)
        records["version"], records["d"] = VERSION, self.dimensions
        records["factor"], records["spread"] = self.p[slots], self.spread[slots]
        records["events"], records["last"] = self.events[slots], self.last[slots]
        records["seen"] = self.seen[slots]
        records["first"], records["sealed"] = self.first[slots], self.sealed[slots]
        # A full page stands in the history state: the record then holds none of it.
        fill = np.where(self.fill[slots] == PAGE, 0, self.fill[slots]) * (self.tail[slots] >= 0)
        records["fill"] = fill
        records["disliked"] = np.where(fill > 0, self.disliked[self.tail[slots]], 0)
        recent = keys[self.pages[self.tail[slots]]]
        records["recent"] = np.where(np.arange(PAGE) < fill[:, None], recent, 0)
        data, size = records.tobytes(), self.dtype.itemsize
        names = self.names
        rows.put_all(
            {names[s]: data[i * size : (i + 1) * size] for i, s in enumerate(slots.tolist())}
        )

    def _below(self, page: int) -> int:
        """How many older pages a history page has."""
        count = 0
        while (page := int(self.older[page])) >= 0:
            count += 1
        return count

    def _trim(self, slot: int, history: Rows) -> None:
        """Forget the oldest full pages beyond the history's length, in state and in memory."""
        excess = int(self.sealed[slot] - self.first[slot]) - self.history_pages
        for _ in range(excess):
            history.remove(f"{self.first[slot]}:{self.names[slot]}")
            self.first[slot] += 1
            page = self.tail[slot]
            while self.older[self.older[page]] >= 0:
                page = self.older[page]
            self.free[self.free_count] = self.older[page]
            self.free_count += 1
            self.older[page] = -1
