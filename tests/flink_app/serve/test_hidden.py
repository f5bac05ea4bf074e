"""Items that may not be shown are in no answer; other lists are passed on as they are."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import msgspec
import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from flink_app.serve.hidden import Hidden
from tests.flink_app.serve.servers import items, made, serving
from tests.flink_app.serve.test_streams import lists
from udfs.lists.contract import read


@pytest.fixture
def client(redis_url: str, redis_client: redis.Redis) -> Iterator[httpx.Client]:
    redis_client.set("rec:alice", made("abcd", user="alice"))
    redis_client.set("similar:a", made("bc", item="a"))
    redis_client.set("popular", made("xyz"))
    redis_client.set("trending", made("zb"))
    with serving(redis_url) as client:
        yield client


def until(held: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not held():
        assert time.monotonic() < deadline, "it did not become true"
        time.sleep(0.01)


def hide(redis_client: redis.Redis, client: httpx.Client, *ids: str) -> None:
    """Hide items as the job does, and wait until the server knows."""
    redis_client.delete("hidden")
    if ids:
        redis_client.sadd("hidden", *ids)
    redis_client.publish("hidden", "")
    until(lambda: f"millirec_hidden_items {len(ids)}.0" in client.get("/metrics").text)


def test_hidden_items_are_in_no_answer(client: httpx.Client, redis_client: redis.Redis) -> None:
    hide(redis_client, client, "b", "y", "zoë")
    assert items(client.get("/recommend/alice").json()) == "acd"
    assert items(client.get("/recommend/alice?n=2").json()) == "ac"
    assert client.get("/recommend/alice?offset=0&n=5").json()["total"] == 3
    assert items(client.get("/recommend/nobody").json()) == "xz"
    many = client.post("/recommend", json={"users": ["alice", "bob"]}).json()["lists"]
    assert [items(one) for one in many] == ["acd", "xz"]
    assert items(client.get("/similar/a").json()) == "c"
    assert items(client.get("/popular").json()) == "xz"
    assert items(client.get("/trending").json()) == "z"
    assert client.get("/api/recommend/alice").json() == ["a", "c", "d"]
    hide(redis_client, client)
    assert items(client.get("/recommend/alice").json()) == "abcd"


def test_other_lists_are_passed_on_as_they_are(
    client: httpx.Client, redis_client: redis.Redis
) -> None:
    hide(redis_client, client, "y")
    own: Any = redis_client.get("rec:alice")
    assert client.get("/recommend/alice").content == b'{"known":true,"stale":false,' + own[1:]


def test_candidates_that_may_not_be_shown_are_not_ranked(
    redis_url: str, redis_client: redis.Redis
) -> None:
    redis_client.sadd("hidden", "b", "7")
    with serving(redis_url, "redis.factors=true", "events.ids=integers") as client:
        until(lambda: "millirec_hidden_items 2.0" in client.get("/metrics").text)
        body = {"user": "u", "items": ["a", "b", "7.0", "c"]}
        answer = client.post("/rank", json=body).json()
        assert (items(answer), answer["total"]) == ("ac", 2)


def test_what_is_hidden_at_the_start_is_in_no_answer(
    redis_url: str, redis_client: redis.Redis
) -> None:
    redis_client.sadd("hidden", *(f"h{n}" for n in range(5000)), "x")
    redis_client.set("popular", made("xyz"))
    with serving(redis_url) as client:  # it has read the set before it takes requests
        assert items(client.get("/popular").json()) == "yz"


def test_a_stream_follows(client: httpx.Client, redis_client: redis.Redis) -> None:
    with client.stream("GET", "/stream/alice") as response:
        following = lists(response)
        assert next(following) == "abcd"
        hide(redis_client, client, "a")
        assert next(following) == "bcd"


def test_without_a_right_to_the_channel_the_set_is_read(
    redis_url: str, redis_client: redis.Redis
) -> None:
    redis_client.set("popular", made("xyz"))
    rights = "on >s resetkeys ~* resetchannels &rec -@all +get +mget +sscan +subscribe +select"
    redis_client.execute_command("ACL", "SETUSER", "reader", *rights.split())
    try:
        given = redis_url.replace("redis://", "redis://reader:s@")
        with serving(given) as client:
            redis_client.sadd("hidden", "y")
            until(lambda: items(client.get("/popular").json()) == "xz")
            assert client.get("/health/ready").json()["redis"] == "ok"
    finally:
        redis_client.execute_command("ACL", "DELUSER", "reader")


def test_a_key_of_that_name_that_is_no_set_does_no_harm(
    redis_url: str, redis_client: redis.Redis
) -> None:
    redis_client.set("hidden", "mine")
    redis_client.set("popular", made("xyz"))
    with serving(redis_url) as client:
        assert items(client.get("/popular").json()) == "xyz"
        assert client.get("/health/ready").json()["redis"] == "ok"


IDS = st.text(max_size=4)


@given(st.lists(IDS, max_size=6, unique=True), st.frozensets(IDS, max_size=6))
def test_what_is_left_of_a_list(listed: list[str], hidden: frozenset[str]) -> None:
    entries = [{"item": one, "score": 0.5, "why": {"model": "mf"}} for one in listed]
    head = {"user": "u", "id": "x", "at": 1, "v": 1, "source": "mf"}
    value = msgspec.json.encode({**head, "items": entries, "consumed": listed})
    tested = Hidden(None, "")  # type: ignore[arg-type]
    tested.ids = hidden
    left = tested.without(value)
    assert left is not None
    wanted = [one for one in listed if one not in hidden]
    assert [entry.item for entry in read(left).items] == wanted
    assert (left is value) == (wanted == listed)
    assert read(left).consumed == listed


@pytest.mark.parametrize("value", [None, b"", b"no list", b'{"items":[1]}', b"\xff"])
def test_what_is_no_list_stays(value: bytes | None) -> None:
    tested = Hidden(None, "")  # type: ignore[arg-type]
    tested.ids = frozenset("a")
    assert tested.without(value) == value
