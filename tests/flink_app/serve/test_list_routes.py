"""Lists over HTTP: whose they are, how much of them, and what Redis holds beside them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.flink_app.serve.servers import items, made, serving


@pytest.fixture
def client(redis_url: str, redis_client: redis.Redis) -> Iterator[httpx.Client]:
    redis_client.set("rec:alice", made("abcd", user="alice"))
    redis_client.set("rec:session:s/1", made("cd", user="session:s/1"))
    redis_client.set("similar:a", made("bc", item="a"))
    redis_client.set("popular", made("xyz"))
    redis_client.set("trending", made("z"))
    with serving(redis_url, "serve.max_batch=10") as client:
        yield client


def test_a_list_is_passed_on_as_it_is(client: httpx.Client, redis_client: redis.Redis) -> None:
    answer = client.get("/recommend/alice")
    assert answer.headers["content-type"] == "application/json"
    assert answer.content == b'{"known":true,"stale":false,' + redis_client.get("rec:alice")[1:]  # type: ignore[operator]


def test_strangers_get_what_is_popular_and_are_told_so(client: httpx.Client) -> None:
    answer = client.get("/recommend/nobody").json()
    assert (answer["known"], answer["user"], items(answer)) == (False, "nobody", "xyz")


@pytest.mark.parametrize("path", ["/recommend/session:s%2F1", "/recommend/session%3As%2F1"])
def test_a_session_without_a_user_has_a_list(client: httpx.Client, path: str) -> None:
    answer = client.get(path).json()
    assert (answer["known"], answer["user"], items(answer)) == (True, "session:s/1", "cd")


@pytest.mark.parametrize("path", ["/recommend/alice", "/recommend/alice?n=2", "/recommend/bob"])
def test_the_shortcut_answers_as_the_framework_does(client: httpx.Client, path: str) -> None:
    # A parameter that says nothing new goes the long way.
    long = client.get(path, params={**httpx.URL(path).params, "explain": "true"})
    assert client.get(path).json() == long.json()


def test_numbers_are_found_in_every_notation(redis_url: str, redis_client: redis.Redis) -> None:
    redis_client.set("rec:1001", made("abcd", user="1001"))
    redis_client.set("similar:7", made("bc", item="7"))
    redis_client.set("item:7", '{"title":"Mug"}')
    redis_client.set("popular", made("xyz"))
    with serving(redis_url, "events.ids=integers") as client:
        for user in ("1001", "1001.0", "01001", "1.001E3"):
            for query in ({}, {"explain": True}):  # the shortcut, and the framework's route
                answer = client.get(f"/recommend/{user}", params=query).json()
                assert (answer["known"], answer["user"]) == (True, "1001")
        lists = client.post("/recommend", json={"users": ["1001.0", "ann"]}).json()["lists"]
        assert [one["known"] for one in lists] == [True, False]
        assert items(client.get("/similar/7.0").json()) == "bc"
        assert client.get("/items", params={"id": "07"}).json() == {
            "items": {"07": {"title": "Mug"}}
        }


def test_less_of_a_list(client: httpx.Client) -> None:
    asked = {"n": 2, "exclude": ["a", "c"], "explain": False}
    answer = client.get("/recommend/alice", params=asked).json()
    assert items(answer) == "bd"
    assert answer["items"][0] == {"item": "b", "score": 0.9}
    assert (answer["id"], answer["source"], answer["v"]) == ("x-1", "ranker", 1)


@given(st.none() | st.integers(1, 6), st.integers(0, 6), st.sets(st.sampled_from("abcdq")))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pages_of_every_list(
    client: httpx.Client, n: int | None, offset: int, exclude: set[str]
) -> None:
    asked = {"offset": offset, "exclude": sorted(exclude), "explain": False}
    asked |= {"n": n} if n else {}
    for path, whole in (
        ("/recommend/alice", "abcd"), ("/recommend/bob", "xyz"), ("/similar/a", "bc"),
        ("/popular", "xyz"), ("/trending", "z"),
    ):  # fmt: skip
        answer = client.get(path, params=asked).json()
        wanted = [item for item in whole if item not in exclude]
        assert items(answer) == "".join(wanted[offset:][:n])
        assert answer["total"] == len(wanted)
    [many] = client.post("/recommend", json={"users": ["alice"], **asked}).json()["lists"]
    assert many == client.get("/recommend/alice", params=asked).json()


@pytest.mark.parametrize("query", ["offset=-1", "offset=x", "offset=100001", "offset="])
def test_an_offset_that_is_none_is_a_problem(client: httpx.Client, query: str) -> None:
    for path in ("/recommend/alice", "/similar/a", "/popular", "/stream/a", "/api/recommend/a"):
        answer = client.get(f"{path}?{query}")
        assert (answer.status_code, "offset" in answer.json()["detail"]) == (422, True)


def test_popular_items_without_what_a_user_has_consumed(
    client: httpx.Client, redis_client: redis.Redis
) -> None:
    own = made("ab", user="alice")[:-1] + b',"consumed":["y","q"]}'
    redis_client.set("rec:alice", own)
    answer = client.get("/popular", params={"user": "alice"}).json()
    assert (answer["known"], answer["user"], items(answer)) == (True, "alice", "xz")
    assert answer["total"] == 2
    less = client.get("/popular", params={"user": "alice", "exclude": "x", "n": 1}).json()
    assert items(less) == "z"
    for path in ("/popular?user=bob", "/recommend/bob"):  # of whom nothing is known
        stranger = client.get(path).json()
        assert (stranger["known"], stranger["user"], items(stranger)) == (False, "bob", "xyz")
    assert client.get("/popular?user=").json()["type"][-6:] == "bad-id"
    assert client.get("/recommend/alice?n=1").json()["consumed"] == ["y", "q"]


def test_many_users_at_once(client: httpx.Client) -> None:
    answer = client.post("/recommend", json={"users": ["bob", "alice"], "n": 1}).json()
    assert [(one["user"], one["known"]) for one in answer["lists"]] == [
        ("bob", False), ("alice", True)
    ]  # fmt: skip
    assert [items(one) for one in answer["lists"]] == ["x", "a"]
    assert client.post("/recommend", json={"users": []}).json() == {"lists": []}


def test_many_users_are_one_command_of_redis(
    client: httpx.Client, redis_client: redis.Redis
) -> None:
    def calls() -> int:
        told: Any = redis_client.info("commandstats")
        return int(told["cmdstat_mget"]["calls"])

    before = calls()
    for _ in range(50):
        client.post("/recommend", json={"users": list("abcdefghij")})
    seen = calls() - before
    assert seen >= 50
    assert seen < 250  # and what is read each second


def test_similar_popular_and_trending(client: httpx.Client) -> None:
    assert items(client.get("/similar/a").json()) == "bc"
    assert items(client.get("/popular", params={"n": 2}).json()) == "xy"
    assert items(client.get("/trending").json()) == "z"
    unknown = client.get("/similar/q")
    assert (unknown.status_code, unknown.json()["type"]) == (
        404,
        "urn:millirec:problem:unknown-item",
    )


def test_before_any_job_has_written_lists_are_empty(redis_url: str) -> None:
    with serving(redis_url) as client:
        for path in ("/recommend/alice", "/popular", "/trending", "/recommend/a?explain=false"):
            answer = client.get(path)
            assert (answer.status_code, answer.json()["items"]) == (200, [])


def test_what_the_shop_says_of_items(client: httpx.Client, redis_client: redis.Redis) -> None:
    redis_client.set("item:a", '{"title":"Kettle","category":"kitchen"}')
    redis_client.set("item:b", "no JSON")
    answer = client.get("/items", params={"id": ["a", "b", "c"]}).json()
    assert answer["items"] == {
        "a": {"title": "Kettle", "category": "kitchen"},
        "b": None,
        "c": None,
    }


def test_stats_are_numbers(client: httpx.Client, redis_client: redis.Redis) -> None:
    redis_client.hset("stats", mapping={"received": "12", "freshness_p50_ms": "31.5"})
    assert client.get("/stats").json() == {"received": 12, "freshness_p50_ms": 31.5}


def test_a_prefix_is_put_before_every_key(redis_url: str, redis_client: redis.Redis) -> None:
    redis_client.set("shop:rec:alice", made("s"))
    redis_client.set("shop:popular", made("p"))
    with serving(redis_url, "redis.prefix=shop:") as client:
        assert items(client.get("/recommend/alice").json()) == "s"
        assert items(client.get("/recommend/bob").json()) == "p"


def test_what_is_no_list_is_a_problem(client: httpx.Client, redis_client: redis.Redis) -> None:
    redis_client.set("rec:odd", "no list")
    answer = client.get("/recommend/odd?n=1")
    assert (answer.status_code, answer.json()["type"]) == (502, "urn:millirec:problem:not-a-list")


def test_the_reference_names_every_route_and_loads_nothing_from_elsewhere(
    client: httpx.Client,
) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    wanted = (
        "/recommend/{user}", "/recommend", "/rank", "/similar/{item}", "/popular", "/events",
        "/stream/{user}", "/health/live", "/health/ready", "/metrics", "/api/recommend/{user}",
        "/api/feedback",
    )  # fmt: skip
    assert set(wanted) <= set(paths)
    page = client.get("/docs").text
    assert "/docs/files/swagger-ui-bundle.js" in page
    assert "https://" not in page
    assert client.get("/docs/files/swagger-ui.css").status_code == 200


def test_metrics_have_routes_and_no_ids(client: httpx.Client) -> None:
    for path in ("/recommend/alice", "/recommend/alice?explain=false", "/nowhere/alice"):
        client.get(path)
    text = client.get("/metrics").text
    row = 'millirec_http_requests_total{method="GET",route="/recommend/{user:id}",status="200"} 2.0'
    assert row in text
    assert 'route="none",status="404"' in text
    assert "millirec_redis_up 1.0" in text
    assert "alice" not in text


def test_json_is_decoded_as_it_was_written(client: httpx.Client) -> None:
    answer = client.get("/recommend/alice?explain=false")
    assert msgspec.json.decode(answer.content)["items"][0]["score"] == 1
    assert b'"score":1.0000' in answer.content
