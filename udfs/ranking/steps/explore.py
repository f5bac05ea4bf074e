"""Exploration: new items get a few places of lists, so that it becomes known who takes them.

In: lists of users, and the new items that are like what each user took last. Out: lists in which
one or more of these stand, and with which probability each was chosen.

Item j is offered until it is next taken, which takes 1 / r_j such offers by what is known:

    r_j = e^(STEEP·(c_j − 1)) · (a + min(n_j, m_j)) / (a + p·m_j),  FIRST · e^(…) for m_j = 0

with c_j the cosine of its content with what the user touched last, n_j how often it was taken, by
weight, and m_j how often it was offered (see `tried`). The fraction is the mean of a Gamma
distribution of how much better it is than its content says; an impression is nothing that was
taken. Of each candidate the waiting time is drawn, and the one whose next event comes first is
chosen: Thompson sampling (1933) of that time. As waiting times are exponential, the probability of
that is just r_j / Σ r.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from math import ceil
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from udfs.direct import Direct
from udfs.models.content.source import Content
from udfs.models.model import Shop
from udfs.models.ranked import Told
from udfs.options.explore import Explore
from udfs.options.sources import position
from udfs.ranking.steps import explore_kernels
from udfs.ranking.steps.explore_kernels import Offer
from udfs.ranking.steps.own import Own
from udfs.ranking.steps.tried import Tried

AMONG = 10
"""Candidates for each list."""
_explore, _find = Direct(explore_kernels.explore), Direct(explore_kernels.find)
_SEED_STRIDE = 0x9E6C63D0676A9A99
_MASK = 0xFFFFFFFFFFFFFFFF


class Chosen(NamedTuple):
    """What was chosen for n lists, int32[n, m], −1: nothing; and with which probability, given
    those before it, float32[n, m]."""

    items: NDArray[np.int32]
    chances: NDArray[np.float32]

    def places(self, items: NDArray[np.int32]) -> NDArray[np.float32]:
        """The probability of each place of these lists, float32[n, N], 0 where nothing was
        explored: rules may have moved what was chosen, or left it out."""
        found = np.zeros(items.shape, np.float32)
        _find(items, self.items, self.chances, found, varying=(items,))
        return found


class Exploration:
    """See the module.

    Args:
        n: of how many places of a list `options.share` is a share.
    """

    def __init__(
        self, options: Explore, shop: Shop, content: Content, own: Own, n: int, seed: int
    ) -> None:
        self._own = own
        self._options, self._shop, self._content, self._n = options, shop, content, n
        self._waiting: dict[str, int] = {}
        self._random = np.array([(seed + 1) * _SEED_STRIDE & _MASK], np.uint64)
        self.tried = shop.catalogue.attach(Tried())
        self._places = options.share * n

    def varied(self, options: Explore) -> Exploration:
        """The same with another share for some users; what is counted and drawn is for all."""
        other = copy(self)
        other._options, other._places = options, options.share * self._n
        return other

    @property
    def idle(self) -> bool:
        """Whether nothing is explored: it is turned off, or no item is described."""
        return not (self._options.share and self._content.described.some)

    def see(self, items: Sequence[str], at_ms: int) -> None:
        """Count that those of these items that are new were seen in lists, at an event time, ms."""
        if self._options.share:
            slots, events = self._shop.catalogue.find(items), self._shop.catalogue.events
            new = (slots >= 0) & (events[slots] < self._options.events)
            self.tried.see(slots[new], at_ms)

    def recall(self, counts: Mapping[str, int], heard_ms: int) -> None:
        """Go on from how often items were offered before, and when the shop told what was seen."""
        for item, count in counts.items():
            self._waiting[item] = self._waiting.get(item, 0) + count
        self.tried.heard_ms = max(self.tried.heard_ms, heard_ms)
        self.look()

    def look(self) -> None:
        """Take what is recalled of items that are known by now."""
        if self._waiting:
            names, slots = [*self._waiting], self._shop.catalogue.find([*self._waiting])
            self.tried.recall(slots, np.array([*self._waiting.values()], np.int64))
            for item, slot in zip(names, slots.tolist(), strict=True):
                if slot >= 0:
                    del self._waiting[item]

    def added(self) -> dict[str, int]:
        """How often items were offered since the last call."""
        slots, grown = self.tried.added()
        ids = self._shop.catalogue.ids
        pairs = zip(slots.tolist(), grown.tolist(), strict=True)
        return {name: more for slot, more in pairs if (name := ids[slot]) is not None}

    def matters(self, item: str, *, unknown: bool) -> bool:
        """Whether it still matters how often an item was offered: it is new, or, if so given,
        `unknown`."""
        (slot,) = self._shop.catalogue.find([item]).tolist()
        return (
            unknown if slot < 0 else bool(self._shop.catalogue.events[slot] < self._options.events)
        )

    def choose(self, told: Told, slots: NDArray[np.int32], *, trial: bool = False) -> Chosen | None:
        """Put new items into the lists of the users in `slots` (int32[n]), changed in place; None
        if there are none for anybody. Nobody is offered items of their own.

        Args:
            trial: draw what is drawn next, and let it be drawn again.
        """
        content, catalogue, rows = self._content, self._shop.catalogue, len(slots)
        if not content.described.some:
            return None
        found, likes = content.latest(slots, AMONG)
        for row, slot in enumerate(() if self._own.idle else slots.tolist()):
            found[row, self._own.has(slot, found[row])] = -1
        offer = Offer(
            found,
            likes,
            content.described.vectors,
            catalogue.events,
            self.tried.count,
            not trial and not self.tried.told(self._shop.clock_ms),
            catalogue.sums,
            self._options.events,
            self._places,
            min(self._n, told.items.shape[1]),
            position("content"),
        )
        shape = rows, ceil(self._places)
        chosen = Chosen(np.empty(shape, np.int32), np.empty(shape, np.float32))
        lists = told.items, told.scores, told.models, told.reasons
        given = offer, *lists, self._random.copy() if trial else self._random, *chosen
        return chosen if _explore(*given, varying=lists) else None
