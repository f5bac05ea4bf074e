"""A ranker of a team's own in place of the built-in one, or beside it.

In: what the built-in ranker's kernels are given. Out: the scores of all candidates, which the same
kernels then order, explain and tell; None where the file's model fails or rests: the built-in
ranker, which goes on learning, then makes these lists.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from udfs.direct import Direct
from udfs.models.model import Model
from udfs.models.own.file import OwnFile
from udfs.models.sequence.source import NAME as SEQUENCE
from udfs.models.sequence.source import sequence_of
from udfs.models.settings import Settings
from udfs.options.own import BUILT_IN_RANKER, OWN_RANKER
from udfs.ranking import own_kernels
from udfs.ranking.features import names
from udfs.ranking.own_network import OPTION, OwnNetwork

_ROOM = 16_384
"""Candidates that are scored at once, of about 60 lists; more if a single list has more."""


class Given(NamedTuple):
    """Scores for the kernels.

    Attributes:
        z: float32[C], of the candidates of all rows; float32[0]: the ranker has its own.
        starts: int64[rows + 1], where those of each row begin.
    """

    z: NDArray[np.float32]
    starts: NDArray[np.int64]


NOTHING = Given(np.zeros(0, np.float32), np.zeros(1, np.int64))
"""No scores: the built-in ranker has its own."""


class OwnRanker:
    """See the module.

    Attributes:
        file: the model, as of now.

    Raises:
        ConfigError: the file cannot be used.
    """

    def __init__(self, settings: Settings) -> None:
        opens, path = partial(OwnNetwork, known=names(settings)), settings.ranker.model
        self.file = OwnFile("ranker", OPTION, path, opens, patient=settings.job.strict)
        self._shadow = settings.ranker.shadow
        self._room, self._describe = _ROOM, Direct(own_kernels.describe_all)

    def makes(self, model: str) -> bool:
        """Whether it makes the lists of this name, instead of the built-in ranker."""
        return model == OWN_RANKER or (model == "ranker" and not self._shadow)

    def scores(self, asked: Any, *rest: Any) -> Given | None:
        """The scores of all candidates of the rows of `Asked`; None if the model says nothing.

        Args:
            rest: as of `own_kernels.describe_all`, without `out`.
        """
        rows = asked.end - asked.begin
        return self.file.ask(rows, lambda model: self._run(model, asked, *rest))

    def _run(self, model: OwnNetwork, asked: Any, *rest: Any) -> Given:
        starts, parts, begin = np.zeros(asked.end + 1, np.int64), [], asked.begin
        while begin < asked.end:
            x = np.empty((self._room, len(model.pick)), np.float32)
            out = own_kernels.Described(x, starts, model.pick)
            end = self._describe(asked._replace(begin=begin), *rest, out)
            if end == begin:
                self._room *= 2
                continue
            if used := starts[end] - starts[begin]:
                parts.append(model.run(x[:used]))
            begin = end
        return Given(np.concatenate(parts) if parts else NOTHING.z, starts)


def files_of(sources: dict[str, Model], ranker: OwnRanker | None) -> dict[str, OwnFile[Any]]:
    """The files of all models that a team has brought, by the list in which each is tested."""
    found: dict[str, OwnFile[Any]] = {}
    if SEQUENCE in sources:
        found[SEQUENCE] = sequence_of(sources).file
    if ranker is not None:
        found[OWN_RANKER] = ranker.file
    return found


def own_ranker(settings: Settings) -> OwnRanker | None:
    """The ranker in the file of `ranker.model`, if there is one."""
    return OwnRanker(settings) if settings.ranker.model else None


def built_in(model: str) -> str:
    """What the built-in ranker calls the lists of this name."""
    return "ranker" if model in (OWN_RANKER, BUILT_IN_RANKER) else model
