"""Users with segments, on which their tastes depend."""

from __future__ import annotations

import msgspec
import numpy as np

from flink_app.simulator.segments import VALUES, Segments
from flink_app.simulator.shop.settings import ShopSettings
from flink_app.simulator.shop.shop import Shop


def test_each_user_says_who_it_is_once() -> None:
    shop = Shop(ShopSettings(users=20, items=30, profiles=True, new_users=0.1))
    told = [msgspec.json.decode(line) for line in shop.news(5)]
    assert [one["user"] for one in told] == [f"u{k}" for k in range(20)]
    assert {"kind", "user", "ts", "country", "age_band", "attributes"} == told[0].keys()
    assert told[0]["country"] in VALUES["country"]
    assert shop.news(6) == []
    while shop.users == 20:
        shop.advance()
    assert len(shop.news(7)) == shop.users - 20


def test_tastes_depend_on_the_segments() -> None:
    shop = Shop(ShopSettings(users=1500, items=50, profiles=True))
    same, tastes = shop._segments, shop._people.tastes
    assert same is not None
    alike = (same.of[:, None] == same.of[None, :]).all(axis=2)
    np.fill_diagonal(alike, False)
    cosines = tastes @ tastes.T
    assert cosines[alike].mean() > 1.5 * cosines[~alike].mean()


def test_without_profiles_the_shop_is_as_ever() -> None:
    plain = Shop(ShopSettings(users=20, items=30))
    assert plain._segments is None and plain.news(5) == []


def test_preferences_have_the_mean_1() -> None:
    segments = Segments(np.random.default_rng(1), 6)
    liking = segments.grow(100)
    assert liking.shape == (100, 6) and (liking > 0).all()
    np.testing.assert_allclose(liking.mean(axis=1), 1.0)
    assert {*segments.profile(3)} == {*VALUES}
