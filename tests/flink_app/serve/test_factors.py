"""POST /rank: the caller's own candidates, by the factors that the job has learned."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx
import numpy as np
import pytest
import redis

from flink_app.config import load
from flink_app.serve.factors import Factors, Items
from tests.flink_app.serve.servers import serving
from tests.udfs.feeds import append, snapshot
from udfs.events.batch import make_batch
from udfs.feed.writer import FeedWriter
from udfs.learning.learner import Learner
from udfs.state.handles import MemoryRows
from udfs.state.records import item_dtype, pack_factor
from udfs.stores.redis_feed import RedisFeed
from udfs.stores.redis_lists import RedisLists
from udfs.stores.redis_writer import RedisSettings, RedisWriter

NOW = 1_700_000_000_000
ITEMS = [f"i{n}" for n in range(30)]


def learned(url: str) -> Learner:
    """A learner whose items and users' factors are in that Redis, as a job leaves them."""
    config = load(None, ["redis.factors=true", "lists.length=30", "lists.model=mf",
                         "lists.exclude_consumed=false",
                         "model.popularity_half_life_s=86400"], {}).config  # fmt: skip
    learner = Learner(config.settings)
    random = np.random.default_rng(3)
    users = [f"u{n}" for n in random.integers(0, 8, 400)]
    items = [f"i{n}" for n in random.zipf(1.3, 400) % 30]
    batch = make_batch(users, items, np.ones(400), np.ones(400), np.full(400, NOW), [""] * 400, NOW)
    slots = learner.learn(batch, MemoryRows(), MemoryRows(), 0, NOW).slots
    writer = RedisWriter(RedisSettings(url))
    feed = FeedWriter(RedisFeed(writer, ""), 0, NOW, False, 30.0)
    living = learner.catalogue.living_slots()
    snapshot(feed, learner.catalogue)
    append(feed, learner.catalogue, living[:3], NOW)
    made = learner.user_lists(slots, NOW) + learner.shared.updates(NOW, everything=True)
    RedisLists(config.settings, writer).write(made)
    return learner


@pytest.fixture
def learner(redis_url: str) -> Learner:
    return learned(redis_url)


@pytest.fixture
def client(learner: Learner, redis_url: str) -> Iterator[httpx.Client]:
    with serving(redis_url, "redis.factors=true") as client:
        yield client


def rank(client: httpx.Client, user: str, items: list[str], n: int | None = None) -> dict:  # type: ignore[type-arg]
    """The answer, once the server has read the feed."""
    deadline = time.monotonic() + 60
    while True:
        answer = client.post("/rank", json={"user": user, "items": items, "n": n})
        assert answer.status_code == 200, answer.text
        if any(one["known"] for one in answer.json()["items"]):
            return dict(answer.json())
        assert time.monotonic() < deadline, "the server has read no item"


def test_the_order_and_the_scores_are_those_of_the_models_list(client: httpx.Client) -> None:
    listed = client.get("/recommend/u1").json()["items"]
    answer = rank(client, "u1", [one["item"] for one in listed][::-1])
    assert (answer["known"], answer["source"]) == (True, "mf")
    assert [one["item"] for one in answer["items"]] == [one["item"] for one in listed]
    scores = [one["score"] for one in answer["items"]]
    assert scores == pytest.approx([one["score"] for one in listed], abs=2e-4)


def test_strangers_get_the_order_of_popularity(client: httpx.Client) -> None:
    listed = client.get("/popular").json()["items"]
    answer = rank(client, "stranger", [one["item"] for one in listed][::-1])
    assert (answer["known"], answer["source"]) == (False, "popular")
    scores = [one["score"] for one in answer["items"]]
    assert scores == pytest.approx([one["score"] for one in listed], abs=2e-4)


