"""The ranker: one score from what all models say of a candidate, learned from what is taken next.

In: users, the catalogue, the models' memories. Out: `(slots, scores, models)` as parallel arrays.
The features stand in `candidate_kernels.describe`, the logit in `ranker_kernels.fold`, the learning
in `ranker_kernels.train`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from udfs.memory.catalogue import Catalogue
from udfs.memory.users import Users
from udfs.models.item_cf.neighbours import Neighbours
from udfs.models.options import RankerOptions
from udfs.models.sources import Lists
from udfs.models.user_cf.consumers import Consumers
from udfs.ranking import candidate_kernels, ranker_kernels
from udfs.threads import Threads

_ALONE = {"item-cf": 0, "user-cf": 1}
_FIRST, _LARGEST = 1e-8, 1e3

HIDDEN = 8
"""Units of the neural ranker's hidden layer: with 8 it is equal to the linear one on
MovieLens-100K, and a little slower to learn (docs/models.md), so nothing speaks for more."""
LEARNING_RATE = 0.2
"""The step of AdaGrad, which makes it small by itself as events come."""
CANDIDATES = 200
"""How many items with evidence get a score, those with the most: ten times a list of 20. The
best by factors and the popular ones are candidates besides."""
SAMPLES = 200
"""Items drawn as not wanted for each event learned, as many as there are candidates: without
them the ranker would learn to order good items, but not to separate them from the rest."""

_PRIOR = np.array([2.0, 0.7, 0.5, 0.0, 0.0])


def first_parameters(hidden: int) -> NDArray[np.float64]:
    """Parameters before any event, float64[P]: a plain weighting of the models.

    The neural ranker begins near the linear one: σ is nearly straight around 0.
    """
    if not hidden:
        return np.concatenate(
            [_PRIOR, np.zeros(candidate_kernels.FEATURES - candidate_kernels.BASE)]
        )
    spread = np.random.default_rng(1).uniform(0.5, 1.5, (hidden, candidate_kernels.FEATURES + 1))
    inner = np.zeros((hidden, candidate_kernels.FEATURES + 1))
    inner[:, : candidate_kernels.BASE] = 0.25 * _PRIOR * spread[:, : candidate_kernels.BASE]
    return np.concatenate([inner.ravel(), np.full(hidden, 16.0 / hidden)])


class Ranker:
    """Parameters and the memory that ranking needs.

    Attributes:
        w, squares: float64[P], parameters and AdaGrad's sums of squared gradients.
    """

    def __init__(self, settings: RankerOptions, threads: Threads | None = None) -> None:
        self.settings, self._threads = settings, threads or Threads()
        self.hidden = HIDDEN if settings.network == "neural" else 0
        self.w = first_parameters(self.hidden)
        self.squares = np.full(len(self.w), _FIRST)
        self._calls = [np.zeros(1, np.int64) for _ in range(self._threads.count)]
        self._reserve(256, 64)

    @property
    def parameters(self) -> NDArray[np.float64]:
        """w and the sums of squares after it, float64[2P]; a copy."""
        return np.concatenate([self.w, self.squares])

    def put(self, parameters: NDArray[np.float64]) -> None:
        """Set `parameters`; those of another kind of ranker change nothing."""
        if len(parameters) == 2 * len(self.w):
            found = np.nan_to_num(parameters, posinf=0.0, neginf=0.0)
            self.w[:] = found[: len(self.w)].clip(-_LARGEST, _LARGEST)
            self.squares[:] = found[len(self.w) :].clip(min=_FIRST)

    def _reserve(self, room: int, users: int) -> None:
        self._scratches = [self._scratch(room, users, call) for call in self._calls]

    @staticmethod
    def _scratch(room: int, users: int, call: NDArray[np.int64]) -> candidate_kernels.Scratch:
        return candidate_kernels.Scratch(
            evidence=np.zeros((candidate_kernels.KINDS, room), np.float32),
            found=np.zeros(room + 1, np.int32),
            mark=np.zeros(room, np.int64),
            call=call,
            slots=np.zeros(room + 1, np.int32),
            x=np.zeros((candidate_kernels.BASE, room + 1), np.float32),
            z=np.zeros(room + 1, np.float32),
            place=np.zeros(room + 1, np.int32),
            weight=np.zeros(users, np.float32),
            alike=np.zeros(users + 1, np.int32),
            known=np.zeros((room, 4), np.float32),
            priced=np.zeros(room, np.int64),
        )

    def _view(
        self, users: Users, catalogue: Catalogue, clock_ms: float, half_life_ms: float
    ) -> candidate_kernels.Items:
        room = self._scratches[0]
        if len(room.mark) < len(catalogue.alive) or len(room.weight) < len(users.tail):
            self._reserve(len(catalogue.alive), len(users.tail))
        c = catalogue
        return candidate_kernels.Items(
            c.q, c.bias, c.alive, c.events, c.popularity, c.popularity_at,
            float(clock_ms), float(half_life_ms), c.size,
        )  # fmt: skip

    def rank(
        self, model: str, users: Users, catalogue: Catalogue, neighbours: Neighbours,
        consumers: Consumers, slots: NDArray[np.int32], vectors: NDArray[np.float32],
        extra: NDArray[np.int32], n: int, exclude: bool, clock_ms: float, half_life_ms: float,
    ) -> Lists:  # fmt: skip
        """The `n` best candidates of each user in `slots`, by the ranker or by one model alone.

        Args:
            model: "ranker", "item-cf" or "user-cf".
            vectors: float32[rows, d]. extra: int32[rows, E], candidates of the other models.
            exclude: leave out what a user has consumed.
        """
        items = self._view(users, catalogue, clock_ms, half_life_ms)
        neighbours.reserve(catalogue.size)
        consumers.reserve(catalogue.size)
        history, pairs, noted = users.view, neighbours.pairs, consumers.noted
        choice = _ALONE.get(model, -1)
        out = np.empty((len(slots), n), np.int32)
        scores = np.empty((len(slots), n), np.float32)
        models = np.zeros((len(slots), n), np.int8)
        since = [int(call[0]) + 1 for call in self._calls]

        def some(thread: int, begin: int, end: int) -> None:
            part = slice(begin, end)
            ranker_kernels.rank(
                slots[part], vectors[part], extra[part], since[thread], exclude, history, pairs,
                noted, items, self._scratches[thread], CANDIDATES, choice,
                self.hidden, self.w, out[part], scores[part], models[part],
            )  # fmt: skip

        self._threads.each(some, len(slots))
        if choice >= 0:
            scores = np.exp(scores) - np.float32(candidate_kernels.FLOOR)
        else:
            scores = np.exp(scores - np.maximum(scores[:, :1], np.float32(-1e30)))
        return Lists(out, scores, models)

    def train(
        self, users: Users, catalogue: Catalogue, neighbours: Neighbours, consumers: Consumers,
        slots: NDArray[np.int32], taken: NDArray[np.int32], vectors: NDArray[np.float32],
        extra: NDArray[np.int32], exclude: bool, clock_ms: float, half_life_ms: float,
        random: NDArray[np.uint64],
    ) -> None:  # fmt: skip
        """Learn from what users took, before any model does; arguments as for `rank`.

        Args:
            taken: int32[rows], the living items that the users in `slots` took.
            random: uint64[1], the generator's state.
        """
        items = self._view(users, catalogue, clock_ms, half_life_ms)
        neighbours.reserve(catalogue.size)
        consumers.reserve(catalogue.size)
        ranker_kernels.train(
            slots, taken, vectors, extra, exclude, users.view, neighbours.pairs, consumers.noted,
            items, self._scratches[0], CANDIDATES, self.hidden, self.w, self.squares,
            LEARNING_RATE, SAMPLES, random,
        )  # fmt: skip
