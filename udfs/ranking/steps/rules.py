"""The rules that look at whole lists: boosts, places, at most and at least so many of some items.

In: lists longer than wanted, of users or of nobody. Out: lists as long as wanted, in the order that
the rules ask for; after those of users what follows them, if that is kept. Which rules hold for an
item is known from its metadata (`udfs.rules.rules`), so a rule is a bit that the kernel tests;
without such rules lists are not looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Any

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from udfs.direct import Direct
from udfs.models.model import Shop
from udfs.models.ranked import Lists, Told
from udfs.models.settings import Settings
from udfs.models.varied import every
from udfs.options.rules import Rule
from udfs.options.sources import position
from udfs.ranking.steps.rerank import reranks
from udfs.ranking.steps.rule_kernels import Facts, Listed, Out, Room, apply_rules
from udfs.rules.rules import Rules

LONGER = 5
"""How many times as many candidates as a list has are ranked where rules or re-ranking choose among
them."""

_COLUMNS = {"": -1, "category": 0, "brand": 3, "provider": 3}
"""Where in `Metadata.groups` the group is of which `most` counts."""


class RuleStep:
    """The rules about lists; where there are none, lists stay as they are.

    Args:
        settings: of the job. shop: of which the lists that are given come, see `longer`.
    """

    def __init__(self, settings: Settings, shop: Shop) -> None:
        self._shop, self._idle = shop, not _about_lists(settings.rules)
        self._n = n = settings.lists.length
        self._kept = settings.lists.kept
        listed = [(bit, rule) for bit, rule in enumerate(Rules(settings.rules).listed)]
        pins = sorted((rule.pin - 1, bit) for bit, rule in listed if rule.pin)
        caps = [(bit, rule.most, _COLUMNS[rule.of]) for bit, rule in listed if rule.most]
        quotas = [(bit, _count(rule.least, n)) for bit, rule in listed if rule.least]
        self._caps = np.array(caps, np.int64).reshape(-1, 3)
        self._quotas = np.array(quotas, np.int64).reshape(-1, 2)
        self._pins = np.array([(bit, place) for place, bit in pins], np.int64).reshape(-1, 2)
        self._wanting = [*self._pins[:, 0].tolist(), *self._quotas[:, 0].tolist()]
        self._spare: NDArray[np.int32] | None = None
        self._apply = Direct(apply_rules)
        self._room = _room(0, n)

    def forget(self) -> None:
        """Look again at which items a rule is about, and how popular they are."""
        self._spare = None

    def for_all(self, lists: Lists, by: NDArray[np.float32] | None = None) -> Lists:
        """Lists of nobody in particular, N items each.

        Args:
            by: float32[size], the larger, the sooner an item is taken that a rule wants and the
                list lacks; −∞: never. None: the number of its events.
        """
        if self._idle:
            return lists.first(self._n)
        spare = self._look() if by is None else self._best(by, self._shop.catalogue.keys)
        return self._choose(lists, np.full(len(lists.items), -1, np.int32), spare)[0]

    def told(self, longer: Told, users: NDArray[np.int32]) -> Told:
        """Lists of the users in the cache slots `users` (int32[n]), with what is told of them:
        N items each, and then those of `longer` that follow, `lists.kept` of them."""
        if self._idle:
            return longer
        lists, columns = self._choose(longer.lists, users, self._look())
        if self._kept:
            rest, others = _following(longer.lists, columns, self._kept)
            columns = np.concatenate([columns, others], axis=1)
            lists = Lists(
                np.concatenate([lists.items, rest.items], axis=1),
                np.concatenate([lists.scores, rest.scores], axis=1),
                np.concatenate([lists.models, rest.models], axis=1),
            )
        reasons = longer.reasons[:, : columns.shape[1]]
        if reasons.shape[2]:
            reasons = np.take_along_axis(longer.reasons, np.maximum(columns, 0)[:, :, None], 1)
            reasons[columns < 0] = -1
        return Told(*lists, np.ascontiguousarray(reasons), longer.consumed)

    def _choose(
        self, longer: Lists, users: NDArray[np.int32], spare: NDArray[np.int32]
    ) -> tuple[Lists, NDArray[np.int32]]:
        rows, given = longer.items.shape
        catalogue, shop = self._shop.catalogue, self._shop
        metadata = catalogue.metadata
        listed = Listed(self._caps, self._quotas, self._pins, spare)
        size = given + listed.spare.size
        if len(self._room.items) < size:
            self._room = _room(size, self._n)
        items, columns = (np.empty((rows, self._n), np.int32) for _ in range(2))
        out = Out(items, np.empty((rows, self._n), np.float32), columns)
        users = np.ascontiguousarray(users, np.int32)
        self._apply(
            longer.items,
            longer.scores,
            users,
            shop.users.view,
            shop.settings.lists.exclude_consumed,
            Facts(metadata.boost, metadata.groups, metadata.bits, catalogue.shown),
            listed,
            self._room,
            out,
            varying=(longer.items, longer.scores),
        )
        models = np.take_along_axis(longer.models, np.maximum(columns, 0), 1)
        models[columns < 0] = position("popular")
        return Lists(items, out.scores, models), columns

    def _look(self) -> NDArray[np.int32]:
        """`Listed.spare`: the items that may be shown, those taken most often first."""
        if self._spare is None:
            events = self._shop.catalogue.events
            self._spare = self._best(events, np.arange(len(events)))
        return self._spare

    def _best(self, by: NDArray[Any], ties: NDArray[Any]) -> NDArray[np.int32]:
        """The same, those with the most first; of equal ones, those with the least of `ties`."""
        catalogue, wanting = self._shop.catalogue, self._wanting
        spare = np.full((len(wanting), self._n if wanting else 0), -1, np.int32)
        bits = catalogue.metadata.bits[: catalogue.size]
        for row, bit in enumerate(wanting):
            meant = np.flatnonzero((bits >> np.uint32(bit)) & 1)
            meant = meant[catalogue.shown[meant] & (by[meant] > -np.inf)]
            best = meant[np.lexsort((ties[meant], -by[meant]))[: self._n]]
            spare[row, : len(best)] = best
        return spare


def needed(settings: Settings) -> int:
    """How many items of a list rules need to choose among, or are kept, or take the place of own
    items: the length of lists, if nothing of that is wanted."""
    n, kept = settings.lists.length, settings.lists.kept
    length = max(LONGER * n if _about_lists(settings.rules) else n, n + kept)
    return length + (n if settings.lists.exclude_own else 0)


def longer(settings: Settings) -> Settings:
    """The same with lists that are longer, if so many are needed, or re-ranking chooses among
    them."""
    n = settings.lists.length
    length = max(map(_longest, [settings, *every(settings)]))
    if length == n:
        return settings
    return replace(settings, lists=replace(settings.lists, length=length))


def _longest(settings: Settings) -> int:
    n = settings.lists.length
    return max(needed(settings), LONGER * n if reranks(settings) else n)


def _about_lists(rules: Sequence[Rule]) -> bool:
    return not all(rule.exclude or rule.exposure for rule in rules)


def _following(lists: Lists, columns: NDArray[np.int32], n: int) -> tuple[Lists, NDArray[np.int32]]:
    """The first n items that are in none of the `columns` (int32[rows, …], −1: none), and in which
    they are."""
    left = lists.items >= 0
    rows, taken = np.nonzero(columns >= 0)[0], columns[columns >= 0]
    left[rows, taken] = False
    others = np.argsort(~left, axis=1, kind="stable")[:, :n].astype(np.int32)
    items = np.take_along_axis(lists.items, others, 1)
    scores = np.take_along_axis(lists.scores, others, 1)
    models = np.take_along_axis(lists.models, others, 1)
    gone = ~np.take_along_axis(left, others, 1)
    items[gone], scores[gone], others[gone] = -1, -np.inf, -1
    return Lists(items, scores, models), others


def _count(least: float, n: int) -> int:
    """How many items of a list of n that is.

    >>> _count(0.2, 12), _count(3.0, 12), _count(50.0, 12)
    (3, 3, 12)
    """
    return min(ceil(least * n) if least < 1 else ceil(least), n)


def _room(size: int, n: int) -> Room:
    return Room(
        np.zeros(size, np.int32),
        np.zeros(size, np.float32),
        np.zeros(size, np.int32),
        np.zeros(size, np.int32),
        np.zeros(n, np.int32),
        np.zeros(n, np.int32),
    )
