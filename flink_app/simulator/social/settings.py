"""The settings of the simulated social network, for `millirec simulate` and the demo.

In: keyword arguments, or a mapping through `msgspec.convert`. Out: one frozen, checked
`SocialSettings`.
"""

from __future__ import annotations

from typing import ClassVar

from flink_app.simulator.settings import WorldSettings


class SocialSettings(WorldSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How large the network is, how it changes, and the seed of its randomness.

    At first there are as many posts as there will always be: of 0.01 new ones per event, at 2
    events a second, those of the last twelve hours are 864.

    Raises ConfigError for a value out of range.

    >>> SocialSettings(users=50, lifetime_s=3600.0).items
    800
    """

    place: ClassVar[str] = "social network"

    items: int = 800
    """Posts at the start, at least 1."""
    new_items: float = 0.01
    """Posts that are written per event, 0 to 0.1."""
    new_users: float = 0.0005
    """Users who arrive per event, 0 to 0.1."""
    metadata: bool = True
    """Whether posts are described in the stream: without that, nothing says when they are over."""
    traffic: float = 2.0
    """Mean events per second of simulated time, above 0."""
    lifetime_s: float = 43_200.0
    """For how long a post is shown in the mean, in seconds, at least 1; from half of it to one and
    a half times as long."""
    session_views: float = 8.0
    """Mean number of posts viewed in a session, 1 to 100; lengths are geometric."""
    follows: int = 12
    """Whom a user follows in the mean, 0 to 42; from half of it to one and a half times as many, of
    which a line about a user names 64 at most."""
    changes: float = 0.1
    """How often a user follows somebody else instead of one of these, per session, 0 to 1."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check("lifetime_s", 1)
        self.check("session_views", 1, 100)
        self.check("follows", 0, 42)
        self.check("changes", 0, 1)
