"""Old writers are shut out, whatever they try to write."""

from __future__ import annotations

import logging
import time
from typing import Any

import pytest

from tests.udfs.flink import Subtask
from tests.udfs.user_learners import listed, operator, sent
from udfs.errors import ServiceError
from udfs.operators.flink import now_ms
from udfs.stores.fence import Fence
from udfs.stores.redis_writer import RedisSettings, RedisWriter


def writer(
    url: str, born_ms: int, name: str = "user-0", began_ms: int = 0, prefix: str = ""
) -> RedisWriter:
    settings = RedisSettings(url, prefix=prefix, retry_s=1)
    return RedisWriter(settings, fence=Fence(prefix, born_ms, name, began_ms))


def write(who: RedisWriter, value: str) -> None:
    who.send([("SET", "a", value)])


@pytest.mark.parametrize(
    ("newer", "older"),
    [
        ((5, "user-0", 1), (5, "user-0", 0)),
        ((6, "user-0", 0), (5, "user-0", 7)),
        ((6, "item-0", 0), (5, "user-1", 0)),
        ((5, "user-0", 10), (5, "user-0", 9)),
    ],
)
def test_a_newer_attempt_or_job_shuts_an_older_writer_out(
    redis_url: str, redis_client: Any, newer: Any, older: Any
) -> None:
    old = writer(redis_url, *older)
    write(old, "old")
    write(writer(redis_url, *newer), "new")
    with pytest.raises(ServiceError, match="a newer job, or a newer attempt"):
        write(old, "stale")
    with pytest.raises(ServiceError, match="delete the key writers"):
        write(writer(redis_url, *older), "stale")
    assert redis_client.get("a") == b"new"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((5, "user-0", 1), (5, "user-1", 0)),
        ((5, "user-0", 1), (5, "item-0", 2)),
        ((5, "user-0", 0, "x:"), (6, "user-0", 0, "y:")),
        ((5, "user-0", 0), (5, "user-0", 0)),
    ],
)
def test_parallel_writers_leave_each_other_alone(
    redis_url: str, redis_client: Any, one: Any, other: Any
) -> None:
    first = writer(redis_url, *one[:3], prefix=(*one, "")[3])
    write(first, "1")
    second = writer(redis_url, *other[:3], prefix=(*other, "")[3])
    write(second, "2")
    write(first, "3")
    write(second, "4")
    assert redis_client.get("a") == b"4"
    assert first.round_trips == second.round_trips == 2


def test_an_emptied_redis_is_claimed_again_by_the_newest(redis_url: str, redis_client: Any) -> None:
    old, new = writer(redis_url, 5), writer(redis_url, 6)
    write(new, "new")
    redis_client.flushall()
    write(old, "old")
    new.client.connection_pool.disconnect()
    write(new, "newest")
    with pytest.raises(ServiceError, match="a newer job"):
        write(old, "stale")


@pytest.mark.parametrize(("missing", "told"), [(["-eval"], 1), (["-client", "+client|setname"], 0)])
def test_a_redis_without_some_rights_is_still_written_to(
    redis_url: str,
    redis_client: Any,
    caplog: pytest.LogCaptureFixture,
    missing: list[str],
    told: int,
) -> None:
    redis_client.acl_setuser(
        "plain",
        enabled=True,
        passwords=["+x"],
        keys=["*"],
        categories=["+@all"],
        commands=missing,
    )
    try:
        settings = RedisSettings(redis_url, "plain", "x")
        plain = RedisWriter(settings, fence=Fence("", 5, "user-0", 0))
        with caplog.at_level(logging.WARNING):
            write(plain, "1")
            plain.client.connection_pool.disconnect()
            write(plain, "2")
    finally:
        redis_client.acl_deluser("plain")
    assert redis_client.get("a") == b"2"
    assert sum("old writers" in record.message for record in caplog.records) == told
    assert redis_client.exists("writers") == (not told)


def test_clients_with_odd_names_are_left_alone(redis_url: str, redis_client: Any) -> None:
    first = Fence("", 5, "user-0", 0)
    redis_client.client_setname(f"{first._names}nonsense")
    other = RedisWriter(RedisSettings(redis_url), fence=first)
    write(other, "1")
    assert redis_client.get("a") == b"1"


def test_a_subtask_that_flink_has_given_up_cannot_overwrite_a_newer_list(
    redis_url: str, redis_client: Any
) -> None:
    old = Subtask(operator(redis_url, born_ms=5))
    old.process(7, sent([("ann", "a"), ("bob", "b")], now_ms()))
    time.sleep(0.002)
    new = Subtask(operator(redis_url, born_ms=5))
    new.process(7, sent([("ann", "a"), ("bob", "b"), ("ann", "c")], now_ms()))
    before = listed(redis_client, "ann")
    with pytest.raises(ServiceError, match="a newer attempt"):
        old.process(7, sent([("ann", "b")], now_ms()))
    assert listed(redis_client, "ann") == before == ["b"]
