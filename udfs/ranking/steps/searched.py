"""What users look for in words: it leads their next lists, less with each event that follows.

In: searches, and lists as they were made without them. Out: the same lists, led by the items whose
content is nearest to the words. A search is nothing that is learned, and forgotten after half an
hour; `udfs.learning.noted` keeps it in the state until then.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from udfs.events.searches import Search
from udfs.models.content.features import query_vector
from udfs.models.content.source import Content
from udfs.models.model import Model, Shop
from udfs.models.ranked import Told
from udfs.options.sources import position

FADE = 0.5
"""What is left of a search's strength, 1, after an event of its user."""
_FAINTEST = 0.1
_LASTS_MS = 1_800_000
_MOST = 10_000  # users
SHARE = 0.6
"""Share of a list that a search of full strength leads."""
NEAR, RELATIVE = 0.25, 0.6
"""The cosine of an item with the words, at least, absolutely and as a part of the nearest one's:
unlike texts have 0 ± 1/8."""


class Running(msgspec.Struct, frozen=True, array_like=True):
    """A search that leads lists: its words, its event time in ms, and what is left of it."""

    query: str
    at_ms: int
    strength: float


class _Search(NamedTuple):
    vector: NDArray[np.float32]
    running: Running


class Searches:
    """The latest search of each of the last 10,000 users who have searched.

    Args:
        content: the source that knows what items are.
        length: of the lists that are shown, which may be the beginnings of longer ones.
    """

    def __init__(self, shop: Shop, content: Model, length: int) -> None:
        assert isinstance(content, Content)
        self._shop, self._items, self._length = shop, content.described, length
        self._searches: OrderedDict[str, _Search] = OrderedDict()
        self._changed: set[str] = set()

    def take(self, searches: Iterable[Search]) -> None:
        """Note searches. One that is older than the user's latest is none."""
        for one in searches:
            before = self._searches.get(one.user)
            if before is not None and one.ts < before.running.at_ms:
                continue
            self._put(one.user, Running(one.query, one.ts, 1.0))
            self._changed.add(one.user)

    def recall(self, searches: Mapping[str, Running]) -> None:
        """Go on from searches that were running before."""
        for user, running in searches.items():
            self._put(user, running)

    def _put(self, user: str, running: Running) -> None:
        vector = query_vector(running.query).astype(np.float32) / np.float32(127)
        self._searches[user] = _Search(vector, running)
        self._searches.move_to_end(user)
        if len(self._searches) > _MOST:
            self._searches.popitem(last=False)

    def changed(self) -> dict[str, Running | None]:
        """The users whose searches have changed since the last call, None where there is none any
        more."""
        if not self._changed:
            return {}
        found = {user: self._searches.get(user) for user in self._changed}
        self._changed.clear()
        return {user: None if one is None else one.running for user, one in found.items()}

    def over(self, running: Running) -> bool:
        """Whether a search leads no list any more, because it is old."""
        return self._shop.clock_ms - running.at_ms > _LASTS_MS

    def expire(self) -> None:
        """Forget searches that lead no list any more."""
        for user in [name for name, one in self._searches.items() if self.over(one.running)]:
            del self._searches[user]

    def forget(self, users: Iterable[str]) -> None:
        """Forget what users have searched for, also in the state."""
        for user in users:
            self._searches.pop(user, None)
            self._changed.add(user)

    def fade(self, slots: NDArray[np.int32]) -> None:
        """Note an event of each of the users in these slots, int32[n]."""
        if not self._searches:
            return
        for user in map(self._shop.users.names.__getitem__, slots.tolist()):
            if (found := self._searches.get(user)) is None:
                continue
            left = 0.0 if self.over(found.running) else found.running.strength * FADE
            self._changed.add(user)
            if left < _FAINTEST:
                del self._searches[user]
            else:
                running = msgspec.structs.replace(found.running, strength=left)
                self._searches[user] = found._replace(running=running)

    def lead(self, told: Told, slots: NDArray[np.int32]) -> Told:
        """The lists of the users in `slots` (int32[n]), led by what they have searched for."""
        if not self._searches:
            return told
        names, led = self._shop.users.names, told
        for row, slot in enumerate(slots.tolist()):
            found = self._searches.get(names[slot])
            if found is None or self.over(found.running):
                continue
            most = int(np.ceil(found.running.strength * SHARE * self._length))
            items, cosines = self._nearest(found.vector, slot, most)
            if len(items):
                if led is told:  # others may have the arrays, too
                    led = Told._make([array.copy() for array in told])
                _put_first(led, row, items, cosines, position("content"))
        return led

    def _nearest(
        self, query: NDArray[np.float32], slot: int, most: int
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """The items to show that are nearest to a query, at most `most`, the nearest first, and
        their cosines."""
        c, vectors = self._shop.catalogue, self._items.vectors
        cosines = vectors[: c.size].astype(np.float32) @ (query / np.float32(127))
        cosines[~c.shown[: c.size]] = 0.0
        if self._shop.settings.lists.exclude_consumed:
            cosines[self._shop.users.history_of(slot)] = 0.0
        least = max(NEAR, RELATIVE * float(cosines.max(initial=0.0)))
        near = np.flatnonzero(cosines >= least)
        # In order of their names where several are as near, so that slots do not matter.
        order = np.lexsort((c.keys[near], -cosines[near]))[:most]
        return near[order].astype(np.int32), cosines[near[order]]


def _put_first(
    told: Told,
    row: int,
    items: NDArray[np.int32],
    cosines: NDArray[np.float32],
    source: int,
) -> None:
    """Let items lead a list; what they push out is the end of it."""
    own = told.items[row]
    rest = np.flatnonzero((own >= 0) & ~np.isin(own, items))
    n = min(len(own), len(items) + len(rest))
    lead, left = len(items), rest[: n - len(items)]
    top = float(told.scores[row, rest[0]]) if len(rest) else 0.0
    for array in told[:4]:
        array[row, lead:n] = array[row, left].copy()
    told.items[row, :lead], told.models[row, :lead] = items, source
    told.scores[row, :lead] = top + (1 - top) * np.clip(cosines, 0, 1)
    told.reasons[row, :lead] = -1
