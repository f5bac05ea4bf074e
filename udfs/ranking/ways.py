"""The ways in which lists are made: one for each combination of variants that a user is in.

In: the experiments of the job, users by name. Out: a `Way` for each of them, and users in groups,
so that a group's lists are made together. Without experiments there is one way, and no user is
looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from udfs.experiments.assignment import OUTSIDE, Assignment
from udfs.models.settings import Settings
from udfs.models.varied import combined
from udfs.ranking.steps.steps import Steps


class Way(NamedTuple):
    """How lists are made: the source that is served, and what is done with its lists."""

    model: str
    steps: Steps


Group = tuple[Way, NDArray[np.intp]]
"""A way, and which of some users it is for."""


class Ways:
    """The ways of one subtask.

    Attributes:
        usual: that of users who are in no experiment. all: each way once, the usual one first.
    """

    def __init__(self, settings: Settings, steps: Steps) -> None:
        self.usual, self._settings = Way(settings.lists.model, steps), settings
        self._assignments = [Assignment(one) for one in settings.experiments]
        places = [range(OUTSIDE, len(one.variants)) for one in settings.experiments]
        self._by_places = {at: self._made(at) for at in product(*places)}
        self.all = [*self._by_places.values()]

    def _made(self, places: tuple[int, ...]) -> Way:
        settings = combined(self._settings, places)
        if settings == self._settings:
            return self.usual
        return Way(settings.lists.model, self.usual.steps.varied(settings))

    def of(self, user: str) -> Way:
        """The way of a user."""
        return self._by_places[tuple([one.of(user) for one in self._assignments])]

    def groups(self, users: Sequence[str]) -> list[Group]:
        """Users by their ways, in the order of the first of each."""
        found: dict[int, tuple[Way, list[int]]] = {}
        for row, user in enumerate(users):
            way = self.of(user)
            found.setdefault(id(way), (way, []))[1].append(row)
        return [(way, np.array(rows, np.intp)) for way, rows in found.values()]
