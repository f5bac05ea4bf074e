"""The settings of the simulated video platform, for `millirec simulate` and the demo.

In: keyword arguments, or a mapping through `msgspec.convert`. Out: one frozen, checked
`VideoSettings`.
"""

from __future__ import annotations

from typing import ClassVar

from flink_app.simulator.settings import WorldSettings
from udfs.errors import ConfigError

_MOST = 1_000_000_000
"""Users times items, 2 GB."""


class VideoSettings(WorldSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a video platform has beyond `WorldSettings`. Each user takes two bytes of memory for
    each item. Raises ConfigError for a value out of range.

    >>> VideoSettings(users=50, episodes=0.3).session_videos
    3.0
    """

    place: ClassVar[str] = "video platform"

    session_videos: float = 3.0
    """Mean number of videos that are begun in a session, 1 to 100; lengths are geometric."""
    episodes: float = 0.6
    """Share of the items that are episodes of series, 0 to 1; the others are films."""

    def __post_init__(self) -> None:
        WorldSettings.__post_init__(self)
        self.check("session_videos", 1, 100)
        self.check("episodes", 0, 1)
        if self.users * self.items > _MOST:
            raise ConfigError(
                f"The simulated {self.place} has {self.users:,} users and {self.items:,} items; "
                f"what each of them has watched is kept in memory, so let there be at most "
                f"{_MOST // self.items:,} users of so many items."
            )
