"""How one item comes to its place in one user's list: what the ranker adds up, and what each step
makes of it.

In: a `Recommender`, a cached user, an item. Out: a `Trace`, computed by what makes the lists; no
list, count or draw that follows is another because of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from udfs.models.model import Moment
from udfs.models.ranked import Served
from udfs.ranking.blend import Candidates
from udfs.ranking.features import features
from udfs.ranking.reasons import REASONS
from udfs.ranking.recommender import Recommender


class Part(NamedTuple):
    """What one feature adds to a logit: its value x, its weight w, and w·x. source: for which of
    `SOURCES` it speaks."""

    feature: str
    source: str
    value: float
    weight: float
    adds: float


class Sum(NamedTuple):
    """The logit of a candidate.

    Attributes:
        parts, rest: they add up to `logit`. rest is what no feature adds by itself: 0 for the
            linear ranker; the weights of the neural one are its slopes for this item.
        place: among `candidates`, from 1, by the logit. last: the logit of the last one that lists
            have room for; None: there are fewer.
    """

    parts: list[Part]
    rest: float
    logit: float
    place: int
    candidates: int
    last: float | None


class Trace(NamedTuple):
    """See the module.

    Attributes:
        source: what makes the user's list, such as "ranker". served: the list, int32[1, N] and so
            on.
        steps: the place of the item after each step, from 1, 0: it is in none; the first is the
            ranker.
        place: in the list as it is served. at: the column.
        sum: None if it is no candidate, or is not scored by the built-in ranker.
        scored: whether lists are.
    """

    source: str
    served: Served
    steps: list[tuple[str, int]]
    place: int
    sum: Sum | None
    scored: bool


class Tracer:
    """Traces in one subtask."""

    def __init__(self, models: Recommender) -> None:
        self._models, s = models, models.settings
        self._features = features(s)
        own = models.blend.own
        self._scored = models.counting and not (own and own.makes("ranker"))
        self._n = s.lists.length

    @contextmanager
    def still(self, now_ms: int) -> Iterator[None]:
        """While it lasts, users may be looked at as they are not; afterwards nothing is known of
        it."""
        models = self._models
        with models.popular.still(now_ms):
            try:
                yield
            finally:
                models.learned()

    def trace(self, slot: int, item: int, now_ms: int) -> Trace:
        """How the item in a catalogue slot fares with the user in a cache slot; within `still`."""
        models = self._models
        models.learned()
        slots = np.array([slot], np.int32)
        way = models.ways.of(models.users.names[slot])
        [(source, _, moment)] = models.parts(slots, now_ms, way.model)
        size = REASONS, models.popular.noted
        told = models.made(source, moment, size)
        before = [("ranker", told.items.copy()), *way.steps.rerank.each(told, slots)]
        if way.rival is None:
            told = way.steps.rerank.put(told, slots)
        else:
            told, _ = models.drafts.draft(way, source, moment, size)
            before.append(("interleaving", told.items.copy()))
        after, served = way.steps.trace(told, slots)
        steps = [(name, _place(items[0], item)) for name, items in [*before, *after]]
        scored = self._scored and source == "ranker"
        found = self._sum(moment, item) if scored else None
        place = _place(served.items[0, : self._n], item)
        return Trace(source, served, steps, place, found, scored)

    def _sum(self, moment: Moment, item: int) -> Sum | None:
        [found] = self._models.blend.measure(moment)
        order = np.lexsort((found.slots, -found.scores))
        places = np.flatnonzero(found.slots[order] == item)
        if not len(places):
            return None
        k, n, place = int(order[places[0]]), self._n, int(places[0]) + 1
        values = found.features[:, k]
        weights = _slopes(self._models.ranker.w, self._models.ranker.hidden, values, found)
        parts = [
            Part(one.name, one.source, x, w, x * w)
            for one, x, w in zip(self._features, values.tolist(), weights.tolist(), strict=True)
        ]
        logit, last = float(found.scores[k]), None
        if len(order) >= n:
            last = float(found.scores[order[n - 1]])
        # A sum of float32 in the kernel; what is beyond its last digit is shown as 0.
        rest = logit - sum(part.adds for part in parts)
        rest = rest if self._models.ranker.hidden else 0.0
        return Sum(parts, rest, logit, place, len(order), last)


def _slopes(
    w: NDArray[np.float64], hidden: int, x: NDArray[np.float32], found: Candidates
) -> NDArray[np.float64]:
    """The derivative of the logit by each feature, float64[F], see `ranker_kernels.fold`."""
    size = len(x)
    if not hidden:
        return w[:size] + found.activity * w[size : 2 * size]
    inner = w[: hidden * (2 * size + 1)].reshape(hidden, 2 * size + 1)
    folded = inner[:, :size] + found.activity * inner[:, size : 2 * size]
    unit = 1.0 / (1.0 + np.exp(-(folded @ x.astype(np.float64) + inner[:, -1])))
    slopes: NDArray[np.float64] = (w[hidden * (2 * size + 1) :] * unit * (1.0 - unit)) @ folded
    return slopes


def _place(items: NDArray[np.int32], item: int) -> int:
    """The place of an item in a list, from 1; 0: it is not there."""
    found = np.flatnonzero(items == item)
    return int(found[0]) + 1 if len(found) else 0
