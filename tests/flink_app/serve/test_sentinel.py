"""A server that reads what Sentinels watch follows to the next master."""

from __future__ import annotations

import subprocess
from typing import Any

import redis

from tests.flink_app.serve.servers import items, made, serving
from tests.udfs.stores.test_sentinels import watched  # noqa: F401  (a fixture)
from tests.waiting import wait_for
from udfs.stores.redis_metadata import RedisMetadata
from udfs.stores.redis_writer import RedisSettings, RedisWriter


def test_lists_come_from_the_new_master(
    watched: tuple[str, subprocess.Popen[bytes], Any],  # noqa: F811
) -> None:
    url, master, replica = watched
    port = master.args[master.args.index("--port") + 1]  # type: ignore[index, union-attr]
    with redis.Redis(port=int(port), db=2) as writer:
        writer.set("rec:alice", made("ab", user="alice"))
        writer.wait(1, 5000)
    with serving(url, "serve.timeout_s=1") as client:

        def shows(letters: str) -> bool:
            answer = client.get("/recommend/alice").json()
            return items(answer) == letters and not answer["stale"]

        wait_for(lambda: shows("ab"))
        master.kill()
        wait_for(lambda: replica.role()[0] == b"master")
        replica.select(2)
        replica.set("rec:alice", made("c", user="alice"))
        wait_for(lambda: shows("c"))


def test_hidden_items_are_followed_to_the_new_master(
    watched: tuple[str, subprocess.Popen[bytes], Any],  # noqa: F811
) -> None:
    url, master, replica = watched
    writer = RedisWriter(RedisSettings(url, timeout_s=1, retry_s=60))
    metadata = RedisMetadata(writer, "")
    writer.send([("SET", "popular", made("xyz"))])
    metadata.hide(0, [("x", True)])
    assert writer.send([("WAIT", "1", "5000")]) == [1]
    with serving(url, "serve.timeout_s=1") as client:
        wait_for(lambda: items(client.get("/popular").json()) == "yz")
        master.kill()
        metadata.hide(0, [("y", True)])
        assert replica.role()[0] == b"master"
        assert not metadata.lost(0), "the replica had everything"
        wait_for(lambda: items(client.get("/popular").json()) == "z")
