"""The ranker's log: what it ranks for some users just before it learns what they took of it.

In: events that the ranker learns from, and the lists that users got. Out: `Ranking`s, which
`flink_app.graph.ranker_log` writes, to train models on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from hashlib import blake2b
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from udfs.memory.columns import Table, column
from udfs.models.model import Moment, Shop
from udfs.models.settings import Settings
from udfs.ranking.blend import Candidates
from udfs.ranking.features import names

Measure = Callable[[Moment], Iterator[Candidates]]
LAST = 50
"""How many of a user's last items are told, as many as `item-cf` counts pairs with."""


class Ranking(NamedTuple):
    """The candidates of one user at one moment, best first.

    Attributes:
        at: the time of the event, ms since 1970. user: the id; None: it is not told.
        history: the last items that the user took and liked, oldest first. taken: the next one,
            which need not be a candidate.
        items: c candidates. position: c places, from 1, in the list that the user had; 0: not in
            it. propensity: c probabilities of an item's place in that list: below 1 where it was
            drawn, to become known.
        features: c numbers each, by the names of `udfs.ranking.features.names`.
    """

    at: int
    user: str | None
    history: list[str]
    taken: str
    items: list[str]
    position: list[int]
    propensity: list[float]
    features: dict[str, list[float]]


class _Had(Table):
    """The list that a user got last: uint64[N], keys of items, 0: none; and float32[N], with which
    probability each was put there, 0: for certain."""

    keys = column(np.uint64, ("n",))
    chances = column(np.float32, ("n",))


class RankerLog:
    """The log of one subtask; it keeps the last list of each user whom it tells of.

    Args:
        measure: as `Blend.measure`.
    """

    def __init__(self, settings: Settings, shop: Shop, measure: Measure) -> None:
        options, n = settings.ranker, settings.lists.length
        self._shop, self._named, self._measure = shop, options.log_users, measure
        self._names = names(settings)
        self._below = math.ceil(options.sample * 2**64)
        self._had = shop.users.attach(_Had(n=n), slots=False)
        self._made: list[Ranking] = []

    def chooses(self, user: str) -> bool:
        """Whether a user is told of: always, or never."""
        digest = blake2b(user.encode(), digest_size=8, person=b"ranker.log").digest()
        return int.from_bytes(digest, "little") < self._below

    def chosen(self, slots: NDArray[np.int32]) -> NDArray[np.intp]:
        """The places in `slots` (int32[n]) of users who are told of."""
        users = self._shop.users.names
        return np.flatnonzero([self.chooses(users[slot]) for slot in slots.tolist()])

    def listed(
        self,
        slots: NDArray[np.int32],
        items: NDArray[np.int32],
        chances: NDArray[np.float32] | None,
    ) -> None:
        """Note which lists users got: int32[m], int32[m, N], and float32[m, N], see
        `Served.explored`."""
        rows = self.chosen(slots)
        if not len(rows):
            return
        found, width, at = items[rows], items.shape[1], slots[rows]
        keys = np.where(found >= 0, self._shop.catalogue.keys[found], np.uint64(0))
        self._had.keys[at, :width] = keys
        self._had.chances[at, :width] = 0 if chances is None else chances[rows]

    def tell(self, moment: Moment, taken: NDArray[np.int32], ts: NDArray[np.int64]) -> None:
        """Tell what is ranked for some of the users of a moment, who took the items `taken`
        (int32[n], slots) next, at `ts` (int64[n], ms); before the ranker learns from that."""
        if not len(rows := self.chosen(moment.slots)):
            return
        found = self._measure(moment.part(rows))
        for row, candidates in zip(rows.tolist(), found, strict=True):
            self._note(int(moment.slots[row]), int(ts[row]), int(taken[row]), candidates)

    def _note(self, slot: int, at_ms: int, taken: int, found: Candidates) -> None:
        shop, order = self._shop, np.lexsort((found.slots, -found.scores))
        slots, ids = found.slots[order], shop.catalogue.ids
        stood, liked = shop.users.standing(slot)
        had = self._had.keys[slot]
        same = (shop.catalogue.keys[slots][:, None] == had) & (had > 0)
        place = np.where(same.any(axis=1), same.argmax(axis=1), -1)
        chances = self._had.chances[slot][place]
        drawn = (place >= 0) & (chances > 0)
        told = [*found.features[:, order].tolist(), [found.activity] * len(slots)]
        self._made.append(
            Ranking(
                at_ms,
                shop.users.names[slot] if self._named else None,
                [name for j in stood[liked][-LAST:].tolist() if (name := ids[j]) is not None],
                ids[taken] or "",
                [ids[j] or "" for j in slots.tolist()],
                (place + 1).tolist(),
                np.where(drawn, chances, np.float32(1.0)).tolist(),
                dict(zip(self._names, told, strict=True)),
            )
        )

    def take(self) -> list[Ranking]:
        """What was told since the last call."""
        made, self._made = self._made, []
        return made


def ranker_log(settings: Settings, shop: Shop, measure: Measure) -> RankerLog | None:
    """The log, if there is a place for it."""
    return RankerLog(settings, shop, measure) if settings.ranker.log else None
