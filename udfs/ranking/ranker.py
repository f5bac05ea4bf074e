"""The ranker's parameters, and the memory in which its kernels work.

In: the options; what the job has learned. Out: parameters as float64, in the item feed and in
state. The features are in `features`, the logit in `ranker_kernels.fold`, the learning in
`ranker_kernels.train`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from udfs.memory.lanes import COUNTED, PICKED
from udfs.models.evidence import LINE
from udfs.models.options import RankerOptions
from udfs.models.settings import Settings
from udfs.options import sources
from udfs.ranking.candidate_kernels import UNKNOWN, Scratch
from udfs.ranking.feature_kernels import is_priced
from udfs.ranking.features import Feature, features, most
from udfs.ranking.ranker_kernels import Network

_FIRST, _LARGEST = 1e-8, 1e3

RANKER = "ranker2"
"""The name of its parameters among those that learners share. Those of older forms are called
"ranker", or have no name: their features were others, so they are not used any more."""
HIDDEN = 8
"""Units of the neural ranker's hidden layer: with 8 it is equal to the linear one on
MovieLens-100K, and a little slower to learn (docs/models.md), so nothing speaks for more."""
LEARNING_RATE = 0.2
"""The step of AdaGrad, which makes it small by itself as events come."""
OLD = 8
"""How many features there were before `last-item` and `norm`. State with one more was learned with
the feature of a sequence model, which was the last then as it is now."""
CANDIDATES = 200
"""How many items with evidence get a score, those with the most: ten times a list of 20. The
best by factors and the popular ones are candidates besides."""


def first_parameters(hidden: int, known: tuple[Feature, ...] | None = None) -> NDArray[np.float64]:
    """Parameters before any event, float64[P]: a plain weighting of the features by their priors.

    The neural ranker begins near the linear one: σ is nearly straight around 0.
    """
    prior = np.array([feature.prior for feature in known or features()])
    size = len(prior)
    if not hidden:
        return np.concatenate([prior, np.zeros(size)])
    spread = np.random.default_rng(1).uniform(0.5, 1.5, (hidden, 2 * size + 1))
    inner = np.zeros((hidden, 2 * size + 1))
    inner[:, :size] = 0.25 * prior * spread[:, :size]
    return np.concatenate([inner.ravel(), np.full(hidden, 16.0 / hidden)])


class Ranker:
    """The parameters.

    Args:
        known: the features; by default those that are always there.

    Attributes:
        w, squares: float64[P], parameters and AdaGrad's sums of squared gradients.
        hidden: units of the hidden layer, 0: linear.
        speaks, says: for each feature, the position in `SOURCES` of the one that it speaks for, and
            of which items it says anything.
    """

    def __init__(self, settings: RankerOptions, known: tuple[Feature, ...] | None = None) -> None:
        self.settings, known = settings, known or features()
        self.hidden = HIDDEN if settings.network == "neural" else 0
        self.w = first_parameters(self.hidden, known)
        self.squares = np.full(len(self.w), _FIRST)
        self._choices = {
            name: at - 1
            for at, name in enumerate(("", *(source.name for source in sources.evident())))
        }
        self._floors = {"": 1.0} | {source.name: source.floor for source in sources.evident()}
        self.speaks = tuple(sources.position(feature.source) for feature in known)
        self.says = tuple(feature.says for feature in known)
        self._optional = [
            at for at, one in enumerate(known) if sources.SOURCES[one.source].optional
        ]

    @property
    def parameters(self) -> NDArray[np.float64]:
        """w and the sums of squares after it, float64[2P]; a copy."""
        return np.concatenate([self.w, self.squares])

    def put(self, parameters: NDArray[np.float64]) -> None:
        """Set `parameters`; those of another kind of ranker change nothing. Of a linear one that
        knew other features, the weights of those that are here too are taken, and the others
        remain."""
        size, known = len(self.w) // 2, len(parameters) // 4
        other = 0 < known <= most() and known != size
        if not self.hidden and other and len(parameters) == 4 * known:
            now, places = self.parameters.reshape(4, size), self._places(known)
            now[:, places] = parameters.reshape(4, known)[:, : len(places)]
            parameters = now.ravel()
        if len(parameters) == 2 * len(self.w):
            found = np.nan_to_num(parameters, posinf=0.0, neginf=0.0)
            self.w[:] = found[: len(self.w)].clip(-_LARGEST, _LARGEST)
            self.squares[:] = found[len(self.w) :].clip(min=_FIRST)

    def _places(self, known: int) -> list[int]:
        """Where the first of the features of a ranker of `known` others stand among those here."""
        if known == OLD + 1 < len(self.w) // 2:
            return [*range(OLD), *self._optional]
        return [*range(min(known, len(self.w) // 2))]

    def network(self, alone: str = "") -> Network:
        """What the kernels read.

        Args:
            alone: a source of evidence, whose feature alone is then the score.
        """
        chosen = self._choices[alone], self._floors[alone]
        return Network(self.w, self.hidden, self.speaks, self.says, *chosen)


def ranker_of(settings: Settings) -> Ranker:
    """The ranker with the features that there are with these settings."""
    return Ranker(settings.ranker, features(settings))


class Memory:
    """The scratch memory of each thread, as large as the catalogue."""

    def __init__(self, threads: int) -> None:
        self._calls = [np.zeros(3, np.int64) for _ in range(threads)]
        self._scratches: list[Scratch] = []

    def reserve(self, room: int, views: tuple[Any, ...], extra: int) -> None:
        """Make room for the catalogue slots below `room`, for the features of `views`, and for so
        many candidates besides those with evidence."""
        room += -room % (8 * LINE)
        made = self._scratches[0] if self._scratches else None
        if made is None or len(made.mark) < room or len(made.slots) < room + extra:
            self._scratches = [_scratch(room, views, extra, call) for call in self._calls]

    def scratch(self, thread: int) -> Scratch:
        """What one thread works in."""
        return self._scratches[thread]

    def mark(self, thread: int) -> int:
        """A mark above all that a thread has given."""
        return int(self._calls[thread][0]) + 1


def _scratch(room: int, views: tuple[Any, ...], extra: int, call: NDArray[np.int64]) -> Scratch:
    evident = len(sources.evident())
    call[1:] = 0  # nothing is known
    known = sum(is_priced(type(view)) for view in views)
    some = room + extra
    return Scratch(
        evidence=np.zeros((evident, room), np.float32),
        touched=np.zeros(room // LINE, np.uint8),
        mark=np.zeros(room, np.int64),
        call=call,
        slots=np.zeros(some, np.int32),
        shares=np.zeros((evident, some), np.float32),
        x=np.zeros((len(views), room + 1), np.float32),
        z=np.zeros(room + 1, np.float32),
        place=np.zeros(room + 1, np.int32),
        bucket=np.zeros(some + COUNTED, np.uint8),
        damps=np.full((evident, room), UNKNOWN),
        due=np.zeros(room + 1, np.int32),
        known=np.zeros((room, known), np.float32),
        priced=np.zeros(room, np.int64),
        wanted=np.zeros(some + PICKED, np.int32),
        shown=np.zeros(room, np.int32),
    )
