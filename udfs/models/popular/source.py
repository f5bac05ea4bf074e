"""The sources `popular`, what many choose now, and `trending`, what is chosen more than before.

In: the catalogue's decayed popularity. Out: the same order for everybody, without what each user
has consumed; and one list for all.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from udfs.direct import Direct
from udfs.models.model import Model, Moment, Shop
from udfs.models.popular import popular, popular_kernels
from udfs.models.popular.popular_kernels import Unseen
from udfs.models.popular.trending import Trending
from udfs.models.ranked import Ranked

NEAR_TOP = 2
"""How many times the length of a list counts as near the top of what is popular: items come and go
at the end of the list between two lists of a user."""

_first_unseen, _near_top = Direct(popular_kernels.first_unseen), Direct(popular_kernels.near_top)


class Popular(Model):
    """Popularity is computed again every `popular_every_s`, in strict mode after each event."""

    lasting = True

    def __init__(self, shop: Shop, options: Any = None) -> None:
        super().__init__(shop, options)
        self._all = popular.Order(shop.catalogue, shop.settings.half_life_ms)
        self._order: popular.Popular | None = None
        self._near: NDArray[np.bool_] | None = None  # bool[I], near the top of that order
        self._looked_ms = 0

    def forget(self) -> None:
        """Compute popularity again next time."""
        self._order = None

    def candidates(self, moment: Moment) -> Ranked:
        """The most popular items."""
        s, order = self.shop.settings.lists, self._look(moment.now_ms)
        return popular.rank_by_popularity(
            order, self.shop.users, moment.slots, s.length, s.exclude_consumed
        )

    def named(self, moment: Moment) -> NDArray[np.int32]:
        """The same without their scores."""
        s, order = self.shop.settings.lists, self._look(moment.now_ms)
        items = np.empty((len(moment.slots), s.length), np.int32)
        history = self.shop.users.view
        _first_unseen(
            order.order, len(order.shares), moment.slots, s.exclude_consumed, history, items
        )
        return items

    def naming(self, moment: Moment) -> Unseen:
        """The same, named by a kernel."""
        return Unseen(self._look(moment.now_ms).order)

    def near(self, now_ms: int) -> NDArray[np.bool_]:
        """Which slots are near the top of what is popular, bool[size] as of the last look."""
        order = self._look(now_ms)
        if self._near is None:
            self._near = np.zeros(len(order.shares), np.bool_)
            self._near[order.order[: self.nearest]] = True
        return self._near

    @property
    def nearest(self) -> int:
        """How many items are near the top."""
        return NEAR_TOP * self.shop.settings.lists.length

    def consumed(self, slots: NDArray[np.int32], now_ms: int, most: int) -> NDArray[np.int32]:
        """What the users in `slots` have consumed of the items near the top and of those newer than
        that order, the last consumed first: int32[n, most], −1 where there are fewer."""
        near, found = self.near(now_ms), np.empty((len(slots), most), np.int32)
        _near_top(near, slots, self.shop.users.view, found, varying=(slots,))
        return found

    def _look(self, now_ms: int) -> popular.Popular:
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
