"""A list by a filter: only what meets it, in order, and as long as was asked for."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest
import redis

from tests.flink_app.serve.servers import items, made, serving

KITCHEN = 'category == "kitchen"'


@pytest.fixture
def client(redis_url: str, redis_client: redis.Redis) -> Iterator[httpx.Client]:
    described(redis_client, kitchen="bdfhjlnprtvxz", garden="acegikmoqsuwy")
    redis_client.set("rec:alice", made("abcd", user="alice"))
    redis_client.set("kept:alice", made("efgh", user="alice"))
    redis_client.set("popular", made("xyz"))
    redis_client.set("popular:kitchen", made("ztx"))
    redis_client.set("trending", made("zy"))
    redis_client.set("trending:kitchen", made("zv"))
    redis_client.set("similar:a", made("bc", item="a"))
    with serving(redis_url, "lists.length=5", "lists.kept=4") as client:
        yield client


def described(redis_client: redis.Redis, **categories: str) -> None:
    """Say what items are: the later in the alphabet, the dearer."""
    for category, names in categories.items():
        for name in names:
            fields = {"title": name.upper(), "categories": [category], "price": float(ord(name))}
            redis_client.set(f"item:{name}", msgspec.json.encode(fields))


def filtered(client: httpx.Client, path: str, text: str, **asked: Any) -> Any:
    answer = client.get(path, params={"filter": text, **asked})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_list_is_as_long_as_was_asked_for(client: httpx.Client) -> None:
    assert items(filtered(client, "/recommend/alice", KITCHEN, n=1)) == "b"
    assert items(filtered(client, "/recommend/alice", KITCHEN, n=3)) == "bdf"
    assert items(filtered(client, "/recommend/alice", KITCHEN)) == "bdfhz"  # lists.length
    assert items(filtered(client, "/recommend/alice", KITCHEN, n=9)) == "bdfhztx"
    assert items(filtered(client, "/recommend/alice", KITCHEN, n=2, offset=3)) == "hz"
    answer = filtered(client, "/recommend/alice", KITCHEN, n=3)
    assert (answer["known"], answer["user"], answer["total"]) == (True, "alice", 4)
    # A parameter that says nothing new goes through the framework.
    assert answer == filtered(client, "/recommend/alice", KITCHEN, n=3, explain="true")
    assert answer["items"][0] == {"item": "b", "score": 0.9, "why": {"model": "mf"}}


def test_what_follows_has_lower_scores(client: httpx.Client) -> None:
    answer = filtered(client, "/recommend/alice", KITCHEN, n=9, explain=False)
    scores = [entry["score"] for entry in answer["items"]][4:]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 0.7 for score in scores)
    assert "why" not in answer["items"][-1]


def test_strangers_get_what_is_popular_and_meets_it(client: httpx.Client) -> None:
    answer = filtered(client, "/recommend/bob", KITCHEN)
    assert (answer["known"], answer["user"], items(answer)) == (False, "bob", "xzt")
    answer = filtered(client, "/recommend/bob", 'category == "garden"')
    assert items(answer) == "y"


def test_items_that_the_user_has_consumed_do_not_come_back(
    client: httpx.Client, redis_client: redis.Redis
) -> None:
    own = made("ab", user="alice")[:-1] + b',"consumed":["z","x"]}'
    redis_client.set("rec:alice", own)
    assert items(filtered(client, "/recommend/alice", KITCHEN)) == "bfht"
    assert items(filtered(client, "/popular", KITCHEN, user="alice")) == "t"


def test_hidden_and_excluded_items_are_left_out(
    redis_url: str, redis_client: redis.Redis, client: httpx.Client
) -> None:
    redis_client.sadd("hidden", "b", "z", "h")
    with serving(redis_url, "lists.kept=20") as client:
        answer = filtered(client, "/recommend/alice", KITCHEN, exclude=["d"])
        assert items(answer) == "ftx"


def test_what_follows_is_read_once_for_the_requests_of_a_while(
    client: httpx.Client, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kept_s, expected in ((1_000.0, "ztx"), (-1.0, "zvx")):
        monkeypatch.setattr("flink_app.serve.filters.KEPT_S", kept_s)
        redis_client.set("popular:kitchen", made("ztx"))
        redis_client.set("popular", made("xz"))
        assert items(filtered(client, "/recommend/alice", KITCHEN, n=9)) == "bdfhztx"
        redis_client.set("popular:kitchen", made("zv"))
        assert items(filtered(client, "/recommend/alice", KITCHEN, n=9))[4:] == expected


def test_many_users_at_once(client: httpx.Client) -> None:
    body = {"users": ["alice", "bob"], "n": 3, "filter": KITCHEN}
    lists = client.post("/recommend", json=body).json()["lists"]
    assert [items(one) for one in lists] == ["bdf", "xzt"]
    assert lists[0] == filtered(client, "/recommend/alice", KITCHEN, n=3)


def test_other_lists(client: httpx.Client) -> None:
    assert items(filtered(client, "/popular", KITCHEN)) == "xzt"
    assert items(filtered(client, "/trending", KITCHEN)) == "zv"
    assert items(filtered(client, "/similar/a", KITCHEN)) == "b"
    assert client.get("/similar/q", params={"filter": KITCHEN}).status_code == 404


def test_a_condition_may_name_the_time_the_user_and_the_item(
    client: httpx.Client, redis_client: redis.Redis
) -> None:
    now = time.time_ns() // 1_000_000
    for name, published in (("a", now - 1000), ("b", now + 3_600_000)):
        fields = {"published": published, "attributes": {"for": ["alice"]}}
        redis_client.set(f"item:{name}", msgspec.json.encode(fields))
    redis_client.set("rec:carol", made("abcd", user="carol"))
    assert items(filtered(client, "/recommend/alice", "published < now")) == "a"
    body = {"users": ["alice", "carol"], "filter": 'user in attributes["for"]'}
    lists = client.post("/recommend", json=body).json()["lists"]
    assert [items(one) for one in lists] == ["ab", ""]
    assert items(filtered(client, "/recommend/alice", 'item == "c"')) == "c"


def test_changed_fields_are_seen(client: httpx.Client, redis_client: redis.Redis) -> None:
    assert items(filtered(client, "/trending", "price < 1.0")) == ""
    redis_client.set("item:z", '{"price":0.5}')
    deadline = time.monotonic() + 30
    while items(filtered(client, "/trending", "price < 1.0")) != "z":
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("text", ["prise < 20", "price <", "price", "1 + 1", "x" * 20_000])
def test_a_filter_that_is_none_is_a_problem(client: httpx.Client, text: str) -> None:
    for path in ("/recommend/alice", "/popular", "/trending", "/similar/a", "/stream/alice"):
        answer = client.get(path, params={"filter": text})
        assert answer.status_code == 400
        assert answer.json()["type"] == "urn:millirec:problem:bad-filter"
    body = {"users": ["alice"], "filter": text}
    assert client.post("/recommend", json=body).status_code == 400
    if text == "prise < 20":
        assert "did you mean price?" in answer.json()["detail"]


def test_without_fields_nothing_meets_a_condition(
    client: httpx.Client, redis_client: redis.Redis
) -> None:
    redis_client.set("item:a", "no JSON")
    redis_client.delete("item:b")
    assert items(filtered(client, "/recommend/alice", "price > 0.0", n=1)) == "c"


def test_what_is_no_list_is_a_problem(client: httpx.Client, redis_client: redis.Redis) -> None:
    redis_client.set("kept:alice", "no list")
    answer = client.get("/recommend/alice", params={"filter": KITCHEN})
    assert (answer.status_code, answer.json()["type"]) == (502, "urn:millirec:problem:not-a-list")


def test_a_stream_by_a_filter(client: httpx.Client, redis_client: redis.Redis) -> None:
    with client.stream("GET", "/stream/alice", params={"filter": KITCHEN, "n": 2}) as response:
        lines = (line for line in response.iter_lines() if line.startswith("data: "))
        assert items(msgspec.json.decode(next(lines)[6:])) == "bd"
        redis_client.set("rec:alice", made("dcb", user="alice"))
        redis_client.publish("rec", "alice")
        assert items(msgspec.json.decode(next(lines)[6:])) == "db"


def test_a_request_is_few_commands_of_redis(
    client: httpx.Client, redis_client: redis.Redis
) -> None:
    def calls() -> int:
        told: Any = redis_client.info("commandstats")
        return int(told["cmdstat_mget"]["calls"])

    before = calls()
    for _ in range(50):
        filtered(client, "/recommend/alice", KITCHEN, n=9)
    assert calls() - before < 50 * 2 + 100  # and what is read each second
