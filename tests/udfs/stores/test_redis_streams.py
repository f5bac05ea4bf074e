"""A stream is read from a position to its end, some entries at a time."""

from __future__ import annotations

import pytest

from udfs.stores import redis_streams
from udfs.stores.redis_writer import RedisSettings, RedisWriter


@pytest.mark.parametrize("count", [0, 3, 4, 9])
def test_all_entries_after_a_position_come_in_order(redis_url: str, count: int) -> None:
    redis = RedisWriter(RedisSettings(redis_url))
    begin = redis_streams.end(redis)
    redis.send([("XADD", "s", "*", "n", str(n)) for n in range(count)])
    found = [*redis_streams.entries(redis, "s", begin, 4)]
    assert [fields for _, fields in found] == [[b"n", b"%d" % n] for n in range(count)]
    for at, (position, _) in enumerate(found):
        assert [*redis_streams.entries(redis, "s", position, 4)] == found[at + 1 :]
