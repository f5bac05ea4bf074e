"""Diversity: a list avoids items that are alike, by their content vectors.

In: candidates. Out: their values less what the list has of them already, see `diversity_kernels`.
Items that are not described are like nothing.
"""

from __future__ import annotations

from udfs.direct import Direct
from udfs.models.content.source import Described
from udfs.ranking.steps import diversity_kernels
from udfs.ranking.steps.candidates import Candidates


class Diversity:
    """See the module.

    Args:
        strength: α. described: what items are. n: items of a list that are chosen one by one.
        whole: whether others are wanted, too.
    """

    def __init__(self, strength: float, described: Described, n: int, whole: bool) -> None:
        self._strength, self._described = max(strength, LEAST), described
        self._n, self._whole = n, whole
        self._kernel = Direct(diversity_kernels.diversify)

    def weigh(self, candidates: Candidates) -> None:
        """See `udfs.ranking.steps.candidates.Step`."""
        if self._described.some:
            vectors = self._described.vectors
            own = self._n, self._strength, self._whole
            self._kernel(candidates.items, candidates.values, vectors, *own)


LEAST = 0.02
"""The least α: e^(z / α) is a number down to here."""
