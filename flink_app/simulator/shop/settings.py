"""The settings of the simulated shop, for `millirec simulate` and the demo.

In: keyword arguments, or a mapping through `msgspec.convert`. Out: one frozen, checked
`ShopSettings`.
"""

from __future__ import annotations

from typing import ClassVar

from flink_app.simulator.settings import WorldSettings

OUTAGES = 0.0005
"""`ShopSettings.outages` of a shop that describes its items, where nobody says otherwise."""


class ShopSettings(WorldSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a shop has beyond `WorldSettings`. Raises ConfigError for a value out of range.

    >>> ShopSettings(users=50, seed=7).items
    2000
    """

    place: ClassVar[str] = "shop"

    session_views: float = 8.0
    """Mean number of items viewed in a session, 1 to 100; lengths are geometric."""
    searches: float = 0.0
    """Share of the sessions that begin with a search, 0 to 1."""
    outages: float = 0.0
    """Items that run out of stock per event, 0 to 0.1; they come back after a while."""
    profiles: bool = False
    """Whether users have a country, an age band and a device, on which their tastes depend, and say
    so in the stream, before their first events."""
    images: bool = False
    """Whether descriptions have a small picture."""
    vectors: bool = False
    """Whether descriptions have the item's own vector."""

    def __post_init__(self) -> None:
        WorldSettings.__post_init__(self)
        self.check("session_views", 1, 100)
        self.check("searches", 0, 1)
        self.check("outages", 0, 0.1)
