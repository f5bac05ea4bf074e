"""The ways in which lists are made: one for each combination of variants that a user is in.

In: the experiments that run, users by name. Out: a `Way` for each of them, and users in groups,
so that a group's lists are made together. Variants that set the same share a way. Without
experiments there is one, and no user is looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from udfs.experiments.assignment import OUTSIDE, Assignment
from udfs.models.model import Shop
from udfs.models.settings import Settings
from udfs.models.varied import combinations, combined, varied
from udfs.options.experiments import Experiment
from udfs.ranking.steps.rules import longer
from udfs.ranking.steps.steps import Steps

_STEPS = ("debias", "calibration", "diversity")
_encode = msgspec.json.Encoder(order="deterministic").encode


class Way(NamedTuple):
    """How lists are made.

    Attributes:
        model: the source that is served. steps: what is done with its lists.
        rival: what they are interleaved with, in an experiment of this name; None: nothing.
    """

    model: str
    steps: Steps
    rival: Way | None = None
    experiment: str = ""


Group = tuple[Way, NDArray[np.intp]]
"""A way, and which of some users it is for."""


class Ways:
    """The ways of one subtask.

    Args:
        settings: of the job. steps: of users who are in no experiment. shop: of which lists come.

    Attributes:
        experiments: those that run; at first those of the job.
        usual: the way of users who are in none. all: each way once, the usual one first.
    """

    def __init__(self, settings: Settings, steps: Steps, shop: Shop) -> None:
        self.usual, self._shop = Way(settings.lists.model, steps), shop
        self._set(settings)

    def serve(self, experiments: list[Experiment]) -> bool:
        """From now on, make lists for the variants of these experiments; returns whether they are
        others than before. If so, nothing that was found of users holds any more: there may be
        more candidates for each list, or fewer."""
        if experiments == self.experiments:
            return False
        self._set(replace(self._settings, experiments=experiments))
        self._shop.settings = longer(self._settings)
        return True

    def _set(self, settings: Settings) -> None:
        self._settings, self.experiments = settings, settings.experiments
        # Of one that interleaves, users are in both variants, which is one way.
        self._assignments = [
            (Assignment(one), 0 if one.interleave else len(one.variants))
            for one in settings.experiments
        ]
        self._made: dict[bytes, Way] = {}
        self._by_places: dict[tuple[int, ...], Way] = {}
        ways = [self._way(changes) for changes in combinations(settings)]
        self.all = [*{id(way): way for way in ways}.values()]

    def _way(self, changes: dict[str, Any]) -> Way:
        """The way with these options."""
        if (found := self._made.get(key := _encode(changes))) is None:
            settings, found = varied(self._settings, changes), self.usual
            if settings != self._settings:
                found = Way(settings.lists.model, self.usual.steps.varied(settings))
            self._made[key] = found
        return found

    def possible(self) -> list[Way]:
        """Ways that together call all that a way may call, the usual one left out: those there are,
        and one that re-ranks in all ways, where a line may start it."""
        if not self._settings.quality.attribution_days:
            return self.all[1:]
        every = self._way({f"rerank.{step}": 0.5 for step in _STEPS})
        return [*self.all[1:], every, self.usual._replace(rival=every)]

    def of(self, user: str) -> Way:
        """The way of a user."""
        places = tuple([min(one.of(user), last) for one, last in self._assignments])
        if (found := self._by_places.get(places)) is None:
            found = self._by_places[places] = self._interleaved(places)
        return found

    def _interleaved(self, places: tuple[int, ...]) -> Way:
        """The way of users who are in these variants; those of an experiment that interleaves are
        in both."""
        for k, one in enumerate(self.experiments):
            if one.interleave and places[k] != OUTSIDE:
                before, after = places[:k], places[k + 1 :]
                both = [combined(self._settings, (*before, v, *after)) for v in range(2)]
                first, second = map(self._way, both)
                return Way(first.model, first.steps, second, one.name)
        return self._way(combined(self._settings, places))

    def groups(self, users: Sequence[str]) -> list[Group]:
        """Users by their ways, in the order of the first of each."""
        found: dict[int, tuple[Way, list[int]]] = {}
        for row, user in enumerate(users):
            way = self.of(user)
            found.setdefault(id(way), (way, []))[1].append(row)
        return [(way, np.array(rows, np.intp)) for way, rows in found.values()]