def test_items_that_nobody_knows_come_last_in_their_order(client: httpx.Client) -> None:
    answer = rank(client, "u1", ["new b", "i1", "new a", "i2"])
    assert [one["known"] for one in answer["items"]] == [True, True, False, False]
    assert [one["item"] for one in answer["items"][2:]] == ["new b", "new a"]
    assert len(rank(client, "u1", ["i1", "i2", "i3"], n=2)["items"]) == 2


def test_a_factor_of_another_form_makes_a_stranger(
    client: httpx.Client, redis_client: redis.Redis
) -> None:
    for value in (b"rubbish", pack_factor(np.ones(3, np.float32)), b""):
        redis_client.set("factor:u1", value)
        assert rank(client, "u1", ["i1"])["source"] == "popular"
    redis_client.set("factor:u1", pack_factor(np.full(32, np.nan, np.float32)))
    assert rank(client, "u1", ["i1"])["items"][0]["score"] > 0


def test_without_the_option_the_answer_says_which(redis_url: str) -> None:
    with serving(redis_url) as client:
        answer = client.post("/rank", json={"user": "u", "items": ["i"]})
        assert answer.status_code == 501
        assert "redis.factors" in answer.json()["detail"]


def test_the_replica_follows_the_log_and_leaves_out_what_is_damaged(
    learner: Learner, redis_url: str, redis_client: redis.Redis
) -> None:
    factors = Factors(load(None, [f"redis.url={redis_url}", "redis.factors=true"], {}).config)
    factors.refresh(redis_client)
    known = len(factors.items)
    assert known == learner.catalogue.living
    redis_client.xadd("feed:log", {"rows": b"damaged"})
    redis_client.xadd("feed:log", {"other": b"x"})
    learner.catalogue.slots(["one more"])
    slot = learner.catalogue.find(["one more"])
    writer = RedisWriter(RedisSettings(redis_url))
    feed = FeedWriter(RedisFeed(writer, ""), 0, NOW, False, 30.0)
    append(feed, learner.catalogue, slot, NOW)
    factors.refresh(redis_client)
    assert len(factors.items) == known + 1
    redis_client.flushall()  # an emptied Redis takes nothing away
    factors._read_at = 0.0
    factors.refresh(redis_client)
    assert len(factors.items) == known + 1


def test_a_snapshot_that_is_being_written_takes_nothing_away(
    learner: Learner, redis_url: str, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    factors = Factors(load(None, [f"redis.url={redis_url}", "redis.factors=true"], {}).config)
    factors.refresh(redis_client)
    living = learner.catalogue.living_slots()
    writer = RedisWriter(RedisSettings(redis_url))
    feed = FeedWriter(RedisFeed(writer, ""), 0, NOW + 1, True, 30.0)
    feed.begin(items=True, pairs=True)
    feed.put(learner.catalogue, 0, living[:5], None)
    monkeypatch.setattr("flink_app.serve.factors._UNFINISHED_S", 0.0)
    late = Factors(load(None, [f"redis.url={redis_url}", "redis.factors=true"], {}).config)
    late.refresh(redis_client)
    assert len(late.items) == 5, "who has none takes what there is"
    factors._read_at = 0.0
    factors.refresh(redis_client)
    assert len(factors.items) == len(living)
    feed.put(learner.catalogue, 1, living[5:], None)
    feed.finish({})
    late.refresh(redis_client)
    assert len(late.items) == len(living), "everything is read again soon, not after minutes"


def test_popularity_decays_alike_for_all() -> None:
    rows = np.zeros(3, item_dtype(2))
    rows["popularity"], rows["popularity_at"] = [4.0, 4.0, 0.0], [2000.0, 1000.0, 0.0]
    items = Items(2, half_life_ms=1000.0)
    assert items.by_popularity(["a"]).scores.tolist() == [0.0]
    items.put(["a", "b", "c"], rows)
    found = items.by_popularity(["b", "a", "c", "d"])
    assert found.scores.tolist() == [0.5, 1.0, 0.0, 0.0]
    assert found.known.tolist() == [True, True, True, False]
