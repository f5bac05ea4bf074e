"""The sources `popular`, what many choose now, and `trending`, what is chosen more than before.

In: the catalogue's decayed popularity. Out: the same order for everybody, without what each user
has consumed; and one list for all.
"""

from __future__ import annotations

from typing import Any

from udfs.models.model import Model, Moment, Shop
from udfs.models.popular import popular
from udfs.models.popular.trending import Trending
from udfs.models.ranked import Ranked


class Popular(Model):
    """Popularity is computed again every `popular_every_s`, in strict mode after each event."""

    def __init__(self, shop: Shop, options: Any = None) -> None:
        super().__init__(shop, options)
        self._order: popular.Popular | None = None
        self._looked_ms = 0

    def forget(self) -> None:
        """Compute popularity again next time."""
        self._order = None

    def candidates(self, moment: Moment) -> Ranked:
        """The most popular items."""
        s, shop = self.shop.settings, self.shop
        stale = moment.now_ms - self._looked_ms >= s.lists.popular_every_s * 1000
        if self._order is None or stale:
            self._order = popular.by_popularity(shop.catalogue, shop.clock_ms, s.half_life_ms)
            self._looked_ms = moment.now_ms
        return popular.rank_by_popularity(
            self._order, shop.users, moment.slots, s.lists.length, s.lists.exclude_consumed
        )


class Trends(Model):
    """One list for all."""

    def __init__(self, shop: Shop, options: Any = None) -> None:
        super().__init__(shop, options)
        s = shop.settings
        self.trending = Trending(s.lists.trending_window_s * 1000.0, s.half_life_ms)
        self.tables = (self.trending,)

    def look(self) -> Ranked:
        """What is trending now; it may be empty."""
        shop = self.shop
        return self.trending.look(shop.catalogue, shop.clock_ms, shop.settings.lists.length)
