"""Reads of many requests share one command, and one that fails fails no other's."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import redis

from flink_app.local.ports import free_port
from flink_app.serve.reader import Away, Reader
from flink_app.serve.redis_sources import source
from udfs.errors import ConfigError
from udfs.stores.redis_writer import RedisSettings


def run(where: str | RedisSettings, use: Callable[[Reader], Awaitable[None]]) -> None:
    settings = where if isinstance(where, RedisSettings) else RedisSettings(where, timeout_s=20)

    async def whole() -> None:
        reader = Reader(settings)
        try:
            await use(reader)
        finally:
            await reader.close()

    asyncio.run(whole())


def calls(client: redis.Redis) -> int:
    told: Any = client.info("commandstats")
    return int(told.get("cmdstat_mget", {"calls": 0})["calls"])


def test_what_is_asked_for_together_is_one_command(
    redis_url: str, redis_client: redis.Redis
) -> None:
    redis_client.mset({f"k{n}": str(n) for n in range(50)})
    before = calls(redis_client)

    async def use(reader: Reader) -> None:
        asked = [reader.get([f"k{n}", "none"]) for n in range(50)]
        assert await asyncio.gather(*asked) == [[str(n).encode(), None] for n in range(50)]

    run(redis_url, use)
    assert calls(redis_client) - before == 1


def test_who_stops_waiting_holds_up_nobody(redis_url: str, redis_client: redis.Redis) -> None:
    redis_client.set("a", "1")

    async def use(reader: Reader) -> None:
        gone = asyncio.ensure_future(reader.get(["a"]))
        stays = asyncio.ensure_future(reader.get(["a"]))
        await asyncio.sleep(0)
        gone.cancel()
        assert await stays == [b"1"]
        assert await reader.get(["a"]) == [b"1"]

    run(redis_url, use)


def test_a_reply_that_nobody_waits_for_is_not_taken_for_another(
    redis_url: str, redis_client: redis.Redis
) -> None:
    redis_client.mset({"a": "1", "b": "2"})

    async def use(reader: Reader) -> None:
        probe = asyncio.ensure_future(reader.probe(["a"]))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        probe.cancel()
        assert await reader.get(["b"]) == [b"2"]

    run(redis_url, use)


def test_away_is_said_at_once_and_a_probe_brings_it_back(
    redis_url: str, redis_client: redis.Redis
) -> None:
    async def use(reader: Reader) -> None:
        reader.away = True
        with pytest.raises(Away):
            await reader.get(["a"])
        assert await reader.probe(["a"]) == [None]
        assert await reader.get(["a"]) == [None]

    run(redis_url, use)


def test_a_connection_that_was_cut_is_made_anew(redis_url: str, redis_client: redis.Redis) -> None:
    async def use(reader: Reader) -> None:
        await reader.get(["a"])
        redis_client.client_kill_filter(_type="normal", skipme=True)
        for _ in range(2):  # the first read may find the end of the old connection
            try:
                assert await reader.probe(["a"]) == [None]
                break
            except Away:
                assert reader.away
        assert await reader.probe(["a"]) == [None]

    run(redis_url, use)


@pytest.mark.parametrize("scheme", ["redis", "redis+cluster"])
def test_nobody_there(scheme: str) -> None:
    async def use(reader: Reader) -> None:
        for ask in (reader.get(["a"]), reader.probe(["a"]), reader.call("PING")):
            with pytest.raises(Away):
                await ask

    run(f"{scheme}://127.0.0.1:{free_port()}/0", use)


@pytest.mark.parametrize(
    "url", ["http://x:secret@y", "redis://x:y:z/0", "redis+sentinel://x", "redis+cluster://x:y"]
)
def test_a_url_that_cannot_be_is_said_without_its_password(url: str) -> None:
    with pytest.raises(ConfigError) as told:
        source(RedisSettings(url))
    assert "secret" not in str(told.value)


def test_credentials_of_their_own_go_before_those_of_the_url(
    redis_url: str, redis_client: redis.Redis
) -> None:
    redis_client.acl_setuser(
        "reader", enabled=True, passwords=["+word"], keys=["*"], commands=["+mget", "+hgetall"]
    )
    url = redis_url.replace("//", "//nobody:wrong@")

    async def use(reader: Reader) -> None:
        assert await reader.get(["a"]) == [None]
        assert await reader.call("HGETALL", "stats") == {}

    try:
        run(RedisSettings(url, "reader", "word", timeout_s=20), use)
    finally:
        redis_client.acl_deluser("reader")
