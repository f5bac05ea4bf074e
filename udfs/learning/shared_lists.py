"""The lists that do not belong to a user: popular, trending, and the similar items of each item.

In: the models, and the items that were seen. Out: the `ListUpdates` that are due. They are made by
timers, never within a batch, and those of items a few at a time, so that no batch waits for long.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from heapq import heapify, heappop, heappush
from typing import Any

import numpy as np
from numpy.typing import NDArray

from udfs.lists.keys import (
    CATEGORY_POPULAR,
    CATEGORY_TRENDING,
    ITEM,
    POPULAR,
    SEGMENT,
    TRENDING,
    Kind,
)
from udfs.lists.lists_json import ListsJson
from udfs.lists.update import ListUpdates
from udfs.models.popular.categories import Categories
from udfs.models.ranked import Lists, Ranked, listed, no_lists, of_one
from udfs.models.settings import Settings
from udfs.ranking.recommender import Recommender

PAUSE_MS = 125
"""How often lists of items are written, `AT_ONCE` each time: 256 a second."""
AT_ONCE = 32
CATEGORIES_LATER = 5
"""How many times less often the lists of categories are written than those of all items, unless
items come or go: there may be hundreds."""


class SharedLists:
    """Tracks which of these lists are due; `writer` makes the JSON."""

    def __init__(self, settings: Settings, models: Recommender, writer: ListsJson) -> None:
        self._settings, self._models, self._writer = settings.lists, models, writer
        self._least, self._noised = settings.privacy.min_users, models.popular.noised
        self._every_ms = int(settings.lists.similar_every_s * 1000)
        self._popular_written = self._similar_looked = 0
        self._waiting: set[int] = set()
        self._due: list[tuple[int, int, int]] = []  # a heap: when, a serial number, slot
        self._touched = 0
        self._categories, self._categories_written = list[str](), 0
        self._segments: list[str] = []
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
        if self._noised is not None:  # items have no lists: see docs/decisions/noise.md
            return
        waiting, written = self._waiting, self._written
        for slot in slots:
            if slot not in waiting and slot >= 0:
                waiting.add(slot)
                at = written[slot] + self._every_ms if slot in written else 0
                self._touched += 1
                heappush(self._due, (at, self._touched, slot))

    def at_once(self, slots: NDArray[np.integer[Any]]) -> None:
        """Record that items may be shown now, or not any more: lists that all share are due, and
        those of items that are like these."""
        self._popular_written = self._categories_written = 0
        c = self._models.catalogue
        near = self._models.similar(slots).items if self._written else slots[:0]
        for slot in [*slots.tolist(), *np.unique(near[near >= 0]).tolist()]:
            if c.alive[slot] and self._noised is None:
                self._waiting.add(slot)
                self._touched += 1
                heappush(self._due, (0, self._touched, slot))

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
        every_ms = self._settings.popular_every_s * 1000
        popular = everything or now_ms - self._popular_written >= every_ms
        items = everything or (now_ms - self._similar_looked >= PAUSE_MS and self.busy(now_ms))
        found: list[ListUpdates] = []
        if popular or items:
            with self._taken_by_enough(popular):
                found += self._of_all(now_ms, everything) if popular else ()
                found += self._of_items(now_ms, everything) if items else ()
        return found

    @contextmanager
    def _taken_by_enough(self, popular: bool) -> Iterator[None]:
        """Meanwhile only items count as shown that enough users took, see `privacy.min_users`.

        Args:
            popular: whether the order by popularity is looked at, which is another one then.
        """
        if not self._least:
            yield
            return
        models, catalogue = self._models, self._models.catalogue
        shown = catalogue.shown
        catalogue.shown = shown & (catalogue.takers >= self._least)
        try:
            yield
        finally:
            catalogue.shown = shown
            if popular:
                models.forget_popular()

    def _of_all(self, now_ms: int, everything: bool) -> Iterator[ListUpdates]:
        """What is popular and trending; now and then in each category and segment, too."""
        self._popular_written = now_ms
        self._models.forget_popular()
        if self._noised is not None:
            n = self._models.shop.settings.lists.length
            popular = listed(*self._noised.popular(), n)
            trending = listed(*self._noised.trending(), n)
        else:
            popular = self._models.by_popularity(np.array([-1], np.int32), now_ms)
            trending = self._models.trends.look()
        yield self._made(POPULAR, [""], "popular", now_ms, of_one(popular, "popular"))
        yield self._made(TRENDING, [""], "trending", now_ms, of_one(trending, "trending"))
        later_ms = CATEGORIES_LATER * self._settings.popular_every_s * 1000
        if everything or now_ms - self._categories_written >= later_ms:
            self._categories_written = now_ms
            yield from self._by_category(now_ms)
            yield from self._by_segment(now_ms)

    def _of_items(self, now_ms: int, everything: bool) -> Iterator[ListUpdates]:
        """The similar items of those that have waited longest."""
        if slots := self._take(now_ms, everything):
            self._similar_looked = now_ms
            yield self._similar(slots, now_ms)

    def _by_category(self, now_ms: int) -> list[ListUpdates]:
        """What is popular and trending in each category, and empty lists for those that have lost
        their lists since the last time."""
        if not self._models.catalogue.metadata.labels:
            return []
        models, categories = self._models, Categories(self._models.catalogue)
        if self._noised is not None:
            n = models.shop.settings.lists.length
            trending = categories.first(*self._noised.trending(), n)
        else:
            trending = models.trends.by_category(categories)
        names = categories.names
        gone = [name for name in self._categories if name not in set(names)]
        self._categories = names
        made = []
        for kind, source, found in (
            (CATEGORY_POPULAR, "popular", models.popular.by_category(categories, now_ms)),
            (CATEGORY_TRENDING, "trending", trending),
        ):
            if names or gone:
                ranked = of_one(_with_gone(found, len(gone)), source)
                made.append(self._made(kind, [*names, *gone], source, now_ms, ranked))
        return made

    def _by_segment(self, now_ms: int) -> list[ListUpdates]:
        """What users of each segment begin with, and empty lists for segments that have lost
        theirs since the last time."""
        models = self._models
        if not models.segments.counts.some or self._noised is not None:
            return []
        names, found = models.segments.by_segment(models.popular.look(now_ms))
        gone = [name for name in self._segments if name not in set(names)]
        self._segments = names
        ranked = of_one(_with_gone(found, len(gone)), "segments")
        return [self._made(SEGMENT, [*names, *gone], "segments", now_ms, ranked)]

    def _take(self, now_ms: int, everything: bool) -> list[int]:
        """The living items whose lists to write now, those that have waited longest first."""
        catalogue = self._models.catalogue
        due, alive, slots = self._due, catalogue.alive, list[int]()
        if self._least:  # of an item that few took, the list would tell what they took besides
            alive = alive & (catalogue.takers >= self._least)
        while due and (everything or (due[0][0] <= now_ms and len(slots) < AT_ONCE)):
            _, _, slot = heappop(due)
            if alive[slot] and slot in self._waiting:  # it may be due twice
                slots.append(slot)
            self._waiting.discard(slot)
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
        if kind in (POPULAR, TRENDING, SEGMENT):
            by = None if self._noised is None else self._noised.by()
            lists = self._models.steps.for_all(lists, by)
        return ListUpdates(kind, names, source, now_ms, lists, catalogue, self._writer)


def _with_gone(found: Ranked, gone: int) -> Ranked:
    """Lists, and `gone` empty ones behind them."""
    none = no_lists(gone, found[0].shape[1])
    return np.concatenate([found[0], none[0]]), np.concatenate([found[1], none[1]])
