"""The hash `stats`, and how many items were shown."""

from __future__ import annotations

from typing import Any

from udfs.stores.redis_stats import RedisStats
from udfs.stores.redis_writer import RedisSettings, RedisWriter


def test_fields_are_set_and_others_stay(redis_url: str, redis_client: Any) -> None:
    stats = RedisStats(RedisWriter(RedisSettings(redis_url)), "p:")
    stats.write({"a": "1", "b": "2"})
    stats.write({"b": "3"})
    assert redis_client.hgetall("p:stats") == {b"a": b"1", b"b": b"3"}


def test_fields_that_are_gone_are_removed(redis_url: str, redis_client: Any) -> None:
    stats = RedisStats(RedisWriter(RedisSettings(redis_url)), "p:")
    assert stats.names("a") == set()
    stats.write({"a:ü": "1", "a:x": "2", "b": "3"})
    redis_client.hset("p:stats", b"\xff", "4")
    assert stats.names("a:") == {"a:ü", "a:x"}
    stats.write({"b": "4"}, ["a:ü", "never"])
    assert redis_client.hgetall("p:stats") == {b"a:x": b"2", b"b": b"4", b"\xff": b"4"}


def test_an_item_that_is_shown_twice_counts_once(redis_url: str, redis_client: Any) -> None:
    stats = RedisStats(RedisWriter(RedisSettings(redis_url)), "p:")
    stats.show({"served": ["a", "b"], "popular": ["a"]})
    stats.show({"served": ["b", "ü"]})
    stats.show({})
    assert stats.shown(["served", "popular", "mf"]) == {"served": 3, "popular": 1, "mf": 0}
    assert redis_client.exists("p:quality:served", "p:quality:popular") == 2
