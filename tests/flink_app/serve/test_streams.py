"""A user's list as a stream: at once, and whenever the job has changed it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import msgspec
import pytest
import redis
from starlette.types import Message

from flink_app.config import load
from flink_app.serve.answers import Wish
from flink_app.serve.lists import Found, Lists
from flink_app.serve.services import Services
from flink_app.serve.streams import Stream
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


OPEN = "millirec_streams "
ENDED = 'millirec_http_requests_total{method="GET",route="/stream/'
FULL = "urn:millirec:problem:too-many-streams"


def figure(client: httpx.Client, name: str) -> int:
    """The sum of a metric over its labels."""
    lines = client.get("/metrics").text.splitlines()
    return sum(int(float(line.split()[-1])) for line in lines if line.startswith(name))


def wait_until(client: httpx.Client, name: str, value: int) -> None:
    deadline = time.monotonic() + 30
    while figure(client, name) != value:
        assert time.monotonic() < deadline
        time.sleep(0.02)


@asynccontextmanager
async def burst(url: httpx.URL, number: int) -> AsyncIterator[Sequence[httpx.Response]]:
    """The answers to that many requests for a stream at the same time; the streams stay open."""
    limits = httpx.Limits(max_connections=None)
    async with (
        httpx.AsyncClient(base_url=url, limits=limits, timeout=20) as client,
        AsyncExitStack() as stack,
    ):
        answers = [client.stream("GET", f"/stream/u{n}") for n in range(number)]
        yield await asyncio.gather(*map(stack.enter_async_context, answers))


def assert_as_many_are_let_in(client: httpx.Client, places: int) -> None:
    async def connect() -> None:
        async with burst(client.base_url, places) as answers:
            assert [one.status_code for one in answers] == [200] * places

    wait_until(client, OPEN, 0)
    asyncio.run(connect())


def test_of_a_burst_only_as_many_streams_are_open_as_the_limit_allows(redis_url: str) -> None:
    async def connect(client: httpx.Client) -> None:
        async with burst(client.base_url, 40) as answers:
            refused = [one for one in answers if one.status_code != 200]
            assert len(answers) - len(refused) == 4
            assert await asyncio.to_thread(figure, client, OPEN) == 4
            for one in refused:
                problem = msgspec.json.decode(await one.aread())
                assert (one.status_code, problem["type"]) == (503, FULL)
                assert one.headers["retry-after"] == "5"

    with serving(redis_url, "serve.max_streams=4") as client:
        for _ in range(3):  # the places are free again
            asyncio.run(connect(client))
            wait_until(client, OPEN, 0)


def test_clients_that_go_before_the_first_byte_give_their_places_back(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Lists.of_users

    async def slow(self: Lists, users: Sequence[str]) -> list[tuple[Found, bool]]:
        await asyncio.sleep(0.05)
        return await found(self, users)

    monkeypatch.setattr(Lists, "of_users", slow)
    with serving(redis_url, "serve.max_streams=4") as client:
        where = client.base_url.host, client.base_url.port
        for turn in range(1, 11):
            with contextlib.ExitStack() as stack:
                for _ in range(4):
                    there = socket.create_connection(where, timeout=20)  # type: ignore[arg-type]
                    stack.enter_context(there)
                    there.sendall(b"GET /stream/a HTTP/1.1\r\nHost: localhost\r\n\r\n")
            wait_until(client, ENDED, 4 * turn)
        assert_as_many_are_let_in(client, 4)


def test_a_stream_that_fails_gives_its_place_back(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(redis_url, "serve.max_streams=1") as client:
        with monkeypatch.context() as patch:
            patch.setattr(Lists, "of_users", lambda *_: 1 / 0)
            for _ in range(3):
                with pytest.raises(httpx.HTTPError):
                    client.get("/stream/a")
        assert_as_many_are_let_in(client, 1)


class _Gone(OSError):
    """The client has gone."""


@pytest.mark.parametrize("after", [0, 1])
def test_a_place_is_given_back_where_sending_fails(redis_url: str, after: int) -> None:
    """After that many messages: the first is the head of the answer, the next the first event."""

    async def check() -> None:
        services = Services(
            load(None, [f"redis.url={redis_url}", "serve.max_streams=1"], {}).config
        )
        await services.start()
        sent = 0

        async def send(message: Message) -> None:
            nonlocal sent
            assert services.streams.count == 1
            if sent == after:
                raise _Gone
            sent += 1

        async def receive() -> Message:
            await asyncio.sleep(3600)
            raise AssertionError

        for _ in range(2):
            sent = 0
            with pytest.raises(_Gone):
                await Stream(services.streams, "a", Wish())({"type": "http"}, receive, send)
            assert services.streams.count == 0
        await services.stop()

    asyncio.run(check())


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
