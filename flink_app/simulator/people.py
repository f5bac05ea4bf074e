"""The users of a simulated platform: latent tastes that drift, unequal activity, new arrivals.

In: a seeded generator, the directions of the categories, the number of users to add. Out: arrays
over users, and the numbers of those who start a session.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flink_app.simulator.segments import Segments
from flink_app.simulator.truth import FACTORS, unit, zipf_weights

_ACTIVITY = 0.9  # Zipf exponent of the number of visits: the busiest tenth make about 28 %
_FOCUS = 0.25  # Dirichlet concentration: two or three favourite categories a user
_SPREAD = 0.25
_TINY = 1e-9


class People:
    """All users so far; user n is row n of each array.

    tastes: (users, FACTORS) float32, unit rows.
    activity: (users,) float64, above 0, not normalised: how often a user starts a session.
    """

    def __init__(
        self,
        rng: np.random.Generator,
        users: int,
        centres: NDArray[np.float32],
        segments: Segments | None = None,
    ) -> None:
        self._rng, self._segments = rng, segments
        self._centres = centres
        self._ranks = users
        self.tastes: NDArray[np.float32] = np.empty((0, FACTORS), np.float32)
        self.activity: NDArray[np.float64] = np.empty(0, np.float64)
        self._add(rng.permutation(users))

    def __len__(self) -> int:
        return len(self.activity)

    def grow(self, count: int) -> NDArray[np.int64]:
        """Add `count` (at least 0) users; returns their numbers, (count,) int64."""
        first = len(self)
        if count:
            self._add(self._rng.integers(0, self._ranks, count))
        return np.arange(first, first + count)

    def _add(self, ranks: NDArray[np.int64]) -> None:
        """Append one user per activity rank, (count,) integers from 0 for the busiest."""
        kinds, count = len(self._centres), len(ranks)
        if self._segments is None:
            mix = np.sqrt(self._rng.dirichlet(np.full(kinds, _FOCUS), count))
        else:  # a Dirichlet distribution of its own for each user, by gamma variates
            drawn = self._rng.standard_gamma(_FOCUS * self._segments.grow(count)) + _TINY
            mix = np.sqrt(drawn / drawn.sum(axis=1, keepdims=True))
        noise = self._rng.standard_normal((count, FACTORS)) * (_SPREAD / FACTORS**0.5)
        tastes = unit((mix @ self._centres + noise).astype(np.float32))
        self.tastes = np.concatenate([self.tastes, tastes])
        self.activity = np.concatenate([self.activity, zipf_weights(ranks, _ACTIVITY)])

    def visitors(self, count: int, busy: NDArray[np.int64]) -> NDArray[np.int64]:
        """At most `count` different users who start a session, with weights by activity.

        Taking the smallest of Exp(1) / activity draws without replacement (Efraimidis and
        Spirakis, 2006). busy: numbers of the users in a session now, who are not drawn.
        Returns int64 numbers.
        """
        finish = self._rng.standard_exponential(len(self)) / self.activity
        finish[busy] = np.inf
        first = np.argpartition(finish, min(count, len(self) - 1))[:count]
        starters: NDArray[np.int64] = first[np.isfinite(finish[first])]
        return starters

    def drift(self, users: NDArray[np.int64], step: float) -> None:
        """Move the tastes of the given (different) users by a random step of mean length `step`."""
        noise = self._rng.standard_normal((len(users), FACTORS)) * (step / FACTORS**0.5)
        self.tastes[users] = unit((self.tastes[users] + noise).astype(np.float32))

    def swap(self, share: float) -> None:
        """Rotate the tastes among a random share of the users, 0 to 1."""
        chosen = self._rng.permutation(len(self))[: round(share * len(self))]
        self.tastes[chosen] = self.tastes[np.roll(chosen, 1)]
