"""Who follows whom in the simulated network: like follows like, and the famous; it changes.

In: a seeded generator, tastes. Out: the authors that each user follows, and lines that say so:
`{"kind":"profile","user":"u5","ts":…,"follows":["author:u3"]}`.
"""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from flink_app.simulator.truth import zipf_weights

_ALIKE = 5.0  # inverse temperature: like tastes are followed
_AT_ONCE = 256  # users who choose at once, each of whom looks at all others
_encode = msgspec.json.Encoder().encode


class Follows:
    """The graph.

    Args:
        mean: whom a user follows in the mean. exponent: of Zipf's law of fame.

    Attributes:
        of: the authors that each user follows, ascending, a list of int64 arrays.
        fame: (users,) float64 in 0 to 1, how well known each is.
    """

    def __init__(self, rng: np.random.Generator, mean: int, exponent: float) -> None:
        self._rng, self._mean, self._exponent = rng, mean, exponent
        self.of: list[NDArray[np.int64]] = []
        self.fame: NDArray[np.float64] = np.empty(0)
        self._changed: set[int] = set()

    def grow(self, tastes: NDArray[np.float32]) -> None:
        """Let those users follow somebody who are new: (users, FACTORS) float32, all tastes."""
        first, users = len(self.of), len(tastes)
        ranks = self._rng.permutation(users)[: users - first]
        self.fame = np.concatenate([self.fame, zipf_weights(ranks, self._exponent)])
        for begin in range(first, users, _AT_ONCE):
            new = np.arange(begin, min(begin + _AT_ONCE, users))
            numbers = self._rng.integers(self._mean // 2, self._mean * 3 // 2 + 1, len(new))
            numbers = np.minimum(numbers, users - 1)
            for user, chosen, count in zip(
                new.tolist(), self._ranked(new, tastes), numbers.tolist(), strict=True
            ):
                self.of.append(np.sort(chosen[:count]))
                self._changed.add(user)

    def _ranked(self, users: NDArray[np.int64], tastes: NDArray[np.float32]) -> NDArray[np.int64]:
        """All others in the order in which each of these users would follow them, by chance with
        weights fame · exp(5 taste · taste): (n, users) int64, themselves last."""
        weights = self.fame * np.exp(_ALIKE * (tastes[users] @ tastes.T).astype(np.float64))
        race = self._rng.standard_exponential(weights.shape) / weights
        race[np.arange(len(users)), users] = np.inf
        order: NDArray[np.int64] = np.argsort(race, axis=1)
        return order

    def change(self, users: NDArray[np.int64], share: float, tastes: NDArray[np.float32]) -> None:
        """Let a share of these users follow somebody else instead of the one least like them."""
        for user in users[self._rng.random(len(users)) < share].tolist():
            own = self.of[user]
            if not len(own):
                continue
            left = np.delete(own, np.argmin(tastes[own] @ tastes[user]))
            (order,) = self._ranked(np.array([user]), tastes)
            found = order[~np.isin(order, [*own.tolist(), user])]
            self.of[user] = np.sort(np.concatenate([left, found[:1]]))
            self._changed.add(user)

    def followed(self, users: NDArray[np.int64], authors: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether each user, (n,) int64, follows the authors of a row of (n, k) int64; (n, k)."""
        found, mark = np.zeros(authors.shape, np.bool_), np.zeros(len(self.of), np.bool_)
        for row, user in enumerate(users.tolist()):
            mark[self.of[user]] = True
            found[row] = mark[authors[row]]
            mark[self.of[user]] = False
        return found

    def lines(self, now_ms: int) -> list[bytes]:
        """A line about each user whose follows have changed since the last call."""
        changed, self._changed = sorted(self._changed), set()
        return [self._line(user, now_ms) for user in changed]

    def _line(self, user: int, now_ms: int) -> bytes:
        follows = [f"author:u{author}" for author in self.of[user].tolist()]
        return _encode({"kind": "profile", "user": f"u{user}", "ts": now_ms, "follows": follows})
