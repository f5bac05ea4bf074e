"""One pipeline per batch, through a Redis that stops, restarts or refuses."""

from __future__ import annotations

import pickle
import threading
from pathlib import Path
from typing import Any

import pytest
import redis

from flink_app.local.ports import free_port
from flink_app.local.redis_server import RedisServer
from udfs.errors import ServiceError
from udfs.stores.redis_writer import RedisSettings, RedisWriter


def test_replies_come_in_order_in_one_round_trip(redis_url: str) -> None:
    writer = RedisWriter(RedisSettings(redis_url))
    replies = writer.send([("SET", "a b\n", b"\x00\xff"), ("GET", "a b\n"), ("INCRBY", "n", 5)])
    assert replies == [b"OK", b"\x00\xff", 5]
    assert writer.round_trips == 1
    assert writer.send([]) == []
    assert writer.round_trips == 1


def test_a_large_pipeline_arrives_whole(redis_url: str, redis_client: Any) -> None:
    value = b"x" * 2000
    RedisWriter(RedisSettings(redis_url)).send([("SET", f"k{n}", value) for n in range(5000)])
    assert redis_client.dbsize() == 5000


def test_it_waits_for_a_redis_that_comes_back_and_loses_nothing(tmp_path: Path) -> None:
    pauses: list[float] = []
    port = free_port()
    first = RedisServer(port, tmp_path).__enter__()
    writer = RedisWriter(RedisSettings(first.url), sleep=pauses.append)
    writer.send([("SET", "before", "1")])
    first.stop()
    servers: list[RedisServer] = []

    def sleep(pause: float) -> None:
        pauses.append(pause)
        if len(pauses) == 4:
            servers.append(RedisServer(port, tmp_path).__enter__())

    writer._sleep = sleep
    try:
        assert writer.send([("SET", "after", "2"), ("GET", "after")]) == [b"OK", b"2"]
    finally:
        for server in servers:
            server.stop()
    assert pauses == [0.05, 0.1, 0.2, 0.4]


def test_pauses_grow_to_two_seconds_at_most() -> None:
    pauses: list[float] = []

    def sleep(pause: float) -> None:
        pauses.append(pause)
        if len(pauses) == 9:
            raise InterruptedError

    writer = RedisWriter(RedisSettings(f"redis://127.0.0.1:{free_port()}/0"), sleep=sleep)
    with pytest.raises(InterruptedError):
        writer.send([("PING",)])
    assert pauses == [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0, 2.0]


def test_giving_up_raises_a_message_without_credentials() -> None:
    port = free_port()
    settings = RedisSettings(f"redis://ann:s3cret@127.0.0.1:{port}/2", retry_s=0.2)
    with pytest.raises(ServiceError) as caught:
        RedisWriter(settings).send([("PING",)])
    text = str(caught.value)
    assert f"Redis at redis://127.0.0.1:{port}/2 has not taken a write for 0.2 s" in text
    assert "Start it or correct redis.url" in text
    for hidden in ("s3cret", "ann"):
        assert hidden not in text
        assert hidden not in repr(settings)


def test_an_error_of_one_command_is_not_ignored(redis_url: str, redis_client: Any) -> None:
    """For example, another kind of value under a key: the other commands are still carried out,
    and once it is removed, the whole pipeline is."""
    redis_client.set("rec:ann", "text")
    tries: list[float] = []

    def sleep(pause: float) -> None:
        tries.append(pause)
        redis_client.delete("rec:ann")

    writer = RedisWriter(RedisSettings(redis_url), sleep=sleep)
    assert writer.send([("SET", "a", "1"), ("LPUSH", "rec:ann", "x"), ("SET", "b", "2")])
    assert len(tries) == 1
    assert redis_client.mget("a", "b") == [b"1", b"2"]
    assert writer.send([("GET", "a")]) == [b"1"], "replies still match their commands"


def test_a_hanging_redis_is_abandoned_after_the_timeout(redis_url: str) -> None:
    settings = RedisSettings(redis_url, timeout_s=0.1, retry_s=0.3)
    writer = RedisWriter(settings)
    with redis.Redis.from_url(redis_url) as other:
        other.client_pause(1500)
        with pytest.raises(ServiceError, match="has not taken a write"):
            writer.send([("SET", "a", "1")])
        other.execute_command("CLIENT UNPAUSE")
    assert writer.send([("SET", "a", "1")]) == [b"OK"]


def test_username_and_password_override_those_of_the_url() -> None:
    client = RedisSettings("redis://a:old@h:1/3", "b", "new", timeout_s=7).client()
    options = client.connection_pool.connection_kwargs
    assert (options["username"], options["password"], options["db"]) == ("b", "new", 3)
    assert options["socket_timeout"] == options["socket_connect_timeout"] == 7
    options = RedisSettings("redis://a:old@h:1/3").client().connection_pool.connection_kwargs
    assert (options["username"], options["password"]) == ("a", "old")


def test_a_required_password_is_sent(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.config_set("requirepass", "n@w /#")
        try:
            writer = RedisWriter(RedisSettings(redis_url, password="n@w /#"))
            assert writer.send([("PING",)]) == [b"PONG"]
            with pytest.raises(ServiceError) as caught:
                RedisWriter(RedisSettings(redis_url, password="wr0ng", retry_s=0)).send([("PING",)])
            assert "wr0ng" not in str(caught.value)
        finally:
            client.config_set("requirepass", "")


def test_rediss_means_tls() -> None:
    pool = RedisSettings("rediss://h:1/0").client().connection_pool
    assert pool.connection_class is redis.SSLConnection


@pytest.mark.parametrize(
    "url", ["", "h:1", "http://ann:s3cret@h", "redis://ann:s3c#ret@h:1", "redis://ann:s3c/ret@h:1"]
)
def test_an_invalid_url_is_refused_without_showing_its_password(url: str) -> None:
    with pytest.raises(ServiceError, match=r"redis\.url is not one") as caught:
        RedisWriter(RedisSettings(url))
    assert "s3c" not in str(caught.value)


def test_settings_travel_to_the_operators() -> None:
    settings = pickle.loads(pickle.dumps(RedisSettings("redis://h:1/0", prefix="shop:")))
    assert (settings.address, settings.prefix) == ("redis://h:1/0", "shop:")


def test_the_address_has_no_credentials() -> None:
    assert RedisSettings("rediss://ann:s3cret@h/2").address == "rediss://h:6379/2"
    assert (
        RedisSettings("unix://ann:s3cret@/run/redis.sock?db=1").address == "unix:///run/redis.sock"
    )


def test_threads_share_no_replies(redis_url: str) -> None:
    writer = RedisWriter(RedisSettings(redis_url))
    wrong: list[int] = []

    def work(number: int) -> None:
        for _ in range(50):
            if writer.send([("ECHO", number)] * 5) != [str(number).encode()] * 5:
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
