"""Who the users of the simulated shop are, and what that makes them like.

In: a seeded generator, and how many users come. Out: their segments, how likely each category is to
be among their favourites, and the lines that say who they are.
"""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from flink_app.simulator.truth import zipf_weights

VALUES = {
    "country": ("DE", "FR", "US", "IN", "BR"),
    "age_band": ("18-24", "25-34", "35-49", "50-64"),
    "device": ("phone", "laptop", "tablet"),
}
"""The segments, the commonest value first; the device is an attribute, which has no field."""
_STRENGTH = 1.5  # standard deviation of the logarithm of a preference


class Segments:
    """All users so far; `of` is int64[users, 3], the value of each of `VALUES`."""

    def __init__(self, rng: np.random.Generator, kinds: int) -> None:
        """kinds: how many categories there are."""
        self._rng, self._told = rng, 0
        self.of: NDArray[np.int64] = np.empty((0, len(VALUES)), np.int64)
        self._preferences = [
            np.exp(_STRENGTH * rng.standard_normal((len(values), kinds)))
            for values in VALUES.values()
        ]

    def grow(self, count: int) -> NDArray[np.float64]:
        """Add users; returns how much they prefer each category, (count, kinds) float64, mean 1."""
        shares = [zipf_weights(np.arange(len(values)), 0.7) for values in VALUES.values()]
        drawn = [self._rng.choice(len(p), count, p=p / p.sum()) for p in shares]
        fresh = np.stack(drawn, axis=1)
        self.of = np.concatenate([self.of, fresh])
        liking = np.ones((count, self._preferences[0].shape[1]))
        for column, preferences in enumerate(self._preferences):
            liking *= preferences[fresh[:, column]]
        found: NDArray[np.float64] = liking / liking.mean(axis=1, keepdims=True)
        return found

    def profile(self, user: int) -> dict[str, str]:
        """The segments of a user, by name."""
        row = self.of[user].tolist()
        return {name: values[k] for (name, values), k in zip(VALUES.items(), row, strict=True)}

    def lines(self, now_ms: int) -> list[bytes]:
        """A line about each user who came since the last call, as of that time."""
        first, self._told = self._told, len(self.of)
        return [self._line(user, now_ms) for user in range(first, self._told)]

    def _line(self, user: int, now_ms: int) -> bytes:
        own = self.profile(user)
        device = own.pop("device")
        said = {"kind": "profile", "user": f"u{user}", "ts": now_ms, **own}
        return msgspec.json.encode(said | {"attributes": {"device": device}})
