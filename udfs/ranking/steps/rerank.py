"""Re-ranking: the steps between the ranker and all else that is done with lists, in one order.

In: five times as many candidates as a list has, ranked. Out: as many as what follows needs, in the
order of what the steps have made of their chances. A step that is off is not there; without any,
lists stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from udfs.direct import Direct
from udfs.models.content.source import Content
from udfs.models.model import Shop
from udfs.models.ranked import Told
from udfs.models.settings import Settings
from udfs.options.rerank import STEPS
from udfs.ranking.steps import rerank_kernels
from udfs.ranking.steps.calibration import Calibration
from udfs.ranking.steps.candidates import Candidates, Step
from udfs.ranking.steps.debias import Debias
from udfs.ranking.steps.diversity import Diversity
from udfs.ranking.steps.exposure import EXPOSURE, Exposure
from udfs.ranking.steps.repeats import Repeats

_begin, _arrange = Direct(rerank_kernels.begin), Direct(rerank_kernels.arrange)


Ordered = NDArray[np.int32]
"""Items of lists in an order."""


def reranks(settings: Settings) -> bool:
    """Whether any step is on."""
    return bool(_on(settings))


def _on(settings: Settings) -> list[str]:
    """The steps that are on, in their order."""
    options = settings.rerank
    exposed = any(rule.exposure for rule in settings.rules)
    on = {name: exposed if name == EXPOSURE else getattr(options, name) for name in STEPS}
    return [name for name in options.order if on.get(name)]


class Reranking:
    """The steps that are on.

    Args:
        settings: of the job. shop: of which the lists that are given come.
        keep: how many items of a list what follows needs.

    Attributes:
        exposure: what rules ask for of all lists together. repeats: what users were shown.
    """

    def __init__(self, settings: Settings, shop: Shop, content: Content, keep: int) -> None:
        self._shop, self._content = shop, content
        self.exposure, self.repeats = Exposure(settings, shop), Repeats(settings.rerank, shop)
        self._plan(settings, keep)

    def varied(self, settings: Settings, keep: int) -> Reranking:
        """The same with other options for some users; what is counted is the same for all."""
        other = copy(self)
        other._plan(settings, keep)
        return other

    def _plan(self, settings: Settings, keep: int) -> None:
        options, n, on = settings.rerank, settings.lists.length, _on(settings)
        whole = keep > n or on[-1:] != ["diversity"]
        shop, content = self._shop, self._content
        steps: dict[str, Step] = {
            "debias": Debias(options.debias, shop),
            "repeats": self.repeats,
            EXPOSURE: self.exposure,
            "calibration": Calibration(options.calibration, shop, n),
            "diversity": Diversity(options.diversity, content.described, n, whole),
        }
        self._names, self._steps = on, [steps[name] for name in on]
        self._keep = keep

    @property
    def learning(self) -> dict[str, Any]:
        """The steps with parameters that all user learners share, by the names of these."""
        return {EXPOSURE: self.exposure} if self.exposure.some else {}

    def each(self, told: Told, users: NDArray[np.int32]) -> Iterator[tuple[str, Ordered]]:
        """The name of each step, and the order of the items after it, int32[n, M], whose beginnings
        `put` keeps: diversity orders no more than needed."""
        items = np.ascontiguousarray(told.items)
        values = np.empty(items.shape, np.float32)
        _begin(items, np.ascontiguousarray(told.scores), values)
        candidates = Candidates(np.ascontiguousarray(users, np.int32), items, values)
        for name, step in zip(self._names, self._steps, strict=True):
            step.weigh(candidates)
            order = np.argsort(-values, axis=1, kind="stable")
            yield name, np.take_along_axis(items, order, 1)

    def put(self, told: Told, users: NDArray[np.int32]) -> Told:
        """The lists of the users in the cache slots `users` (int32[n]), re-ranked."""
        if not self._steps:
            return _first(told, self._keep)
        rows, most = told.items.shape
        given = (
            np.ascontiguousarray(told.items),
            np.ascontiguousarray(told.scores),
            np.ascontiguousarray(told.models),
            np.ascontiguousarray(told.reasons),
        )
        values = np.empty((rows, most), np.float32)
        _begin(*given[:2], values)
        candidates = Candidates(np.ascontiguousarray(users, np.int32), given[0], values)
        for step in self._steps:
            step.weigh(candidates)
        keep = min(self._keep, most)
        out = (
            np.empty((rows, keep), np.int32),
            np.empty((rows, keep), np.float32),
            np.empty((rows, keep), np.int8),
            np.empty((rows, keep, told.reasons.shape[2]), np.int32),
        )
        _arrange(values, given, out)
        return Told(*out, told.consumed)


def _first(told: Told, n: int) -> Told:
    """The first n items of each list: there are more where others are re-ranked."""
    if told.items.shape[1] <= n:
        return told
    reasons = np.ascontiguousarray(told.reasons[:, :n])
    return Told(*told.lists.part(0, n), reasons, told.consumed)
