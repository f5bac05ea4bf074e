"""What a shop says about its items: described once, before their first event; stock comes and
goes; and pictures, vectors and words agree with the truth."""

from __future__ import annotations

import base64
import json
from typing import Any

import msgspec
import numpy as np
import pytest

from flink_app.simulator import Shop, ShopSettings
from flink_app.simulator.shop.drawings import drawing
from flink_app.simulator.shop.names import CATEGORIES
from flink_app.simulator.shop.news import changed

SMALL = ShopSettings(users=400, items=300, seed=4, new_items=0.01, metadata=True, outages=0.01)
NOW = 1_704_067_200_000


def told(shop: Shop) -> list[dict[str, Any]]:
    return [json.loads(line) for line in shop.news(NOW)]


def test_everything_is_described_once_and_then_only_what_changes() -> None:
    shop = Shop(SMALL)
    first = told(shop)
    assert [event["item"] for event in first] == [f"i{number}" for number in range(300)]
    assert all(event["published"] < NOW for event in first)
    assert told(shop) == []
    states: dict[str, bool] = dict.fromkeys((f"i{n}" for n in range(300)), True)
    for _ in range(20):
        shop.advance()
        for event in told(shop):
            if event["item"] in states:
                assert event.keys() == {"kind", "item", "ts", "available"}
                assert states[event["item"]] != event["available"]
            else:
                assert event["published"] == NOW
                assert event["title"] == shop.title(event["item"])
            states[event["item"]] = event["available"]
        assert list(states) == [f"i{number}" for number in range(shop.items)]
        assert list(states.values()) == shop.available.tolist()
    assert not all(states.values())


def test_nobody_views_what_is_out_of_stock() -> None:
    shop = Shop(SMALL)
    earlier = np.empty(0, np.int64)  # sessions go on with what they saw before
    for _ in range(20):
        actions = shop.advance()
        out = np.flatnonzero(~shop.available)
        views = actions.items[(actions.kinds == 0) & ~np.isin(actions.sessions, earlier)]
        assert not np.isin(views, out).any()
        earlier = np.union1d(earlier, actions.sessions)
    assert len(out)


@pytest.mark.parametrize("items", [1, 11, 30])
def test_a_category_never_runs_out(items: int) -> None:
    rng, available = np.random.default_rng(1), np.ones(items, np.bool_)
    for _ in range(200):
        available[changed(rng, available, 5)] ^= True
        assert set(np.flatnonzero(available) % 12) == set(range(min(items, 12)))
    back = changed(rng, available, 0)
    assert not available[back].any()


def test_pictures_and_vectors_are_those_of_the_truth() -> None:
    shop = Shop(msgspec.structs.replace(SMALL, images=True, vectors=True))
    both = told(shop)[7:9]
    for event in both:
        number = int(event["item"][1:])
        kind, look = number % len(CATEGORIES), event["attributes"]["look"]
        png = base64.b64decode(event["image"].removeprefix("data:image/png;base64,"))
        looks = [drawing(kind, one, number) for one in range(20)]
        assert png in looks
        assert look in event["tags"]
        assert event["text"].lower().startswith(event["tags"][2])
        assert event["categories"] == [shop.category(event["item"])]
    affinity = shop.affinity("u5")
    near = np.array([np.array(event["vector"]) for event in both])
    assert np.allclose(np.linalg.norm(near, axis=1), 1.0, atol=1e-3)
    assert affinity.shape == (300,)


def test_prices_differ_within_a_category_and_are_above_nothing() -> None:
    prices = [event["price"] for event in told(Shop(SMALL))]
    assert min(prices) > 1
    assert len(set(prices[::12])) > 15


def test_words_tell_which_of_the_new_items_suit_a_user() -> None:
    shop = Shop(SMALL)
    for _ in range(30):
        shop.advance()
    fresh = np.arange(300, shop.items)
    gains = []
    for user in range(60):
        affinity = shop.affinity(f"u{user}")
        best = shop.item(f"i{int(np.argmax(affinity[:300]))}", NOW)
        alike = np.mean([shop.fit(word)[fresh] for word in best["tags"]], axis=0)
        alike += shop.fit(best["categories"][0])[fresh]
        gains.append(np.corrcoef(alike, affinity[fresh])[0, 1])
    assert np.mean(gains) > 0.2
    np.testing.assert_array_equal(shop.fit(""), np.zeros(shop.items))
