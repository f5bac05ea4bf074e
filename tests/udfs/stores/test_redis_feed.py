"""The item feed in Redis: what is written is what is read."""

from __future__ import annotations

from typing import Any

import pytest

from udfs.stores.redis_feed import RedisFeed, feed_keys
from udfs.stores.redis_writer import RedisSettings, RedisWriter


@pytest.fixture
def feed(redis_url: str) -> RedisFeed:
    return RedisFeed(RedisWriter(RedisSettings(redis_url)), "p:")


def test_the_log_is_read_to_its_end_and_then_from_the_last_position(feed: RedisFeed) -> None:
    begin = feed.end()
    assert list(feed.follow(begin)) == []
    wanted = [b"%d" % n for n in range(130)]
    for entry in wanted:
        feed.append(entry, 0)
    found = list(feed.follow(begin))
    assert [entry for _, entry, _ in found] == wanted
    assert [entry for _, entry, _ in feed.follow(found[99][0])] == wanted[100:]
    assert list(feed.follow(found[-1][0])) == []


def test_an_entry_may_say_who_does_not_need_it(feed: RedisFeed) -> None:
    for besides in (-2, 0, 17):
        feed.append(b"x", 0, besides)
    assert [found.besides for found in feed.follow("0-0")] == [-1, 0, 17]


def test_a_snapshot_replaces_all_chunks_or_only_its_own(feed: RedisFeed) -> None:
    assert (feed.snapshot(1), feed.lost(1, "")) == ((None, None), True)
    feed.begin(1, ["items", "pairs"], "5:0:0")
    feed.put(1, "items", 0, b"a")
    feed.put(1, "pairs", 7, b"b")
    assert not feed.lost(1, "5:0:0")
    feed.finish(1, b"one", "5:0:1")
    assert feed.snapshot(1) == (b"5:0:1", b"one")
    assert (feed.lost(1, "5:0:1"), feed.lost(1, "5:0:2"), feed.lost(0, "")) == (False, True, True)
    assert list(feed.chunks(1)) == [b"a", b"b"]
    feed.begin(1, [], "5:0:1")
    feed.put(1, "pairs", 8, b"c")
    assert sorted(feed.chunks(1)) == [b"a", b"b", b"c"]
    feed.begin(1, ["pairs"], "6:1:1")
    feed.put(1, "pairs", 2, b"d")
    assert list(feed.chunks(1)) == [b"a", b"d"]
    assert feed.origins([0, 1]) == [None, b"6:1:1"]


def test_a_redis_that_does_not_answer_has_lost_nothing() -> None:
    silent = RedisFeed(RedisWriter(RedisSettings("redis://127.0.0.1:1", retry_s=0)), "p:")
    assert not silent.lost(0, "5:0:1")


def test_all_keys_are_named(feed: RedisFeed, redis_client: Any) -> None:
    feed.append(b"", 0)
    for shard in (0, 1):
        for kind in ("items", "pairs"):
            feed.put(shard, kind, 0, b"")
        feed.finish(shard, b"", "")
        feed.put_noised(shard, b"")
    found = sorted(key.decode() for key in redis_client.scan_iter())
    assert found == sorted(feed_keys("p:", 2))
