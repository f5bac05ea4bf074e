"""The source `social`: what those took of late whom a user follows, and items of followed providers
and categories.

In: whom users in memory follow, as their profiles say; the histories of users, what items are. Out:
items with scores for `udfs.ranking.steps.followed`, which gives them places in lists. Nothing is
learned or kept in state here. Followed users count who are in the memory of the same subtask.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import exp
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from udfs.memory.columns import Table
from udfs.memory.metadata import CATEGORY, PROVIDER
from udfs.models.model import Model, Shop
from udfs.state.records import PAGE

MOST = 100
"""Whom a user follows, the first so many of the profile."""
EACH = 10
"""Items of each of them: the last ones that a user liked, the newest of a provider or category."""
DECAY = 4.0
"""After how many of those the weight has fallen to 1/e of the first one's. Chosen by hand, like the
number: no data set is known that has follows, times and items."""
AUTHOR = "author:"
"""Another word for `PROVIDER`."""


class By(NamedTuple):
    """Why an item is suggested: how much, and for whose sake most."""

    score: float
    name: str


class Follows(Table):
    """Whom users in memory follow: a table attached to `Users`, of which a slot has a row only if
    it follows anybody."""

    def __init__(self) -> None:
        super().__init__()
        self.of: dict[int, tuple[str, ...]] = {}

    def put(self, slot: int, follows: Iterable[str]) -> None:
        """Set whom the user in `slot` follows."""
        self.of.pop(slot, None)
        if found := tuple(follows)[:MOST]:
            self.of[slot] = found

    def clear(self, slots: NDArray[np.integer[Any]] | int) -> None:
        """Forget users."""
        super().clear(slots)
        for slot in np.atleast_1d(np.asarray(slots)).tolist() if self.of else ():
            self.of.pop(slot, None)


class Social(Model):
    """See the module."""

    def __init__(self, shop: Shop, options: Any = None) -> None:
        super().__init__(shop, options)
        self.follows = shop.users.attach(Follows())
        self._groups: dict[str, list[int]] = {}

    def forget(self) -> None:
        """Look again at what is new in groups."""
        self._groups.clear()

    def found(self, slot: int) -> dict[int, By]:
        """The items, by slot, that those have taken or made whom the user in `slot` follows, the
        best first: shown and, if configured, not consumed.

        The score of an item is Σ e^(−k / `DECAY`) over those who have it, at whom it is the k-th;
        of equal ones, what was published last comes first.
        """
        catalogue = self.shop.catalogue
        scores, best = dict[int, float](), dict[int, By]()
        for name in self.follows.of.get(slot, ()):
            for k, item in enumerate(self._items(name)):
                part = exp(-k / DECAY)
                scores[item] = scores.get(item, 0.0) + part
                if item not in best or part > best[item].score:
                    best[item] = By(part, name)
        if self.shop.settings.lists.exclude_consumed and scores:
            for item in self.shop.users.history_of(slot).tolist():
                scores.pop(item, None)
        keys, published = catalogue.keys, catalogue.metadata.published
        order = sorted(
            scores, key=lambda item: (-scores[item], -int(published[item]), int(keys[item]))
        )
        return {item: By(scores[item], best[item].name) for item in order if catalogue.shown[item]}

    def _items(self, name: str) -> list[int]:
        if (group := group_of(name)) is not None:
            if group not in self._groups:  # the whole catalogue is looked at
                self._groups[group] = self._newest(group)
            return self._groups[group]
        slot = self.shop.users.find(name)
        return self._last(slot) if slot >= 0 else []

    def _last(self, slot: int) -> list[int]:
        """The last items that a user liked, the last first."""
        users, found = self.shop.users, list[int]()
        page, fill = int(users.tail[slot]), int(users.fill[slot])
        while page >= 0 and len(found) < EACH:
            bits = int(users.disliked[page])
            items = users.pages[page, :fill].tolist()
            found += [
                items[k] for k in reversed(range(fill)) if items[k] >= 0 and not bits >> k & 1
            ]
            page, fill = int(users.older[page]), PAGE
        return found[:EACH]

    def _newest(self, group: str) -> list[int]:
        """The items of a group that were published last; of equal ones, the most taken."""
        c = self.shop.catalogue
        number = c.metadata.number(group)
        if number < 0:
            return []
        items = np.flatnonzero((c.metadata.groups[: c.size] == number).any(axis=1))
        items = items[c.shown[items]]
        order = np.lexsort((c.keys[items], -c.events[items], -c.metadata.published[items]))
        newest: list[int] = items[order[:EACH]].tolist()
        return newest


def follows_of(fields: Mapping[str, Any]) -> list[str]:
    """Whom a profile follows: nobody, if lists may not be personal.

    >>> follows_of({"follows": ["bob", "author:7"]}), follows_of({"follows": None})
    (['bob', 'author:7'], [])
    """
    return [] if fields.get("personalise") is False else list(fields.get("follows") or ())


def group_of(name: str) -> str | None:
    """The group of items that somebody follows by this name; None: it is a user's id.

    >>> group_of("author:7"), group_of("category:tea"), group_of("bob")
    ('provider:7', 'category:tea', None)
    """
    if name.startswith(AUTHOR):
        return PROVIDER + name.removeprefix(AUTHOR)
    return name if name.startswith((CATEGORY, PROVIDER)) else None
