from __future__ import annotations

import msgspec
import pytest

from flink_app.simulator.video.settings import VideoSettings
from udfs.errors import ConfigError


@pytest.mark.parametrize(
    ("name", "value"), [("users", 0), ("session_videos", 0.5), ("episodes", 1.5), ("drift", -1)]
)
def test_a_value_out_of_range_is_reported_with_the_range(name: str, value: float) -> None:
    message = rf"video platform's {name} is .*; it must be (at least|from) \d"
    with pytest.raises(ConfigError, match=message):
        msgspec.structs.replace(VideoSettings(), **{name: value})


def test_a_platform_that_would_not_fit_into_memory_is_refused() -> None:
    with pytest.raises(ConfigError, match="at most 1,000 users of so many items"):
        VideoSettings(users=1001, items=1_000_000)
