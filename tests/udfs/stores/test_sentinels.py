"""A real Redis that Sentinels watch: its master is killed, the writer follows to the next."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from flink_app.config import load
from flink_app.config.check import check
from flink_app.local.ports import free_port
from flink_app.local.redis_server import answers, redis_command, redis_executable
from tests.waiting import wait_for
from udfs.errors import ConfigError
from udfs.stores.fence import Fence
from udfs.stores.redis_writer import RedisSettings, RedisWriter
from udfs.stores.sentinels import Sentinels


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[bytes], Any]]:
    """The URL of a watched master with a replica; the master; a client of the replica."""
    master, replica, sentinel = free_port(), free_port(), free_port()
    conf = tmp_path / "sentinel.conf"
    conf.write_text(
        f"port {sentinel}\nbind 127.0.0.1\ndir {tmp_path}\n"
        f"sentinel monitor shop 127.0.0.1 {master} 1\n"
        "sentinel down-after-milliseconds shop 2000\nsentinel failover-timeout shop 2000\n"
    )
    commands = [redis_command(port, tmp_path) for port in (master, replica)]
    commands[1] += ["--replicaof", "127.0.0.1", str(master)]
    servers = [subprocess.Popen(command) for command in commands]
    other = redis.Redis(port=replica)
    try:
        wait_for(lambda: answers(f"redis://127.0.0.1:{replica}/0"))
        wait_for(lambda: other.info("replication")["master_link_status"] == "up")
        servers.append(subprocess.Popen([str(redis_executable()), str(conf), "--sentinel"]))
        client = redis.Redis(port=sentinel, decode_responses=True)
        wait_for(lambda: answers(f"redis://127.0.0.1:{sentinel}/0"))
        # A Sentinel learns of replicas from the master, each ten seconds.
        wait_for(lambda: client.sentinel_master("shop")["num-slaves"] == 1)
        yield f"redis+sentinel://127.0.0.1:{sentinel}/shop/2", servers[0], other
    finally:
        for server in servers:
            server.kill()
            server.wait()


def test_a_writer_follows_to_the_new_master(
    watched: tuple[str, subprocess.Popen[bytes], Any],
) -> None:
    url, master, replica = watched
    settings = RedisSettings(url, timeout_s=1, retry_s=30)
    writer = RedisWriter(settings, fence=Fence("", 5, "user-0", 0))
    assert writer.send([("SET", "before", "1"), ("WAIT", "1", "5000")]) == [b"OK", 1]
    master.kill()
    assert writer.send([("SET", "after", "2"), ("GET", "before")]) == [b"OK", b"1"]
    assert replica.role()[0] == b"master"
    replica.select(2)
    assert replica.get("after") == b"2"


def test_urls_are_checked_and_shown_without_credentials() -> None:
    url = "rediss+sentinel://ann:se%40cret@one:1,two/my%20shop/3"
    check(load(None, ["source.paths=x", f"redis.url={url}"], {}).config)
    settings = RedisSettings(url)
    assert settings.address == "rediss+sentinel://one:1,two:26379/my shop/3"
    kwargs = settings.client().connection_pool.connection_kwargs
    assert (kwargs["username"], kwargs["password"], kwargs["db"]) == ("ann", "se@cret", 3)
    parts = Sentinels.parse(url)
    assert parts is not None and parts.at.tls
    for wrong in ("one:1", "one:x/shop", "/shop", "one:1/shop/x", "one:1,/shop"):
        with pytest.raises(ConfigError, match="with Sentinels it must be"):
            check(load(None, ["source.paths=x", f"redis.url=redis+sentinel://{wrong}"], {}).config)
