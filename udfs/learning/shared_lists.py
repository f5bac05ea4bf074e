"""The lists that do not belong to a user: popular, trending, and the similar items of each item.

In: the models, and the items that were seen. Out: the `ListUpdates` that are due. They are made by
timers, never within a batch, and those of items a few at a time, so that no batch waits for long.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush

import numpy as np
from numpy.typing import NDArray

from udfs.lists.keys import ITEM, POPULAR, TRENDING, Kind
from udfs.lists.lists_json import ListsJson
from udfs.lists.update import ListUpdates
from udfs.models.ranked import Lists, of_one
from udfs.models.settings import Settings
from udfs.ranking.recommender import Recommender

PAUSE_MS = 125
"""How often lists of items are written, `AT_ONCE` each time: 256 a second."""
AT_ONCE = 32


class SharedLists:
    """Tracks which of these lists are due; `writer` makes the JSON."""

    def __init__(self, settings: Settings, models: Recommender, writer: ListsJson) -> None:
        self._settings, self._models, self._writer = settings.lists, models, writer
        self._every_ms = int(settings.lists.similar_every_s * 1000)
        self._popular_written = self._similar_looked = 0
        self._waiting: set[int] = set()
        self._due: list[tuple[int, int, int]] = []  # a heap: when, a serial number, slot
        self._touched = 0
        self._written: dict[int, int] = {}

    @property
    def waiting(self) -> bool:
        """Whether the list of any item is to be written, now or later."""
        return bool(self._waiting)

    def busy(self, now_ms: int) -> bool:
        """Whether lists of items are due now that `updates` has left for the next time."""
        return bool(self._due) and self._due[0][0] <= now_ms

    def touch(self, slots: NDArray[np.int32]) -> None:
        """Record that items (int32[n], −1: none) were seen: their similar items may change."""
        self._touch(slots.tolist())

    def _touch(self, slots: list[int]) -> None:
        waiting, written = self._waiting, self._written
        for slot in slots:
            if slot not in waiting and slot >= 0:
                waiting.add(slot)
                at = written[slot] + self._every_ms if slot in written else 0
                self._touched += 1
                heappush(self._due, (at, self._touched, slot))

    def lost(self) -> None:
        """Record that the lists of all items are missing from Redis."""
        for those in (self._written, self._waiting, self._due):
            those.clear()
        self._touch(self._models.catalogue.living_slots().tolist())

    def renumber(self, place: NDArray[np.int32]) -> None:
        """Follow a compaction: slot k has become `place[k]`, −1 if it is gone."""
        new = place.tolist()
        self._due = [(at, serial, new[slot]) for at, serial, slot in self._due if new[slot] >= 0]
        heapify(self._due)
        self._waiting = {slot for _, _, slot in self._due}
        self._written = {new[slot]: at for slot, at in self._written.items() if new[slot] >= 0}

    def updates(self, now_ms: int, *, everything: bool = False) -> list[ListUpdates]:
        """The lists that are due, or all that have changed."""
        found: list[ListUpdates] = []
        every_ms = self._settings.popular_every_s * 1000
        if everything or now_ms - self._popular_written >= every_ms:
            self._popular_written = now_ms
            self._models.forget_popular()
            popular = of_one(
                self._models.by_popularity(np.array([-1], np.int32), now_ms), "popular"
            )
            found.append(self._made(POPULAR, [""], "popular", now_ms, popular))
            trending = of_one(self._models.by_trend(), "trending")
            found.append(self._made(TRENDING, [""], "trending", now_ms, trending))
        if everything or now_ms - self._similar_looked >= PAUSE_MS:
            slots = self._take(now_ms, everything)
            if slots:
                self._similar_looked = now_ms
                found.append(self._similar(slots, now_ms))
        return found

    def _take(self, now_ms: int, everything: bool) -> list[int]:
        """The living items whose lists to write now, those that have waited longest first."""
        due, alive, slots = self._due, self._models.catalogue.alive, list[int]()
        while due and (everything or (due[0][0] <= now_ms and len(slots) < AT_ONCE)):
            _, _, slot = heappop(due)
            self._waiting.remove(slot)
            if alive[slot]:
                slots.append(slot)
        return slots

    def _similar(self, slots: list[int], now_ms: int) -> ListUpdates:
        self._written.update(dict.fromkeys(slots, now_ms))
        source = "item-cf" if self._models.counting else "mf"
        names = [self._models.catalogue.ids[slot] or "" for slot in slots]
        return self._made(ITEM, names, source, now_ms, self._models.similar(np.array(slots)))

    def _made(
        self, kind: Kind, names: list[str], source: str, now_ms: int, lists: Lists
    ) -> ListUpdates:
        catalogue = self._models.catalogue
        return ListUpdates(kind, names, source, now_ms, lists, catalogue, self._writer)
