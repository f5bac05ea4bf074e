"""The item feed in Redis: what is written is what is read."""

from __future__ import annotations

from typing import Any

import pytest

from udfs.stores.redis_feed import RedisFeed, Snapshot, feed_keys
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
    assert [entry for _, entry in found] == wanted
    assert [entry for _, entry in feed.follow(found[99][0])] == wanted[100:]
    assert list(feed.follow(found[-1][0])) == []


def test_a_snapshot_replaces_all_chunks_or_only_its_own(feed: RedisFeed) -> None:
    assert (feed.snapshot(1), feed.lost(1)) == ((None, None), True)
    feed.replace(1, Snapshot(b"one", {0: b"a", 7: b"b"}, True, "5:0"))
    assert (feed.snapshot(1), feed.lost(1), feed.lost(0)) == ((b"5:0", b"one"), False, True)
    feed.replace(1, Snapshot(b"two", {7: b"c"}, False, "5:0"))
    assert (feed.snapshot(1)[1], sorted(feed.pairs(1))) == (b"two", [b"a", b"c"])
    feed.replace(1, Snapshot(b"three", {2: b"d"}, True, "6:1"))
    assert list(feed.pairs(1)) == [b"d"]
    assert feed.origins([0, 1]) == [None, b"6:1"]


def test_all_keys_are_named(feed: RedisFeed, redis_client: Any) -> None:
    feed.append(b"", 0)
    for shard in (0, 1):
        feed.replace(shard, Snapshot(b"", {0: b""}, True, ""))
    found = sorted(key.decode() for key in redis_client.scan_iter())
    assert found == sorted(feed_keys("p:", 2))
