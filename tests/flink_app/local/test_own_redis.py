"""Where lists are looked up if no Redis is configured, and what every lookup does then."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis

from flink_app.config import Loaded, load
from flink_app.local import own_redis
from flink_app.local.kept_redis import KeptRedis
from flink_app.local.ports import free_port
from flink_app.local.redis_server import answers
from tests.documents import ROOT
from tests.flink_app.serve.servers import made
from tests.waiting import wait_for
from udfs.errors import ServiceError


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No other run of this machine is found, and nothing stays open."""
    monkeypatch.setattr(own_redis, "EMBEDDED_PORT", free_port())
    monkeypatch.chdir(tmp_path)
    yield
    for kept in own_redis._held.values():
        kept.leave()
    own_redis._held.clear()


def loaded(*settings: str) -> Loaded:
    return load(None, settings, {})


def ended_run(**values: bytes | str) -> Path:
    """A run that has ended; returns the folder of its lists."""
    folder = Path(".millirec/redis")
    with KeptRedis(folder) as run, redis.Redis.from_url(run.url) as client:
        assert run.claim()
        client.mset({"item:x": "{}"} | values)
        client.hset("stats", "at", 1)
        assert run.save() == ""
    return folder


def test_nothing_is_started_where_nothing_is() -> None:
    assert own_redis.with_own_redis(loaded()) == loaded()
    assert not Path(".millirec").exists()


def test_a_configured_redis_goes_first() -> None:
    ended_run()
    named = loaded("redis.url=redis://cache")
    assert own_redis.with_own_redis(named) is named


def test_a_run_elsewhere_that_runs_now_is_found() -> None:
    with socket.create_server(("127.0.0.1", vars(own_redis)["EMBEDDED_PORT"])):
        found = own_redis.with_own_redis(loaded())
    assert found.config.redis.url == f"redis://127.0.0.1:{vars(own_redis)['EMBEDDED_PORT']}/0"


def test_an_ended_run_of_this_folder_goes_before_it_and_says_its_age() -> None:
    ended_run(popular="1")
    said: list[str] = []
    with socket.create_server(("127.0.0.1", vars(own_redis)["EMBEDDED_PORT"])):
        found = own_redis.with_own_redis(loaded(), said.append)
        again = own_redis.with_own_redis(loaded(), said.append)
    with redis.Redis.from_url(found.config.redis.url) as client:
        assert client.get("popular") == b"1"
    assert again == found
    [text] = said
    assert text.startswith("from .millirec/redis: the lists of a run that has ended, ")


def test_no_age_is_told_of_a_run_that_runs() -> None:
    said: list[str] = []
    with KeptRedis(Path(".millirec/redis")) as run:
        assert run.claim()
        assert own_redis.with_own_redis(loaded(), said.append).config.redis.url == run.url
    assert said == []


@pytest.mark.parametrize("setting", ["redis.keep=", "redis.keep=elsewhere"])
def test_the_folder_is_an_option(setting: str) -> None:
    ended_run()
    assert own_redis.with_own_redis(loaded(setting)) == loaded(setting)


def test_a_file_that_cannot_be_read_is_a_sentence() -> None:
    folder = ended_run()
    wait_for(lambda: not answers(_url(folder)))
    (folder / "dump.rdb").write_bytes(b"REDIS0009 damaged")
    with pytest.raises(ServiceError, match=r"dump\.rdb is not a file of lists .*Remove it: the"):
        own_redis.with_own_redis(loaded())
    said: list[str] = []
    with contextlib.ExitStack() as stack:
        url, kept = own_redis.redis_of_run(loaded().config, stack, said.append)
        assert kept is not None and answers(url)
    assert "It is now dump.rdb.unreadable; the run starts anew." in said[0]


def _url(folder: Path) -> str:
    return f"redis://127.0.0.1:{(folder / 'port').read_text()}/0"


def test_where_nothing_can_be_kept_a_run_goes_on_and_says_so() -> None:
    Path(".millirec").write_text("a file, not a folder")
    said: list[str] = []
    with contextlib.ExitStack() as stack:
        url, kept = own_redis.redis_of_run(loaded().config, stack, said.append)
        assert kept is None and answers(url)
    assert not answers(url)
    assert said[0].startswith(".millirec/redis cannot be used (") and "redis.keep" in said[0]


def test_two_runs_of_one_folder_do_not_share() -> None:
    said: list[str] = []
    with contextlib.ExitStack() as stack:
        first, kept = own_redis.redis_of_run(loaded().config, stack, said.append)
        second, other = own_redis.redis_of_run(loaded().config, stack, said.append)
        assert kept is not None and other is None and first != second
    assert said == [
        "another run keeps its lists in .millirec/redis: those of this one end with it."
    ]


def millirec(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    environment = {name: value for name, value in os.environ.items() if name != "REDIS_URL"}
    return subprocess.run(
        [sys.executable, "-m", "flink_app", *arguments],
        env=environment | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=120,
    )


def test_lookups_of_an_ended_run() -> None:
    values = {"rec:ann": made("ab", user="ann"), "similar:a": made("b", item="a")}
    ended_run(popular=made("a"), **values)
    for command, value in (
        (["get", "ann"], values["rec:ann"]),
        (["similar", "a"], values["similar:a"]),
        (["get"], made("a")),
    ):
        done = millirec(*command)
        assert (done.returncode, done.stdout) == (0, value + b"\n")
        assert b"from .millirec/redis: the lists of a run that has ended" in done.stderr
    assert millirec("get", "bob").returncode == 1
    usage = millirec("redis-usage", "--json")
    assert b'"item:*":{"keys":1,' in usage.stdout, usage.stderr


def test_serve_keeps_it_while_it_serves() -> None:
    folder = ended_run(**{"rec:ann": made("ab", user="ann")})
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if name != "REDIS_URL"}
    server = subprocess.Popen(
        [sys.executable, "-m", "flink_app", "serve", "--port", str(port)],
        env=environment | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
    )
    try:
        assert server.stdout is not None and server.stdout.readline()
        wait_for(lambda: _asked(port) is not None)
        assert b'"known":true' in (_asked(port) or b"")
        assert millirec("get", "ann").stdout == made("ab", user="ann") + b"\n"
        assert b'"known":true' in (_asked(port) or b"")
    finally:
        server.terminate()
        server.communicate(timeout=60)
    wait_for(lambda: not answers(_url(folder)))


def _asked(port: int) -> bytes | None:
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(f"http://127.0.0.1:{port}/recommend/ann", timeout=20).content
    return None


def test_many_lookups_at_once() -> None:
    ended_run(popular=made("a"))
    results: list[Any] = []
    threads = [threading.Thread(target=lambda: results.append(millirec("get"))) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [done.stdout for done in results] == [made("a") + b"\n"] * 5
