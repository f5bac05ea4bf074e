"""Redis goes away: the last lists known, marked stale, then 503, and never a hang."""

from __future__ import annotations

import socket
from pathlib import Path

import httpx
import pytest
import redis

from flink_app.local.ports import free_port
from flink_app.local.redis_server import RedisServer
from flink_app.serve import lists
from tests.flink_app.serve.servers import items, made, serving
from tests.waiting import wait_for


def ready(client: httpx.Client) -> bool:
    return client.get("/health/ready").status_code == 200


def test_the_last_lists_known_are_answered_and_marked(tmp_path: Path) -> None:
    port = free_port()
    store = RedisServer(port, tmp_path)
    with store:
        with redis.Redis.from_url(store.url) as writer:
            writer.set("rec:alice", made("ab", user="alice"))
            writer.set("popular", made("xy"))
        with serving(store.url) as client:
            assert not client.get("/recommend/alice").json()["stale"]
            assert items(client.get("/popular").json()) == "xy"
            store.stop()
            wait_for(lambda: not ready(client))
            own = client.get("/recommend/alice").json()
            assert (own["known"], own["stale"], items(own)) == (True, True, "ab")
            # Whose list was never asked for gets what was popular.
            other = client.get("/recommend/bob").json()
            assert (other["known"], other["stale"], items(other)) == (False, True, "xy")
            many = client.post("/recommend", json={"users": ["bob", "alice"]}).json()["lists"]
            assert [(one["known"], one["stale"]) for one in many] == [(False, True), (True, True)]
            unknown = client.get("/similar/a")
            assert (unknown.status_code, unknown.headers["retry-after"]) == (503, "1")
            assert unknown.json()["type"] == "urn:millirec:problem:redis-away"
            assert client.get("/stats").status_code == 503
            assert client.get("/health/live").status_code == 200
            with RedisServer(port, tmp_path) as again:
                with redis.Redis.from_url(again.url) as writer:
                    writer.set("rec:alice", made("c", user="alice"))
                wait_for(lambda: ready(client))
                fresh = client.get("/recommend/alice").json()
                assert (fresh["stale"], items(fresh)) == (False, "c")


def test_lists_that_are_too_old_are_not_answered(tmp_path: Path) -> None:
    store = RedisServer(folder=tmp_path)
    with store, redis.Redis.from_url(store.url) as writer:
        writer.set("popular", made("xy"))
        with serving(store.url, "serve.stale_s=0") as client:
            assert client.get("/recommend/alice").status_code == 200
            store.stop()
            wait_for(lambda: not ready(client))
            for path in ("/recommend/alice", "/recommend/alice?n=1&explain=false", "/popular"):
                assert client.get(path).status_code == 503


def test_a_redis_that_never_was_there_is_no_hang() -> None:
    with serving(f"redis://127.0.0.1:{free_port()}/0") as client:
        assert client.get("/recommend/alice").status_code == 503
        assert client.get("/health/live").status_code == 200


def test_a_redis_that_accepts_and_says_nothing_is_no_hang() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        with serving(url, "serve.timeout_s=0.1") as client:
            assert client.get("/recommend/alice").status_code == 503


def test_only_so_many_lists_are_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "STALE_LISTS", 1)
    store = RedisServer(folder=tmp_path)
    with store, redis.Redis.from_url(store.url) as writer:
        writer.set("similar:a", made("b", item="a"))
        writer.set("similar:b", made("a", item="b"))
        with serving(store.url) as client:
            for item in "ab":
                assert client.get(f"/similar/{item}").status_code == 200
            store.stop()
            wait_for(lambda: not ready(client))
            assert client.get("/similar/a").status_code == 503
            assert client.get("/similar/b").json()["stale"]
