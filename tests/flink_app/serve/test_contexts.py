"""Lists for somebody of whom only a context is known, asked for with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import redis

from flink_app.local.redis_server import RedisServer
from tests.flink_app.serve.servers import items, made, serving
from tests.waiting import wait_for

NEW = "/recommend/new"
GERMAN = f"{NEW}?country=DE"


@pytest.fixture
def client(redis_url: str, redis_client: redis.Redis) -> Iterator[httpx.Client]:
    filled(redis_client)
    with serving(redis_url, "lists.length=4") as client:
        yield client


def filled(redis_client: redis.Redis) -> None:
    redis_client.set("rec:alice", made("mn", user="alice"))
    redis_client.set("segment:country:DE", made("abc", segment="country:DE"))
    redis_client.set("segment:device:phone", made("bd", segment="device:phone"))
    redis_client.set("segment:job:nurse", made("n", segment="job:nurse"))
    redis_client.set("segment:all", made("e", segment="all"))
    redis_client.set("popular", made("xa"))


def test_a_stranger_gets_what_such_users_begin_with(client: httpx.Client) -> None:
    answer = client.get(GERMAN).json()
    assert (answer["known"], answer["stale"], answer["user"]) == (False, False, "new")
    assert (answer["source"], answer["v"], items(answer)) == ("segments", 1, "abcx")
    assert answer["at"] == 1795548161115 and answer["id"] == f"{answer['at']:x}"
    assert answer["items"][0] == {"item": "a", "score": 1.0, "why": {"model": "mf"}}
    both = client.get(f"{GERMAN}&device=phone").json()
    assert items(both)[0] == "b", "in both lists"
    scores = [entry["score"] for entry in both["items"]]
    assert scores == sorted(scores, reverse=True)


def test_a_user_with_a_list_gets_that(client: httpx.Client) -> None:
    plain = client.get("/recommend/alice").content
    assert client.get("/recommend/alice?country=DE").content == plain


def test_without_a_list_of_a_segment_all_users_count(client: httpx.Client) -> None:
    assert items(client.get("/recommend/new?country=XX").json()) == "exa"


def test_no_context_and_no_lists_of_segments_mean_what_is_popular(
    client: httpx.Client, redis_client: redis.Redis
) -> None:
    assert items(client.get("/recommend/new?country=").json()) == "xa"
    redis_client.delete("segment:all", "segment:country:DE")
    answer = client.get(GERMAN)
    assert answer.content == client.get("/recommend/new").content


def test_the_other_parameters_hold(client: httpx.Client) -> None:
    answer = client.get(f"{GERMAN}&n=1&offset=1&exclude=a&explain=false").json()
    assert answer["items"] == [{"item": "c", "score": 0.8}]
    assert answer["total"] == 3


def test_many_strangers_of_one_context(client: httpx.Client) -> None:
    body = {"users": ["new", "alice"], "context": {"country": "DE", "job": "nurse"}}
    new, alice = client.post("/recommend", json=body).json()["lists"]
    assert (new["known"], set(items(new))) == (False, set("anbc"))
    assert (alice["known"], items(alice)) == (True, "mn")


def test_a_filter_chooses_from_these_lists_too(
    client: httpx.Client, redis_client: redis.Redis
) -> None:
    for item in "bcx":
        redis_client.set(f"item:{item}", '{"price":1}')
    answer = client.get(NEW, params={"country": "DE", "filter": "price < 2"}).json()
    assert (answer["known"], items(answer)) == (False, "bcx")
    body = {"users": ["new"], "context": {"device": "phone"}, "filter": "price < 2"}
    [many] = client.post("/recommend", json=body).json()["lists"]
    assert items(many) == "bx"


def test_hidden_items_are_left_out(redis_url: str, redis_client: redis.Redis) -> None:
    filled(redis_client)
    redis_client.sadd("hidden", "a")
    with serving(redis_url) as client:
        assert items(client.get(GERMAN).json()) == "bcx"


@pytest.mark.parametrize(
    ("context", "slug"),
    [
        ({f"f{n}": "x" for n in range(9)}, "invalid-request"),
        ({"country": "x" * 600}, "bad-id"),
        ({"country": 7}, "invalid-request"),
    ],
)
def test_a_context_that_is_none_is_a_problem(
    client: httpx.Client, context: dict[str, object], slug: str
) -> None:
    answer = client.post("/recommend", json={"users": ["new"], "context": context})
    assert answer.status_code == 422
    assert answer.json()["type"] == f"urn:millirec:problem:{slug}"


def test_a_broken_list_is_passed_over(client: httpx.Client, redis_client: redis.Redis) -> None:
    redis_client.set("segment:country:DE", "no list")
    assert items(client.get("/recommend/new?country=DE&device=phone").json()) == "bdxa"


def test_while_redis_is_away_strangers_get_what_is_remembered(tmp_path: Path) -> None:
    store = RedisServer(folder=tmp_path)
    with store, redis.Redis.from_url(store.url) as writer:
        filled(writer)
        with serving(store.url, "lists.length=4") as client:
            assert items(client.get(GERMAN).json()) == "abcx"
            store.stop()
            wait_for(lambda: client.get("/health/ready").status_code == 503)
            again = client.get(GERMAN).json()
            assert (again["stale"], items(again)) == (True, "abcx")
            other = client.get("/recommend/new?device=phone").json()
            assert (other["stale"], items(other)[-1]) == (True, "a")
