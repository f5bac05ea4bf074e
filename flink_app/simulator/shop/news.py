"""The news of the simulated shop: new items, and items that run out of stock and come back.

In: the settings, the assortment, a seeded generator. Out: item events as lines of JSON, and an
assortment in which some items are out of stock: on no shelf, so that nobody views them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from flink_app.simulator.item_lines import encode_item, long_ago
from flink_app.simulator.sessions import Due
from flink_app.simulator.shop.assortment import Catalogue
from flink_app.simulator.shop.descriptions import Telling, fields, price
from flink_app.simulator.shop.names import CATEGORIES
from flink_app.simulator.shop.settings import ShopSettings

_BACK = 0.125  # the chance that an item is back after a block of actions


class News:
    """What changes, and what of it has been told."""

    def __init__(
        self, settings: ShopSettings, catalogue: Catalogue, rng: np.random.Generator
    ) -> None:
        self._settings, self._catalogue, self._rng = settings, catalogue, rng
        self._telling = Telling(settings.images, settings.vectors)
        self._outages = Due(settings.outages)
        self._told = 0
        self._changed: set[int] = set()

    def passed(self, events: int) -> None:
        """Note that events have passed, during which items run out."""
        self._outages.passed(events)

    def restock(self) -> None:
        """Let the items that are due run out, and some of the others come back."""
        if not self._settings.outages:
            return
        items = changed(self._rng, self._catalogue.available, self._outages.take())
        self._catalogue.restock(items)
        self._changed.update(items.tolist())

    def item(self, number: int, now_ms: int) -> dict[str, Any]:
        """All that the shop says about an item that arrives now, or was there from the first."""
        first = number < self._settings.items
        published = long_ago(number, now_ms) if first else now_ms
        return fields(self._catalogue, number, published, self._telling)

    def price(self, number: int) -> float:
        """What an item costs, EUR."""
        return price(self._catalogue, number)

    def words(self, number: int) -> set[str]:
        """The words that an item can be found by, in lower case."""
        told = fields(self._catalogue, number, 0)
        return {*told["title"].lower().split(), *told["tags"], *told["categories"]}

    def lines(self, now_ms: int) -> list[bytes]:
        """Item events of all that has changed since the last call, if the shop describes items."""
        if not self._settings.metadata:
            self._changed.clear()
            return []
        fresh = range(self._told, len(self._catalogue))
        told = [encode_item(number, now_ms, self.item(number, now_ms)) for number in fresh]
        for number in sorted(self._changed):
            if number < self._told:
                state = {"available": bool(self._catalogue.available[number])}
                told.append(encode_item(number, now_ms, state))
        self._told = fresh.stop
        self._changed.clear()
        return told


def changed(
    rng: np.random.Generator, available: NDArray[np.bool_], count: int
) -> NDArray[np.int64]:
    """Which items change between being in stock and out of it.

    available: (items,) bool, as it is before; the last one in stock of a category stays. count: how
    many run out, at least 0. Returns different item numbers, ascending, int64.
    """
    kinds = len(CATEGORIES)
    out, there = np.flatnonzero(~available), np.flatnonzero(available)
    back = out[rng.random(len(out)) < _BACK]
    left = np.bincount(there % kinds, minlength=kinds)
    gone = []
    for item in rng.permutation(there)[:count].tolist():
        if left[item % kinds] > 1:
            left[item % kinds] -= 1
            gone.append(item)
    return np.sort(np.concatenate([back, np.array(gone, np.int64)]))
