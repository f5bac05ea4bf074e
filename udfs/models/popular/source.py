"""The sources `popular`, what many choose now, and `trending`, what is chosen more than before.

In: the catalogue's decayed popularity, what strangers take. Out: the same order for all users who
are known, and another for all who are not, without what each has consumed; and one list for all.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from udfs.direct import Direct
from udfs.memory.columns import Table, column
from udfs.models.model import Model, Moment, Shop
from udfs.models.popular import popular, popular_kernels
from udfs.models.popular.categories import Categories
from udfs.models.popular.first import First
from udfs.models.popular.mixture import Mixture
from udfs.models.popular.noised import Noised, Order
from udfs.models.popular.popular_kernels import OVERALL, WITHIN, Unseen
from udfs.models.popular.trending import Trending
from udfs.models.ranked import Ranked

POPULAR, OF_ALL = "popular", "segments:all"
"""The names of the shared parameters: hits of the levels; what users take first, which were counted
for segments alone in older versions."""
NEAR_TOP = 2
"""How many times the length of a list counts as near the top of what is popular: items come and go
at the end of the list between two lists of a user."""

_first_unseen, _near_top = Direct(popular_kernels.first_unseen), Direct(popular_kernels.near_top)


class InCategories(Table):
    """Which items stood in lists of categories when these were made last: a table to attach to the
    catalogue."""

    listed = column(np.bool_)


class Popular(Model):
    """Popularity is computed again every `popular_every_s`, in strict mode after each event.

    Attributes:
        first: what users take first, shared by all user learners. fixed: whether strangers get
            the same list as users who are known. noised: what the lists for everybody are made of,
            if not of the exact counts.
    """

    lasting = True

    def __init__(self, shop: Shop, options: Any = None) -> None:
        super().__init__(shop, options)
        s = shop.settings
        self.fixed = s.fixed_half_life
        self._mixture = Mixture(fixed=self.fixed)
        self.first = First()
        self._all = popular.Order(shop.catalogue, s.half_life_ms, self._mixture, self.first)
        self._order: popular.Popular | None = None
        self._near: NDArray[np.uint8] | None = None  # uint8[I], near the top of that order
        self._in_categories, self._categories = InCategories(), 0
        self.noised = Noised(shop.catalogue, s.privacy.epsilon) if s.privacy.epsilon else None
        self.tables = (self._in_categories, *([self.noised] if self.noised else []))
        self._looked_ms = 0

    def forget(self) -> None:
        """Compute popularity again next time."""
        self._order = None

    @property
    def parameters(self) -> NDArray[np.float64]:
        """What was learned of the levels of popularity, float64[6]; a copy."""
        return self._mixture.parameters

    def put(self, parameters: NDArray[np.float64]) -> None:
        """Set it."""
        self._mixture.put(parameters)

    def met(self, items: NDArray[np.int32], now_ms: int) -> None:
        """Learn from what strangers took: int32[n], slots."""
        if not self.fixed:
            best = self.look(now_ms).best
            found = np.zeros(len(items), np.uint8)
            known = items < len(best)
            found[known] = best[items[known]]
            self._mixture.learn(found)

    def candidates(self, moment: Moment) -> Ranked:
        """The most popular items: for users with fewer than `minimum_events` events and for nobody
        in particular, those that strangers take."""
        s, order = self.shop.settings.lists, self.look(moment.now_ms)
        users, least = self.shop.users, s.minimum_events
        return popular.rank_by_popularity(
            order, users, moment.slots, s.length, s.exclude_consumed, least
        )

    def named(self, moment: Moment) -> NDArray[np.int32]:
        """The most popular items for known users, without their scores."""
        s, known = self.shop.settings.lists, self.look(moment.now_ms).known
        items = np.empty((len(moment.slots), s.length), np.int32)
        history = self.shop.users.view
        _first_unseen(
            known.order, len(known.shares), moment.slots, s.exclude_consumed, history, items
        )
        return items

    def naming(self, moment: Moment) -> Unseen:
        """The same, named by a kernel."""
        return Unseen(self.look(moment.now_ms).known.order)

    def by_category(self, categories: Categories, now_ms: int) -> Ranked:
        """The first items of each category, in the order of the list for everybody."""
        items, scores = categories.first(*self.published(now_ms), self.shop.settings.lists.length)
        listed, self._categories = self._in_categories.listed, len(items)
        listed[:] = False
        listed[items[items >= 0]] = True
        self._near = None
        return items, scores

    def published(self, now_ms: int) -> Order:
        """The order of the list for everybody."""
        if self.noised is not None:
            return self.noised.popular()
        found = self.look(now_ms).strangers
        return found.order, found.shares[found.order]

    def near(self, now_ms: int) -> NDArray[np.uint8]:
        """Which slots are near the top of the list for everybody, uint8[size] as of the last look,
        see `popular_kernels.near_top`."""
        order = self.look(now_ms)
        if self._near is None:
            listed = self._in_categories.listed[: len(order.known.shares)]
            self._near = listed * np.uint8(WITHIN)
            first = order.strangers.order if self.noised is None else self.noised.popular()[0]
            first = first[: self.nearest]
            self._near[first[first < len(self._near)]] = OVERALL
        return self._near

    @property
    def known_near(self) -> NDArray[np.uint8]:
        """`near` as it was last, without another look; empty if there was none."""
        return np.empty(0, np.uint8) if self._near is None else self._near

    @property
    def nearest(self) -> int:
        """How many items are near the top."""
        return NEAR_TOP * self.shop.settings.lists.length

    @property
    def noted(self) -> int:
        """How many of those that a user has consumed are noted, K: twice as many where there are
        categories, since these have tops of their own."""
        return self.nearest * (2 if self._categories else 1)

    def consumed(self, slots: NDArray[np.int32], now_ms: int, most: int) -> NDArray[np.int32]:
        """What the users in `slots` have consumed of the items near the top and of those newer than
        that order, see `popular_kernels.near_top`: int32[n, most], −1 where there are fewer."""
        near, found = self.near(now_ms), np.empty((len(slots), most), np.int32)
        _near_top(near, slots, self.shop.users.view, found, varying=(slots,))
        return found

    @contextmanager
    def still(self, now_ms: int) -> Iterator[None]:
        """Let no look at a time be due for a while, and the next one come as if there had been
        none meanwhile."""
        looked_ms, none = self._looked_ms, self._order is None
        self._looked_ms = now_ms
        try:
            yield
        finally:
            self._looked_ms = looked_ms
            if none:
                self._order = None

    def look(self, now_ms: int) -> popular.Popular:
        """What is popular, as of the last look or anew."""
        s, shop = self.shop.settings, self.shop
        stale = now_ms - self._looked_ms >= s.lists.popular_every_s * 1000
        if self._order is None or stale:
            self._order = self._all.look(shop.clock_ms)
            self._looked_ms, self._near = now_ms, None
        return self._order


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

    def by_category(self, categories: Categories) -> Ranked:
        """What is trending in each category."""
        shop = self.shop
        order, scores = self.trending.order(shop.catalogue, shop.clock_ms)
        return categories.first(order, scores, shop.settings.lists.length)
