"""The settings that all simulated worlds share, for `millirec simulate` and the demo.

In: keyword arguments, or a mapping through `msgspec.convert`. Out: one frozen, checked
`WorldSettings`, of the world's own class.
"""

from __future__ import annotations

import math
from typing import ClassVar

import msgspec

from udfs.errors import ConfigError


class WorldSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How large a world is, how it changes, and the seed of its randomness.

    Raises ConfigError for a value out of range.
    """

    place: ClassVar[str] = "world"
    """What messages call it: the simulated shop."""

    users: int = 1000
    """Users at the start, at least 1."""
    items: int = 2000
    """Items at the start, at least 1."""
    seed: int = 1
    """Determines the world and everything that happens in it; at least 0."""
    popularity: float = 0.8
    """Zipf exponent of the items' popularity, 0 (all equal) to 3 (a few items dominate)."""
    drift: float = 0.05
    """Length of the random step that a user's taste (a unit vector) takes per session, 0 to 1."""
    new_users: float = 0.002
    """Users who arrive per event, 0 to 0.1."""
    new_items: float = 0.001
    """Items that arrive per event, 0 to 0.1."""
    metadata: bool = False
    """Whether the world describes its items in the stream, before the first event of each."""
    start_ms: int = 1_704_067_200_000
    """Start of simulated time in milliseconds since 1970 (1 January 2024)."""
    traffic: float = 50.0
    """Mean events per second of simulated time, above 0."""

    def __post_init__(self) -> None:
        self.check("users", 1)
        self.check("items", 1)
        self.check("seed", 0)
        self.check("popularity", 0, 3)
        self.check("drift", 0, 1)
        self.check("new_users", 0, 0.1)
        self.check("new_items", 0, 0.1)
        self.check("start_ms", 0)
        self.check("traffic", 1e-6)

    def check(self, name: str, low: float, high: float = math.inf) -> None:
        """Raise ConfigError unless the setting is in low to high; NaN is not."""
        value = getattr(self, name)
        if not low <= value <= high:
            allowed = f"at least {low:g}" if high == math.inf else f"from {low:g} to {high:g}"
            raise ConfigError(
                f"The simulated {self.place}'s {name} is {value:g}; it must be {allowed}."
            )
