"""Which shopper looks, what they click, and how the next list differs."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import msgspec
import numpy as np
import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from flink_app.demo.rounds import SHOWN, Audience, Round, favourites
from flink_app.simulator import Shop, ShopSettings
from flink_app.simulator.scenarios import scenario
from flink_app.writers.files import DirectoryWriter
from udfs.options.sources import SOURCES

CLICK = {"type": "click"}
LISTS = st.lists(st.integers(0, 30).map(lambda n: f"i{n}"), unique=True, min_size=1, max_size=20)


@given(LISTS, LISTS, st.data())
def test_moves_describe_the_new_list_in_terms_of_the_old(
    before: list[str], after: list[str], data: st.DataObject
) -> None:
    clicked = data.draw(st.sampled_from(before))
    moves = Round("u1", (), clicked, before, after).moves
    assert [move.item for move in moves] == after[:SHOWN]
    assert [move.place for move in moves] == list(range(1, len(moves) + 1))
    old = [item for item in before if item != clicked]
    for move in moves:
        assert move.before == (old.index(move.item) + 1 if move.item in old else None)


@given(LISTS, st.data())
def test_nothing_moves_when_only_the_clicked_item_leaves(
    before: list[str], data: st.DataObject
) -> None:
    clicked = data.draw(st.sampled_from(before))
    after = [item for item in before if item != clicked]
    assert Round("u1", (), clicked, before, after).moved == 0


@pytest.fixture
def shop() -> Shop:
    return Shop(ShopSettings(users=20, items=60, new_users=0.0, new_items=0.0))


def test_favourites_are_the_categories_of_the_items_that_suit_best(shop: Shop) -> None:
    first, second = favourites(shop, "u3")
    affinity = shop.affinity("u3")
    means = {
        kind: np.mean([a for n, a in enumerate(affinity) if shop.category(f"i{n}") == kind])
        for kind in {shop.category(f"i{n}") for n in range(60)}
    }
    assert sorted(means, key=lambda kind: -means[kind])[:2] == [first, second]


def _put(client: redis.Redis, user: str, items: list[str]) -> None:
    entries = [{"item": item, "score": 0.5} for item in items]
    client.set(f"t:rec:{user}", msgspec.json.encode({"source": "mf", "items": entries}))


def test_after_a_click_it_waits_for_the_list_without_the_item(
    shop: Shop, redis_client: redis.Redis, tmp_path: Path
) -> None:
    audience = Audience(shop, CLICK, redis_client, "t:", DirectoryWriter(tmp_path))
    chosen = Round("u3", (), "i1", ["i1", "i2"])

    def job() -> None:
        while not (files := list(tmp_path.glob("[0-9]*.jsonl"))):
            time.sleep(0.005)
        event = msgspec.json.decode(files[0].read_bytes())
        assert (event["user"], event["item"], event["type"]) == ("u3", "i1", "click")
        redis_client.publish("t:rec", "u4")
        _put(redis_client, "u3", ["i1", "i3"])  # of an event before the click
        redis_client.publish("t:rec", "u3")
        time.sleep(0.05)
        _put(redis_client, "u3", ["i3", "i2"])
        redis_client.publish("t:rec", "u3")

    thread = threading.Thread(target=job)
    thread.start()
    done = audience.click(chosen, lambda: None)
    thread.join()
    assert done is not None
    assert done.after == ["i3", "i2"]
    assert done.ms >= 50
    assert audience.clicks == 1


def test_waiting_ends_with_the_exception_of_the_check(
    shop: Shop, redis_client: redis.Redis, tmp_path: Path
) -> None:
    def failed() -> None:
        raise ValueError("the job is gone")

    audience = Audience(shop, CLICK, redis_client, "t:", DirectoryWriter(tmp_path))
    with pytest.raises(ValueError, match="gone"):
        audience.click(Round("u3", (), "i1", ["i1"]), failed)


def test_audience_are_chosen_among_those_with_a_personal_list(
    shop: Shop, redis_client: redis.Redis, tmp_path: Path
) -> None:
    audience = Audience(shop, CLICK, redis_client, "t:", DirectoryWriter(tmp_path))
    assert audience.choose() is None
    best = [f"i{n}" for n in np.argsort(-shop.affinity("u3"))[:20]]
    _put(redis_client, "u3", best)
    chosen = None
    while chosen is None:
        chosen = audience.choose()
    assert (chosen.user, chosen.before) == ("u3", best)
    assert chosen.clicked in best[:SHOWN]


def test_better_lists_earn_more_in_the_comparison(
    shop: Shop, redis_client: redis.Redis, tmp_path: Path
) -> None:
    for user in range(shop.users):
        affinity = shop.affinity(f"u{user}")
        _put(redis_client, f"u{user}", [f"i{n}" for n in np.argsort(-affinity)[:20]])
    redis_client.set(
        "t:popular", msgspec.json.encode({"items": [{"item": f"i{n}"} for n in range(20)]})
    )
    audience = Audience(shop, CLICK, redis_client, "t:", DirectoryWriter(tmp_path))
    audience.compare(300)
    assert audience.looks == 300
    assert audience.earned > 2 * audience.earned_by_popular


def test_newcomers_in_lists_are_told_with_their_reasons(
    redis_client: redis.Redis, tmp_path: Path
) -> None:
    shop = Shop(ShopSettings(users=20, items=60, new_items=0.05))
    while shop.items < 64:
        shop.advance()
    audience = Audience(shop, CLICK, redis_client, "t:", DirectoryWriter(tmp_path))
    assert audience.newcomers() == (shop.items - 60, [])
    for user, item, why in (
        ("u3", "i62", {"model": "item-cf", "because": ["i2"]}),
        ("u4", "i61", {"model": "popular"}),
        ("u5", "i7", {"model": "popular"}),
    ):
        entries = [{"item": item, "score": 0.5, "why": why}]
        value = {"user": user, "source": "ranker", "items": entries}
        redis_client.set(f"t:rec:{user}", msgspec.json.encode(value))
    _, [first, second] = audience.newcomers()
    assert (first.title, first.user, first.reason) == (shop.title("i61"), "u4", "popular now")
    assert (second.title, second.caption) == (shop.title("i62"), shop.caption("i62"))
    assert second.reason == f"like {shop.title('i2')}"


def test_what_a_user_takes_is_told_in_the_scenario_s_words_and_heeded_by_the_world(
    redis_client: redis.Redis, tmp_path: Path
) -> None:
    chosen = scenario("video")
    site = chosen.world(chosen.given(users=20, items=60, episodes=0.8))
    audience = Audience(site, chosen.taken, redis_client, "t:", DirectoryWriter(tmp_path))
    before = site.affinity("u3")

    def failed() -> None:
        raise ValueError("nobody learns here")

    with pytest.raises(ValueError, match="nobody"):
        audience.click(Round("u3", (), "i1", ["i1"]), failed)
    [line] = [line for file in tmp_path.glob("*.jsonl") for line in file.read_bytes().splitlines()]
    event = msgspec.json.decode(line)
    assert (event["type"], event["value"], event["item"]) == ("watch", 0.95, "i1")
    assert site.affinity("u3")[1] < before[1] - 0.5


def test_what_is_published_on_the_page_is_in_lists_and_not_in_the_world(
    shop: Shop, redis_client: redis.Redis, tmp_path: Path
) -> None:
    audience = Audience(shop, CLICK, redis_client, "t:", DirectoryWriter(tmp_path))
    best = [f"i{n}" for n in np.argsort(-shop.affinity("u3"))[:20]]
    listed = ["post-0f", *best[:1], "i60", *best[1:]]
    _put(redis_client, "u3", listed)
    entries = [{"item": item} for item in listed]
    redis_client.set("t:popular", msgspec.json.encode({"items": entries}))
    audience.compare(300)
    assert audience.looks > 0
    chosen = None
    while chosen is None:
        chosen = audience.choose()
    assert chosen.before == best


def test_newcomers_are_like_items_that_the_world_has(
    redis_client: redis.Redis, tmp_path: Path
) -> None:
    shop = Shop(ShopSettings(users=20, items=60, new_items=0.05))
    while shop.items < 62:
        shop.advance()
    audience = Audience(shop, CLICK, redis_client, "t:", DirectoryWriter(tmp_path))
    entries = [
        {"item": "post-0f", "why": {"model": "popular"}},
        {"item": "i60", "why": {"model": "item-cf", "because": ["post-0f", "i2"]}},
        {"item": "i61", "why": {"model": "item-cf", "because": ["post-0f"]}},
    ]
    value = {"user": "u3", "source": "ranker", "items": entries}
    redis_client.set("t:rec:u3", msgspec.json.encode(value))
    _, found = audience.newcomers()
    shown = SOURCES["item-cf"].shown
    assert [one.reason for one in found] == [f"like {shop.title('i2')}", shown]
