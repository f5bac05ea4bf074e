"""The marks of a shard."""

from __future__ import annotations

from typing import Any

from flink_app.local.ports import free_port
from udfs.stores.redis_marks import RedisMarks
from udfs.stores.redis_writer import RedisSettings, RedisWriter


def test_each_shard_has_its_own_mark(redis_url: str, redis_client: Any) -> None:
    writer = RedisWriter(RedisSettings(redis_url))
    one, other = (RedisMarks(writer, "p:", shard) for shard in (7, 8))
    assert one.read() == [None]
    one.set(b"12")
    assert (one.read(), other.read()) == ([b"12"], [None])
    assert redis_client.hgetall("p:filled") == {b"7": b"12"}
    assert one.connections == 1
    redis_client.client_kill_filter(_type="normal", skipme=True)
    one.set(b"13")
    assert one.connections == 2


def test_without_an_answer_there_is_no_mark() -> None:
    writer = RedisWriter(RedisSettings(f"redis://127.0.0.1:{free_port()}"))
    assert RedisMarks(writer, "", 7).read() == []
