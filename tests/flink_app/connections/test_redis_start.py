"""What a job that starts without state leaves of an earlier one: nothing, or nothing for long."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from flink_app.config import Config, load
from flink_app.connections.redis_start import began_ms, continues, require_rights, start_afresh
from tests.udfs.builders import NOW
from tests.udfs.flink import Subtask
from tests.udfs.user_learners import operator, sent
from udfs.errors import ServiceError
from udfs.lists import contract
from udfs.operators.flink import now_ms
from udfs.stores.fence import Fence
from udfs.stores.redis_writer import RedisSettings, RedisWriter

SHARED = hypothesis_settings(
    max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
PREFIXES = st.sampled_from(["", "shop:", "a*[b]?\\:", "ü "])
IDS = st.lists(st.text(min_size=1, max_size=5), max_size=4)


def config(url: str, *settings: str) -> Config:
    return load(None, [f"redis.url={url}", *settings], {}).config


def prefixed(url: str, prefix: str, *settings: str) -> Config:
    return config(url, f"redis.prefix={msgspec.json.encode(prefix).decode()}", *settings)


@SHARED
@given(PREFIXES, IDS)
def test_all_of_the_jobs_own_goes_and_nothing_of_others(
    redis_url: str, redis_client: Any, prefix: str, ids: list[str]
) -> None:
    redis_client.flushall()
    own = ["popular", "trending", "filled", "feed:log", "feed:snapshot:{0}", "quality:served"]
    own += [f"{kind}{one}" for kind in ("rec:", "similar:", "factor:") for one in ids]
    others = [f"{prefix}item:{one}" for one in ids]
    others += [f"other:{prefix}{key}" for key in own] + [f"{prefix}popular2"]
    redis_client.mset(dict.fromkeys([*(prefix + key for key in own), *others], "1"))
    assert start_afresh(redis_client, prefixed(redis_url, prefix), NOW) == ""
    left = {key.decode() for key in redis_client.scan_iter(count=1000)}
    assert left == {*others, f"{prefix}stats", f"{prefix}writers"}
    assert began_ms(redis_client, prefix) == NOW


def test_old_lists_may_stay_for_a_while(redis_url: str, redis_client: Any) -> None:
    redis_client.mset({"rec:ann": "1", "popular": "1", "similar:a": "1", "item:a": "1"})
    start_afresh(redis_client, config(redis_url, "redis.old_lists_s=100"), NOW)
    assert [redis_client.ttl(key) for key in ("rec:ann", "popular", "similar:a", "item:a")] == [
        100, 100, 100, -1,
    ]  # fmt: skip


def test_many_lists(redis_url: str, redis_client: Any) -> None:
    redis_client.mset({f"rec:{n}": "1" for n in range(5000)})
    start_afresh(redis_client, config(redis_url), NOW)
    assert set(redis_client.keys()) == {b"stats", b"writers"}


def test_two_jobs_on_one_redis(redis_url: str, redis_client: Any) -> None:
    """Nothing of the first one's users or items is in any list after the second has begun."""
    changes: dict[str, Any] = {"factors": True, "publish": True}
    first = Subtask(operator(redis_url, born_ms=NOW, **changes))
    first.process(7, sent([("ann", "a"), ("bob", "a"), ("bob", "b"), ("ann", "b")], now_ms()))
    first.operator.close()
    assert redis_client.exists("rec:ann", "similar:a", "popular", "trending", "factor:ann") == 5
    start_afresh(redis_client, config(redis_url), NOW + 1)
    second = Subtask(operator(redis_url, born_ms=NOW + 2, **changes))
    second.process(7, sent([("cy", "x"), ("di", "x"), ("di", "y"), ("ann", "y")], now_ms()))
    second.operator.close()
    assert redis_client.exists("rec:bob", "similar:a", "factor:bob") == 0
    heads = b"rec:", b"similar:", b"popular", b"trending"
    lists = [key for key in redis_client.scan_iter() if key.startswith(heads)]
    assert len(lists) >= 6
    for key in lists:
        found = contract.read(redis_client.get(key))
        assert {entry.item for entry in found.items} <= {"x", "y"}, key
    with pytest.raises(ServiceError, match="a newer job"):
        first.process(7, sent([("ann", "b")], now_ms()))


def test_a_job_continues_unless_another_has_begun_since_its_checkpoint(
    redis_client: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "a b %20" / "chk-7"
    folder.mkdir(parents=True)
    made = folder / "_metadata"
    made.write_bytes(b"")
    os.utime(made, (NOW / 1000, NOW / 1000))
    names = [str(folder), folder.as_uri(), str(made)]
    for began, goes_on in ((None, True), (NOW - 1, True), (NOW + 1, False)):
        if began:
            redis_client.hset("stats", "began", began)
        assert [continues(redis_client, "", name) for name in names] == [goes_on] * 3
        assert continues(redis_client, "", "s3://bucket/chk-7")
        assert not continues(redis_client, "", "")


def test_an_older_job_cannot_start_over_a_newer_one(redis_url: str, redis_client: Any) -> None:
    fence = Fence("", NOW, "user-0", NOW)
    RedisWriter(RedisSettings(redis_url), fence=fence).send([("SET", "rec:ann", "1")])
    with pytest.raises(ServiceError, match="a newer job"):
        start_afresh(redis_client, config(redis_url), NOW - 1)
    assert redis_client.exists("rec:ann")


@pytest.mark.parametrize("factors", ["true", "false"])
def test_trying_the_rights_leaves_nothing(
    redis_url: str, redis_client: redis.Redis, factors: str
) -> None:
    redis_client.set("rec:ann", "1")
    require_rights(redis_client, config(redis_url, f"redis.factors={factors}"))
    assert redis_client.keys() == [b"rec:ann"]
