"""A user's list as a stream: at once, and whenever the job has changed it."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import msgspec
import redis

from tests.flink_app.serve.servers import items, made, serving


def lists(response: httpx.Response) -> Iterator[str]:
    """The items of each list that comes."""
    for line in response.iter_lines():
        if line.startswith("data: "):
            yield items(msgspec.json.decode(line[6:]))


def test_the_list_comes_at_once_and_whenever_it_changes(
    redis_url: str, redis_client: redis.Redis
) -> None:
    redis_client.set("popular", made("xy"))
    with serving(redis_url) as client, client.stream("GET", "/stream/a/b?n=2") as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        following = lists(response)
        assert next(following) == "xy"
        for change in ("abc", "bca", "cab"):
            redis_client.set("rec:a/b", made(change, user="a/b"))
            redis_client.publish("rec", "someone else")
            redis_client.publish("rec", "a/b")
            assert next(following) == change[:2]


def test_a_visitor_who_came_before_the_job_sees_its_first_list(
    redis_url: str, redis_client: redis.Redis
) -> None:
    with serving(redis_url) as client, client.stream("GET", "/stream/a") as response:
        following = lists(response)
        assert next(following) == ""
        redis_client.set("popular", made("xy"))  # of which no channel tells
        assert next(following) == "xy"


def test_a_stream_takes_a_place(redis_url: str) -> None:
    with (
        serving(redis_url, "serve.max_streams=1") as client,
        client.stream("GET", "/stream/a") as response,
    ):
        text = response.iter_text()
        next(text)
        full = client.get("/stream/b")
        assert full.json()["type"] == "urn:millirec:problem:too-many-streams"
        assert "millirec_streams 1.0" in client.get("/metrics").text


def test_a_stream_ends_with_the_server(redis_url: str) -> None:
    with httpx.Client(timeout=20) as other:
        with serving(redis_url) as client:
            request = other.build_request("GET", client.base_url.join("/stream/a"))
            response = other.send(request, stream=True)
            text = response.iter_text()
            next(text)
        assert list(text) == []


def test_line_feeds_in_redis_do_not_end_an_event(redis_url: str, redis_client: redis.Redis) -> None:
    redis_client.set("rec:a", msgspec.json.format(made("ab", user="a"), indent=2))
    with serving(redis_url) as client, client.stream("GET", "/stream/a") as response:
        assert next(lists(response)) == "ab"
