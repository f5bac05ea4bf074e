"""What predicts best what strangers take: weights learned in the stream, for the list `popular`.

In: what users took first, before anything was known of them, and which items were then the first at
each half-life of popularity, and among what strangers took before. Out: a weight for each of these,
by which `udfs.models.popular.popular` mixes the shares of an item
(docs/decisions/popularity-at-several-half-lives.md).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from udfs.models.popular.popular_kernels import HALF_LIVES, LEVELS

RATE = 0.3
"""What a hit adds to the logarithm of a weight: twenty more than another half-life are a factor of
400, and within three it is a mixture."""
PRIOR = (0.0, 2.0, 6.0, 3.0, 1.0, 6.0)
"""The logarithms of the weights before any hit, of an hour, a day, a week, four weeks and none, and
of what strangers take first: a week, and that, until something else has had some ten hits more."""
MEMORY = 3000.0
"""After how many strangers a hit has faded to 1/e."""


class Mixture:
    """The weights (Hedge: Freund, Schapire, *A Decision-Theoretic Generalization*, 1997):

        c_h ← (1 − 1/M) c_h + [the item was among the first of level h],  w_h ∝ e^(η c_h + a_h)

    Attributes:
        hits: float64[6], c. They begin at 0, and what user learners add is summed.

    Args:
        fixed: whether nothing is learned: only the level `popularity` counts.

    >>> mixture = Mixture()
    >>> mixture.weights.round(2).tolist()
    [0.0, 0.01, 0.48, 0.02, 0.0, 0.48]
    >>> mixture.learn(np.array([0b011110, 0b10] * 30, np.uint8))
    >>> mixture.weights.round(2).tolist()
    [0.0, 0.99, 0.01, 0.0, 0.0, 0.0]
    """

    def __init__(self, *, fixed: bool = False) -> None:
        self.fixed, self.hits = fixed, np.zeros(LEVELS)

    @property
    def weights(self) -> NDArray[np.float64]:
        """w, float64[6], sum 1."""
        return self._shares(LEVELS)

    @property
    def of_half_lives(self) -> NDArray[np.float64]:
        """The same of the half-lives alone, float64[5], sum 1."""
        return self._shares(HALF_LIVES)

    def _shares(self, levels: int) -> NDArray[np.float64]:
        weights = np.zeros(levels)
        if self.fixed:
            weights[1] = 1.0
        else:
            logarithms = (RATE * self.hits + PRIOR)[:levels]
            weights[:] = np.exp(logarithms - logarithms.max())
        weights /= weights.sum()
        return weights

    def learn(self, best: NDArray[np.uint8]) -> None:
        """Count what n strangers took: bit h of `best` (uint8[n]) is set if it was among the first
        of level h."""
        if not self.fixed:
            bits = best[:, None] >> np.arange(LEVELS, dtype=np.uint8) & 1
            self.hits = self.hits * (1 - 1 / MEMORY) ** len(best) + bits.sum(axis=0)

    def put(self, hits: NDArray[np.float64]) -> None:
        """Set `hits`; those of another length change nothing. In an older state they are those of
        the half-lives: what strangers take first then begins with as many as the best of these, for
        as long as nothing is counted it is their mixture."""
        if len(hits) in (HALF_LIVES, LEVELS):
            found = np.nan_to_num(hits, posinf=0.0, neginf=0.0).clip(0.0, MEMORY)
            self.hits = np.append(found, [found.max()] * (LEVELS - len(found)))

    @property
    def parameters(self) -> NDArray[np.float64]:
        """A copy of `hits`."""
        return self.hits.copy()
