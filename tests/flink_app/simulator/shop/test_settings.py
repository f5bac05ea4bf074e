from __future__ import annotations

import math

import msgspec
import pytest

from flink_app.simulator.shop.settings import ShopSettings
from udfs.errors import ConfigError


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("users", 0),
        ("items", -1),
        ("seed", -1),
        ("popularity", 3.5),
        ("session_views", 0.5),
        ("drift", -0.1),
        ("drift", math.nan),
        ("new_users", 0.2),
        ("new_items", -0.01),
        ("start_ms", -1),
        ("traffic", 0.0),
    ],
)
def test_a_value_out_of_range_is_reported_with_the_range(name: str, value: float) -> None:
    with pytest.raises(ConfigError, match=rf"shop's {name} is .*; it must be (at least|from) \d"):
        msgspec.structs.replace(ShopSettings(), **{name: value})


def test_settings_come_from_a_mapping_and_reject_misspelt_names() -> None:
    assert msgspec.convert({"users": 5, "drift": 0.0}, ShopSettings).users == 5
    with pytest.raises(msgspec.ValidationError, match="user_count"):
        msgspec.convert({"user_count": 5}, ShopSettings)
