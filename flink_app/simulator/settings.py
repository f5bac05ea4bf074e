"""The settings of the simulated shop, for `millirec simulate` and the demo.

In: keyword arguments, or a mapping through `msgspec.convert`. Out: one frozen, checked
`ShopSettings`.
"""

from __future__ import annotations

import math

import msgspec

from udfs.errors import ConfigError

OUTAGES = 0.0005
"""`ShopSettings.outages` of a shop that describes its items, where nobody says otherwise."""


class ShopSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How large the shop is, how it changes, and the seed of its randomness.

    Raises ConfigError for a value out of range.

    >>> ShopSettings(users=50, seed=7).items
    2000
    """

    users: int = 1000
    """Users at the start, at least 1."""
    items: int = 2000
    """Items at the start, at least 1."""
    seed: int = 1
    """Determines the world and everything that happens in it; at least 0."""
    popularity: float = 0.8
    """Zipf exponent of the items' popularity, 0 (all equal) to 3 (a few items dominate)."""
    session_views: float = 8.0
    """Mean number of items viewed in a session, 1 to 100; lengths are geometric."""
    drift: float = 0.05
    """Length of the random step that a user's taste (a unit vector) takes per session, 0 to 1."""
    new_users: float = 0.002
    """Users who arrive per event, 0 to 0.1."""
    new_items: float = 0.001
    """Items that arrive per event, 0 to 0.1."""
    searches: float = 0.0
    """Share of the sessions that begin with a search, 0 to 1."""
    outages: float = 0.0
    """Items that run out of stock per event, 0 to 0.1; they come back after a while."""
    profiles: bool = False
    """Whether users have a country, an age band and a device, on which their tastes depend, and say
    so in the stream, before their first events."""
    metadata: bool = False
    """Whether the shop describes its items in the stream, before the first event of each."""
    images: bool = False
    """Whether descriptions have a small picture."""
    vectors: bool = False
    """Whether descriptions have the item's own vector."""
    start_ms: int = 1_704_067_200_000
    """Start of simulated time in milliseconds since 1970 (1 January 2024)."""
    traffic: float = 50.0
    """Mean events per second of simulated time, above 0."""

    def __post_init__(self) -> None:
        _check("users", self.users, 1, math.inf)
        _check("items", self.items, 1, math.inf)
        _check("seed", self.seed, 0, math.inf)
        _check("popularity", self.popularity, 0, 3)
        _check("session_views", self.session_views, 1, 100)
        _check("drift", self.drift, 0, 1)
        _check("new_users", self.new_users, 0, 0.1)
        _check("new_items", self.new_items, 0, 0.1)
        _check("searches", self.searches, 0, 1)
        _check("outages", self.outages, 0, 0.1)
        _check("start_ms", self.start_ms, 0, math.inf)
        _check("traffic", self.traffic, 1e-6, math.inf)


def _check(name: str, value: float, low: float, high: float) -> None:
    """Raise ConfigError unless value is in low to high; NaN is not."""
    if not low <= value <= high:
        allowed = f"at least {low:g}" if high == math.inf else f"from {low:g} to {high:g}"
        raise ConfigError(f"The simulated shop's {name} is {value:g}; it must be {allowed}.")
