"""A reader of metadata has what a notice names soon after it is written, and all at a start."""

from __future__ import annotations

from typing import Any

from tests.udfs.metadata import MemoryMetadata, reader
from udfs.feed.metadata import Described, pack
from udfs.feed.metadata_reader import SLOW_MS, SOON_MS, MetadataReader
from udfs.stores.redis_metadata import KEEP_MS, Update


def write(redis: MemoryMetadata, item: str, at: int, shard: int = 0) -> None:
    redis.write(shard, [Update(item, pack(Described(item, at)), b"{}", True)], at)


def names(found: list[Described]) -> list[tuple[str, int]]:
    return [(one.item, one.at) for one in found]


def test_a_start_has_all_shards_and_then_what_follows() -> None:
    redis = MemoryMetadata()
    write(redis, "a", 1, 0)
    write(redis, "b", 2, 1)
    one = reader(redis, 2)
    assert names(one.start(100)) == [("a", 1), ("b", 2)]
    write(redis, "a", 3)
    assert one.read(100 + SLOW_MS - 1) == []
    assert names(one.read(100 + SLOW_MS)) == [("a", 3)]


def test_a_notice_makes_it_look_soon_and_again_until_it_has_come() -> None:
    redis = MemoryMetadata()
    one = reader(redis)
    one.start(0)
    one.expect([("a", 7)], 50)
    assert one.waiting and one.next_ms == 50 + SOON_MS
    assert one.read(one.next_ms) == []
    pauses = []
    for _ in range(12):
        before = one.next_ms
        assert one.read(before) == []
        pauses.append(one.next_ms - before)
    assert pauses[:3] == [20, 40, 80] and max(pauses) == SLOW_MS
    write(redis, "a", 6)  # an earlier change of the same item is not what the notice is of
    assert names(one.read(one.next_ms)) == [("a", 6)] and one.waiting
    write(redis, "a", 7)
    assert names(one.read(one.next_ms)) == [("a", 7)] and not one.waiting


def test_what_never_comes_is_not_waited_for_for_ever() -> None:
    one = reader()
    one.start(0)
    one.expect([("a", 7)], 0)
    now = 0
    while one.waiting and now < 10 * KEEP_MS:
        now = one.next_ms
        one.read(now)
    assert KEEP_MS <= now < 2 * KEEP_MS


def test_a_reader_that_was_away_reads_everything() -> None:
    redis = MemoryMetadata()
    write(redis, "a", 1)
    one = reader(redis)
    one.start(0)
    redis.stream.clear()
    assert names(one.read(KEEP_MS)) == [("a", 1)]


def test_a_redis_that_is_away_is_asked_again_later() -> None:
    redis = MemoryMetadata()
    one = reader(redis)
    one.start(0)
    redis.answers = False
    write(redis, "a", 1)
    for now in range(SLOW_MS, 2 * KEEP_MS, SLOW_MS):
        assert one.read(now) == [] and one.next_ms == now + SLOW_MS
    redis.answers = True
    redis.stream.clear()  # what was written meanwhile may not be there any more
    assert names(one.read(2 * KEEP_MS)) == [("a", 1)]


def test_many_entries_come_a_few_at_a_time() -> None:
    redis = MemoryMetadata()
    one = reader(redis)
    one.start(0)
    for n in range(1200):
        write(redis, f"i{n}", 1)
    sizes, now = [], SLOW_MS
    while found := one.read(now):
        sizes.append(len(found))
        now = one.next_ms
    assert sizes == [512, 512, 176]


def test_entries_that_cannot_be_read_are_skipped(caplog: Any) -> None:
    redis = MemoryMetadata()
    redis.hashes[0] = {"x": b"damaged", "a": pack(Described("a", 1))}
    assert names(MetadataReader(redis, 1).start(0)) == [("a", 1)]  # type: ignore[arg-type]
    assert "metadata of an item cannot be read" in caplog.text
