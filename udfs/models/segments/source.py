"""The source `segments`: what users begin with, by who they are.

In: the early events of users, with their segments; profiles. Out: lists of users who have too few
events for lists of their own, and a list for each segment. As long as no segment is known, nothing
is counted, and such users get what is popular.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from udfs.memory.metadata import CATEGORY, GROUPS, PROVIDER
from udfs.memory.people import Profiles
from udfs.models.item_cf.neighbours import Neighbours
from udfs.models.model import Model, Moment, Shop
from udfs.models.popular.first import bucket
from udfs.models.popular.popular import Popular
from udfs.models.popular.source import OF_ALL
from udfs.models.ranked import Ranked, no_lists
from udfs.models.segments.beginning import Beginning, begin, scores
from udfs.models.segments.counts import Counts
from udfs.models.segments.names import ALL

PARAMETERS = "segments:"
"""How the names of the shared parameters begin: one for each segment, as it is counted."""
EARLY_EVENTS = 10
"""How many events of a user count as early."""
LIKED = 0.8
"""The share of the chances that what a questionnaire says is liked has, if it says anything: items
in a liked group, and items that go with a liked one. Chosen by hand: no data set is known that has
questionnaires."""

LEAST_EVENTS = 10.0
"""Early events of a segment, as of now, from which on it has a list of its own."""
_LEAST = 1e-300  # a chance


class Segments(Model):
    """See the module.

    Attributes:
        counts: of the segments.
    """

    def __init__(self, shop: Shop, options: Any = None) -> None:
        super().__init__(shop, options)
        self.counts = Counts()
        self._profiles: Profiles | None = None
        self._beginning: Beginning | None = None
        self._looked: Popular | None = None

    @property
    def some(self) -> bool:
        """Whether any segment is known, or anything that somebody likes."""
        return self.counts.some or (self._profiles is not None and bool(self._profiles.likes))

    @property
    def profiles(self) -> Profiles:
        """Of users in memory; there are none until somebody asks for them."""
        if self._profiles is None:
            self._profiles = self.shop.users.attach(Profiles())
        return self._profiles

    def describe_user(self, slot: int, names: list[str], likes: tuple[str, ...]) -> None:
        """Set the segments of a user in memory, and what the user likes."""
        self.profiles.put(slot, [self.counts.number(name) for name in names], likes)

    def learn(
        self,
        events: tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]],
        ts: NDArray[np.int64],
        contexts: list[list[str]],
    ) -> None:
        """Count n events in order, before they are learned otherwise.

        Args:
            events: cache slots of users, slots of items (−1: none), weights. ts: int64[n], ms.
            contexts: the segments of each event's context, n lists or none at all.
        """
        counts, users, before = self.counts, self.shop.users.events, dict[int, int]()
        young = np.flatnonzero(users[events[0]] < EARLY_EVENTS)
        who, taken, weights = (values[young] for values in events)
        places = bucket(self.shop.catalogue.keys[taken]).tolist()
        good = ((taken >= 0) & (weights > 0)).tolist()
        for k, (at, user) in enumerate(zip(young.tolist(), who.tolist(), strict=True)):
            number = before[user] = before.get(user, int(users[user]) - 1) + 1
            if number >= EARLY_EVENTS or not good[k]:
                continue
            those = dict.fromkeys(self.profiles.of(user))
            for name in contexts[at] if contexts else ():
                those[counts.number(name)] = None
            those.pop(-1, None)
            counts.add([0, *those], places[k], float(ts[at]))

    def put(self, parameters: Mapping[str, NDArray[np.float64]]) -> None:
        """Set the counts that are among shared parameters to absolute values."""
        for name, sums in parameters.items():
            if name.startswith(PARAMETERS) and name != OF_ALL:
                self.counts.put(name.removeprefix(PARAMETERS), sums)

    def lists(self, moment: Moment, popular: Popular, neighbours: Neighbours | None) -> Ranked:
        """Lists of users of whom few events are known; scores as shares of the first one's chance.

        Args:
            neighbours: what goes together, for users who say which items they like.
        """
        found = self._begin(popular)
        rows = [self._scores(found, slot, neighbours) for slot in moment.slots.tolist()]
        return self._ranked(found, rows, moment.slots)

    def by_segment(self, popular: Popular) -> tuple[list[str], Ranked]:
        """The names of segments with lists of their own, after that of all users, and the lists."""
        counts, now = self.counts, self.shop.clock_ms
        numbers = [
            number
            for number in range(1, len(counts.names))
            if counts.now(number, now).sum() >= LEAST_EVENTS
        ]
        found = self._begin(popular)
        rows = [scores(found, [number], counts, now) for number in numbers]
        nobody = np.full(len(numbers) + 1, -1, np.int32)
        names = [ALL, *(counts.names[number] for number in numbers)]
        return names, self._ranked(found, [found.base, *rows], nobody)

    def _begin(self, popular: Popular) -> Beginning:
        if self._beginning is None or self._looked is not popular:
            places = bucket(self.shop.catalogue.keys[: len(popular.first)])
            found = begin(popular.first, places, self.counts, self.shop.clock_ms)
            self._beginning, self._looked = found, popular
        return self._beginning

    def _scores(
        self, found: Beginning, slot: int, neighbours: Neighbours | None
    ) -> NDArray[np.float64]:
        """The scores of `found.items` for one user."""
        numbers = self.profiles.of(slot) if slot >= 0 else []
        z = scores(found, numbers, self.counts, self.shop.clock_ms)
        if likes := self.profiles.likes.get(slot):
            z = self._led(z, self._liked(found.items, likes, neighbours))
            z[np.isin(found.items, self.shop.catalogue.find(likes))] = -np.inf
        return z

    @staticmethod
    def _led(z: NDArray[np.float64], liked: NDArray[np.float64]) -> NDArray[np.float64]:
        """The scores, mixed with those of what is liked alone: (1 − λ) p + λ l p / Σ l p."""
        p = np.exp(z - z.max(initial=-np.inf))
        part = liked * p
        if not part.any():
            return z
        mixed: NDArray[np.float64] = np.log(
            (1 - LIKED) * p / p.sum() + LIKED * part / part.sum() + _LEAST
        )
        return mixed

    def _liked(
        self, items: NDArray[np.int32], likes: tuple[str, ...], neighbours: Neighbours | None
    ) -> NDArray[np.float64]:
        """How much each of `items` is like what is liked, 0 to 1."""
        catalogue, metadata = self.shop.catalogue, self.shop.catalogue.metadata
        groups = [one for one in likes if one.startswith((CATEGORY, PROVIDER))]
        wanted = [number for name in groups if (number := metadata.number(name)) >= 0]
        those = metadata.groups[items, :GROUPS]
        found: NDArray[np.float64] = np.isin(those, wanted).any(axis=1).astype(np.float64)
        slots = catalogue.find([one for one in likes if one not in groups])
        if neighbours is not None and len(items) and (slots >= 0).any():
            most = min(len(items), neighbours.settings.neighbours)
            near, shares = neighbours.similar(catalogue, slots[slots >= 0], most)
            of = np.zeros(catalogue.size)
            np.maximum.at(of, near[near >= 0], shares[near >= 0])
            np.maximum(found, of[items], out=found)
        return found

    def _ranked(
        self,
        found: Beginning,
        rows: list[NDArray[np.float64]],
        slots: NDArray[np.int32],
    ) -> Ranked:
        """The best by each of `rows`, without what the users in `slots` (−1: nobody) consumed."""
        settings = self.shop.settings.lists
        items, shares = no_lists(len(rows), settings.length)
        for row, (z, slot) in enumerate(zip(rows, slots.tolist(), strict=True)):
            if settings.exclude_consumed and slot >= 0 and self.shop.users.events[slot]:
                z = np.where(np.isin(found.items, self.shop.users.history_of(slot)), -np.inf, z)
            best = np.argsort(-z, kind="stable")[: settings.length]
            best = best[np.isfinite(z[best])]
            items[row, : len(best)] = found.items[best]
            if len(best):
                shares[row, : len(best)] = np.exp(z[best] - z[best[0]])
        return items, shares
