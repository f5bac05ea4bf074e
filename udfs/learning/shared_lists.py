"""The lists that do not belong to a user: popular, trending, and the similar items of each item.

In: the models, and the items that were seen. Out: the `ListUpdates` that are due.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from udfs.lists.items_json import ItemsJson
from udfs.lists.keys import ITEM, POPULAR, TRENDING, Kind
from udfs.lists.update import ListUpdates
from udfs.models.ranked import Lists, of_one
from udfs.models.settings import Settings
from udfs.ranking.recommender import Recommender

V = TypeVar("V")
_PAUSE_MS, _AT_ONCE = 1000, 256  # how often items' lists are written, and how many at most


class SharedLists:
    """Tracks which of these lists are due; `writer` makes the JSON."""

    def __init__(self, settings: Settings, models: Recommender, writer: ItemsJson) -> None:
        self._settings, self._models, self._writer = settings.lists, models, writer
        self._popular_written = self._similar_looked = 0
        self._due: dict[int, None] = {}
        self._written: dict[int, int] = {}

    @property
    def waiting(self) -> bool:
        """Whether the list of any item is to be written, now or later."""
        return bool(self._due)

    def touch(self, slots: NDArray[np.int32]) -> None:
        """Record that items (int32[n], distinct) were seen: their similar items may change."""
        self._due.update(dict.fromkeys(slots.tolist()))

    def lost(self) -> None:
        """Record that the lists of all items are missing from Redis."""
        self._written.clear()
        self._due.update(dict.fromkeys(self._models.catalogue.living_slots().tolist()))

    def renumber(self, place: NDArray[np.int32]) -> None:
        """Follow a compaction: slot k has become `place[k]`, −1 if it is gone."""
        self._due, self._written = _moved(self._due, place), _moved(self._written, place)

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
        if everything or now_ms - self._similar_looked >= _PAUSE_MS:
            self._similar_looked = now_ms
            found += self._similar(now_ms, everything)
        return found

    def _similar(self, now_ms: int, everything: bool) -> Iterable[ListUpdates]:
        old = now_ms - self._settings.similar_every_s * 1000
        catalogue, written = self._models.catalogue, self._written
        due = [
            slot
            for slot in self._due
            if catalogue.alive[slot] and (everything or written.get(slot, 0) <= old)
        ]
        if not everything:
            due = due[:_AT_ONCE]
        if due:
            for slot in due:
                written[slot] = now_ms
                del self._due[slot]
            source = "item-cf" if self._models.counting else "mf"
            names = [catalogue.ids[slot] or "" for slot in due]
            similar = self._models.similar(np.array(due))
            yield self._made(ITEM, names, source, now_ms, similar)

    def _made(
        self, kind: Kind, names: list[str], source: str, now_ms: int, lists: Lists
    ) -> ListUpdates:
        catalogue = self._models.catalogue
        return ListUpdates(kind, names, source, now_ms, lists, catalogue, self._writer)


def _moved(by_slot: dict[int, V], place: NDArray[np.int32]) -> dict[int, V]:
    """The values by their slots after a compaction, in the same order."""
    slots = place[np.fromiter(by_slot, np.int32, len(by_slot))].tolist()
    return {slot: value for slot, value in zip(slots, by_slot.values(), strict=True) if slot >= 0}
