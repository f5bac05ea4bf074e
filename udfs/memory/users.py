"""The users that a learner holds in memory, a bounded cache on top of Flink's state.

In: user ids of a batch with the state of their shard. Out: slots (int32 positions in the arrays)
and the arrays that the kernels work on; the rows to write back. A cached user always equals the
user's row in state, except while a batch is learned.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from udfs.direct import Direct
from udfs.events.batch import item_key
from udfs.memory import random_kernels, user_kernels
from udfs.memory.catalogue import Catalogue
from udfs.memory.columns import Table, column
from udfs.memory.history_kernels import PAGE, History, Spare
from udfs.memory.pages import Pages
from udfs.memory.user_kernels import Stored
from udfs.state.handles import Rows
from udfs.state.records import read_rows, unpack_others, user_dtype


class Users(Table):
    """The most recently used `capacity` users; more only if a single batch has more.

    Attributes:
        p, spread: float32[U, d], float32[U], factors and their mean squared gradients, summed up;
            where ratings are learned by squared error, `spread` is the user's bias instead.
            events, last, seen, marked: int64[U], events learned,
            event time and wall clock of the last, and the user's idle bucket (ms).
        serials: int64[U], a different number for each user that was put into a slot, 0 for no user.
        tail, fill: int32[U], the history page being filled (−1: none) and its length.
        first, sealed: int64[U], the full pages `first` to `sealed` − 1 are in the history state.
        pages, older, disliked, free, free_count: the current arrays of `Pages`.
        joined: the other ids of users, in the state of their shard; None: users have one id each.
        others: the same of cached users who have any.
    """

    p = column(np.float32, ("d",))
    spread = column(np.float32)
    events = column(np.int64)
    last = column(np.int64)
    seen = column(np.int64)
    marked = column(np.int64, fill=-1)
    serials = column(np.int64)
    tail = column(np.int32, fill=-1)
    fill = column(np.int32)
    first = column(np.int64)
    sealed = column(np.int64)

    def __init__(
        self, dimensions: int, seed: int, capacity: int, history: int, repeats: bool = False
    ) -> None:
        super().__init__(64, d=dimensions)
        self.dimensions, self.seed, self.capacity = dimensions, seed, capacity
        self.history_pages = -(-history // PAGE)  # rounded up: never fewer than configured
        self._repeats, self.dtype = repeats, user_dtype(dimensions)
        self.names: list[str] = []
        self.joined: Rows | None = None
        self.others: dict[str, list[str]] = {}
        self._loaded = 0
        self._slots: OrderedDict[str, int] = OrderedDict()
        self._free_slots: list[int] = []
        self._pages = Pages()
        self._view: History | None = None
        self._pack = Direct(user_kernels.pack_rows)
        self._sealed, self._counts = np.empty((64, 2), np.int32), np.zeros(2, np.int64)
        self._spare = Spare(self.free, self._sealed, self._counts)
        self._packed = np.empty((64, self.dtype.itemsize // 4), np.uint32)

    @property
    def pages(self) -> NDArray[np.int32]:
        """See the class."""
        return self._pages.pages

    @property
    def older(self) -> NDArray[np.int32]:
        """See the class."""
        return self._pages.older

    @property
    def disliked(self) -> NDArray[np.uint32]:
        """See the class."""
        return self._pages.disliked

    @property
    def free(self) -> NDArray[np.int32]:
        """See the class."""
        return self._pages.free

    @property
    def free_count(self) -> int:
        """See the class."""
        return self._pages.free_count

    @free_count.setter
    def free_count(self, count: int) -> None:
        self._pages.free_count = count

    def spare(self, count: int) -> Spare:
        """Room for histories to grow by `count` events; `free_count` follows when they are
        learned: set it to the first of `counts`, which is that of free pages before."""
        pages, spare = self._pages, self._spare
        pages.make_free(count)
        if len(self._sealed) < count:
            self._sealed = np.empty((2 * count, 2), np.int32)
        if spare.free is not pages.free or spare.sealed is not self._sealed:
            spare = self._spare = Spare(pages.free, self._sealed, self._counts)
        self._counts[0] = pages.free_count
        self._counts[1] = 0
        return spare

    def rows(self, count: int) -> NDArray[np.uint32]:
        """Room for the packed rows of `count` users, uint32[at least count, w]: the same again at
        the next call."""
        if len(self._packed) < count:
            self._packed = np.empty((2 * count, self._packed.shape[1]), np.uint32)
        return self._packed

    @property
    def view(self) -> History:
        """The current arrays of histories that the kernels read."""
        p, view = self._pages, self._view
        # The columns of a table are replaced together.
        if view is None or view.tail is not self.tail or view.pages is not p.pages:
            pages = self.tail, self.fill, p.older, p.pages, p.disliked
            view = self._view = History(*pages, self.events, self.serials, self._repeats)
        return view

    def __len__(self) -> int:
        return len(self._slots)

    def find(self, user: str) -> int:
        """The slot of a cached user, or −1."""
        return self._slots.get(user, -1)

    def locate(
        self, users: Iterable[str], rows: Rows, history: Rows, catalogue: Catalogue
    ) -> dict[str, int]:
        """The slot of each distinct user, in order of first occurrence: loaded from state if it is
        not in the cache, new if it is not in state either.

        If the cache is over its capacity, evicts the least recently used users, except `users`.
        """
        found = dict.fromkeys(users, -1)
        for user in found:
            slot = self._slots.get(user)
            if slot is None:
                slot = self._load(user, rows, history, catalogue)
            else:
                self._slots.move_to_end(user)
            found[user] = slot
        excess = len(self._slots) - max(self.capacity, len(found))
        if excess > 0:
            self.forget(*islice(self._slots, excess))
        return found

    def _load(self, user: str, rows: Rows, history: Rows, catalogue: Catalogue) -> int:
        slot = self._free_slots.pop() if self._free_slots else len(self.names)
        if slot == len(self.names):
            self.names.append(user)
            self.reserve(slot + 1)
        self.names[slot] = user
        self._slots[user] = slot
        self._loaded += 1
        self.serials[slot] = self._loaded
        known = None if self.joined is None else self.joined.get(user)
        if known and (others := unpack_others(known).ids):
            self.others[user] = others
        stored = rows.get(user)
        if stored is None:
            key = np.array([item_key(user)], np.uint64)
            random_kernels.initial_factors(key, ~self.seed & 0xFFFFFFFF, self.p[slot : slot + 1])
            return slot
        row = read_rows(stored, self.dtype, "the row of a user")[0]
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
                # Version 1 kept only the keys: all of them liked.
                self._push_page(
                    slot, keys, int.from_bytes(page[keys.nbytes :], "little"), catalogue
                )
        if row["fill"]:
            self._push_page(slot, row["recent"][: row["fill"]], int(row["disliked"]), catalogue)
        return slot

    def _push_page(
        self, slot: int, keys: NDArray[np.uint64], disliked: int, catalogue: Catalogue
    ) -> None:
        items = catalogue.slots_of_keys(keys)
        self.tail[slot] = self._pages.push(int(self.tail[slot]), items, disliked)
        self.fill[slot] = len(keys)

    def reserve_pages(self, count: int) -> None:
        """Make sure that `count` history pages are free."""
        self._pages.make_free(count)

    def forget(self, *users: str) -> None:
        """Drop users from the cache and from attached tables; their rows in state stay."""
        slots = [slot for user in users if (slot := self._slots.pop(user, -1)) >= 0]
        for user in users if self.others else ():
            self.others.pop(user, None)
        if slots:
            for page in self.tail[slots].tolist():
                self._pages.give_back(page)
            self.clear(np.array(slots))
            for slot in slots:
                self.names[slot] = ""
            self._free_slots += slots

    def begin_again(self, slot: int, history: Rows) -> None:
        """Empty the history of a cached user, in memory and in state."""
        for number in range(int(self.first[slot]), int(self.sealed[slot])):
            history.remove(f"{number}:{self.names[slot]}")
        self._pages.give_back(int(self.tail[slot]))
        self.tail[slot], self.fill[slot], self.first[slot], self.sealed[slot] = -1, 0, 0, 0

    def consumed(self) -> NDArray[np.int32]:
        """The catalogue slots in the histories of cached users, int32[m], in no particular
        order."""
        return self._pages.items(self.tail, self.fill)

    def history_of(self, slot: int) -> NDArray[np.int32]:
        """The catalogue slots in the history of one cached user, int32[m]."""
        return self._pages.chain(int(self.tail[slot]), int(self.fill[slot]))

    def standing(self, slot: int) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
        """The history of a cached user, oldest first: int32[m], and whether each is liked."""
        return self._pages.standing(int(self.tail[slot]), int(self.fill[slot]))

    def renumber(self, place: NDArray[np.int32]) -> None:
        """Follow a compaction of the catalogue that kept the `consumed` slots; `place` is its
        result."""
        self._pages.renumber(place)

    def stored(self, catalogue: Catalogue) -> Stored:
        """What rows hold besides the histories: the arrays of this moment."""
        return Stored(
            self.p, self.spread, self.last, self.seen, self.first, self.sealed, catalogue.keys
        )

    def seal(self, sealed: NDArray[np.int32], history: Rows, catalogue: Catalogue) -> None:
        """Write full pages to state.

        Args:
            sealed: int32[k, 2], (slot, page) of the full pages that a batch filled or changed.
        """
        keys, full = catalogue.keys, {}
        for slot, page in sealed.tolist():
            number = int(self.first[slot]) + self._pages.below(page)
            full[f"{number}:{self.names[slot]}"] = (
                keys[self.pages[page]].tobytes() + self.disliked[page].tobytes()
            )
            self.sealed[slot] = max(self.sealed[slot], number + 1)
        history.put_all(full)
        for slot in {slot for slot, _ in sealed.tolist()}:
            self._trim(slot, history)

    def pack(self, slots: NDArray[np.int32], catalogue: Catalogue) -> None:
        """Pack the users in `slots` into the first of `rows`."""
        self._pack(slots, self.view, self.stored(catalogue), self.rows(len(slots)))

    def write(self, slots: NDArray[np.int32], rows: Rows) -> None:
        """Write the users in `slots` (distinct), who are packed in the first of `rows`, to
        state."""
        names, n = self.names, len(slots)
        if n == 1:
            rows.put_all({names[slots[0]]: self._packed[0].tobytes()})
            return
        data, size = self._packed[:n].tobytes(), self.dtype.itemsize
        rows.put_all(
            {names[s]: data[i * size : (i + 1) * size] for i, s in enumerate(slots.tolist())}
        )

    def _trim(self, slot: int, history: Rows) -> None:
        """Forget the oldest full pages beyond the history's length, in state and in memory."""
        excess = int(self.sealed[slot] - self.first[slot]) - self.history_pages
        for _ in range(excess):
            history.remove(f"{self.first[slot]}:{self.names[slot]}")
            self.first[slot] += 1
            self._pages.drop_oldest(int(self.tail[slot]))
