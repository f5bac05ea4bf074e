from __future__ import annotations

import pytest

from flink_app.simulator.social.settings import SocialSettings
from udfs.errors import ConfigError


@pytest.mark.parametrize(
    ("name", "value"),
    [("lifetime_s", 0.5), ("session_views", 0), ("follows", 43), ("changes", 1.5), ("users", 0)],
)
def test_values_out_of_range_are_refused(name: str, value: float) -> None:
    with pytest.raises(ConfigError, match=f"simulated social network's {name} is .*; it must be"):
        SocialSettings(**{name: value})  # type: ignore[arg-type]


def test_there_are_as_many_posts_at_first_as_later() -> None:
    s = SocialSettings()
    assert 0.8 < s.items / (s.new_items * s.traffic * s.lifetime_s) < 1.25
