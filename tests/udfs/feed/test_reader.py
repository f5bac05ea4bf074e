"""The item feed through a real Redis: what is written is read, damaged entries are skipped."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from typing import Any

import msgspec
import numpy as np
import pytest

from tests.udfs.builders import keys
from tests.udfs.feeds import append, snapshot
from udfs.feed import entries
from udfs.feed.entries import FeedRows
from udfs.feed.reader import FeedReader
from udfs.feed.writer import FeedWriter
from udfs.memory.catalogue import Catalogue
from udfs.memory.users import Users
from udfs.models.item_cf.feed_rows import PairRows
from udfs.models.item_cf.neighbours import Row
from udfs.models.item_cf.wire import pack_row
from udfs.models.popular.noised import Sums, pack_sums
from udfs.models.settings import Settings
from udfs.options.privacy import Privacy
from udfs.ranking.recommender import Recommender
from udfs.stores.redis_feed import RedisFeed, feed_keys
from udfs.stores.redis_writer import RedisSettings, RedisWriter

D = 4
NOW = 1_700_000_000_000


def owner(names: Iterable[str], value: float = 0.5) -> Catalogue:
    catalogue = Catalogue(D, 1, 1000)
    slots = catalogue.slots(list(names))
    catalogue.q[slots], catalogue.bias[slots], catalogue.events[slots] = value, -value, 3
    return catalogue


class Side:
    """One replica and the writers of two item shards on one Redis."""

    def __init__(
        self, url: str, alone: bool = False, keep_s: float = 30.0, epsilon: float = 0.0
    ) -> None:
        self.feed = RedisFeed(RedisWriter(RedisSettings(url)), "shop:")
        self.replica = Catalogue(D, 1, 1000)
        settings = Settings(privacy=Privacy(epsilon=epsilon))
        self.models = Recommender(settings, self.replica, Users(D, 1, 10, 10))
        self.reader = FeedReader(self.feed, 2, alone, keep_s, origin=1)

    def writer(self, shard: int = 0, epoch: int = 1, restored: bool = False) -> FeedWriter:
        return FeedWriter(self.feed, shard, epoch, restored, 30.0)

    def publish(self, items: Catalogue, shard: int = 0, **changes: Any) -> None:
        now = time.time_ns() // 1_000_000
        append(self.writer(shard), items, items.living_slots(), now, **changes)

    def value(self, name: str) -> float:
        return float(self.replica.q[self.replica.find([name])[0], 0])


@pytest.fixture
def side(redis_url: str) -> Side:
    return Side(redis_url)


def test_an_empty_feed(side: Side) -> None:
    assert side.reader.start(side.models) == 0
    assert side.reader.refresh(side.models) == 0


def test_a_replica_starts_from_the_snapshots_of_all_shards(side: Side) -> None:
    names = ["a b", "ü\n", "c:d"]
    items = owner(names)
    snapshot(side.writer(0), items)
    snapshot(side.writer(1), owner(["other"], 0.25))
    assert side.reader.start(side.models) == 4
    found = side.replica.rows(side.replica.find(names))
    assert found.tobytes() == items.rows(items.find(names)).tobytes()
    assert side.value("other") == 0.25


def test_it_follows_the_log_and_reading_twice_is_harmless(side: Side) -> None:
    side.reader.start(side.models)
    side.publish(owner(["a"], 1.0))
    side.publish(owner(["a", "b"], 2.0))
    assert side.reader.refresh(side.models) == 3
    assert (side.value("a"), side.value("b")) == (2.0, 2.0)
    assert side.reader.refresh(side.models) == 0
    late = FeedReader(side.feed, 2, False, 30.0)
    late.start(side.models)
    late.refresh(side.models)
    assert (side.value("a"), side.value("b")) == (2.0, 2.0)


def test_replicas_follow_how_many_users_took_an_item(side: Side) -> None:
    side.reader.start(side.models)
    items = owner(["a", "b"])
    side.publish(items)
    items.takers[items.find(["b"])] = 7
    side.publish(items)
    side.reader.refresh(side.models)
    assert side.replica.takers[side.replica.find(["a", "b"])].tolist() == [0, 7]


def test_a_long_log_is_read_to_its_end(side: Side) -> None:
    side.reader.start(side.models)
    for n in range(130):
        side.publish(owner([f"item {n}"]))
    assert side.reader.refresh(side.models) == 130
    assert side.replica.living == 130


def test_an_expired_item_is_in_no_snapshot(side: Side) -> None:
    items = owner(["old", "new"])
    items.seen[:2] = [1, 2]
    items.expire(2)
    snapshot(side.writer(), items)
    side.reader.start(side.models)
    assert side.replica.find(["old", "new"]).tolist() == [-1, 0]


def test_the_log_is_trimmed_by_age(side: Side, redis_client: Any) -> None:
    items = owner(["a"])
    for n in range(300):
        redis_client.xadd("shop:feed:log", {"rows": b"old"}, id=f"{n + 1}-0")
    side.publish(items)
    assert redis_client.xlen("shop:feed:log") < 200


def test_restored_items_are_not_trending_because_they_arrive_at_once(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    side = Side(redis_url)
    side.reader.start(side.models)
    side.replica.popularity[side.replica.slots(["known", "rising"])] = 20.0
    assert (side.models.trends.look()[0] < 0).all(), "the first look"
    restored = owner([f"item {n}" for n in range(9)])
    restored.popularity[:9] = 50.0
    snapshot(side.writer(restored=True), restored)
    clock = time.monotonic()
    monkeypatch.setattr("udfs.feed.reader.time.monotonic", lambda: clock + 1)
    assert side.reader.refresh(side.models) == 9
    assert (side.models.trends.look()[0] < 0).all()
    # What comes by the log has been taken since.
    side.replica.popularity[side.replica.find(["rising"])] += 20.0
    new = owner(["new"])
    new.popularity[0] = 40.0
    side.publish(new, 1)
    assert side.reader.refresh(side.models) == 1
    items = side.models.trends.look()[0][0]
    assert side.replica.names(items[items >= 0].tolist()) == ["new", "rising"]


def test_a_single_replica_ignores_the_log_but_loads_restored_snapshots(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    side = Side(redis_url, alone=True)
    side.reader.start(side.models)
    side.publish(owner(["echo"]))
    snapshot(side.writer(0, epoch=5), owner(["own"]))
    clock = time.monotonic()
    monkeypatch.setattr("udfs.feed.reader.time.monotonic", lambda: clock + 1)
    assert side.reader.refresh(side.models) == 0
    snapshot(side.writer(1, epoch=6, restored=True), owner(["restored"], 3.0))
    monkeypatch.setattr("udfs.feed.reader.time.monotonic", lambda: clock + 2)
    assert side.reader.refresh(side.models) == 1
    assert side.value("restored") == 3.0
    monkeypatch.setattr("udfs.feed.reader.time.monotonic", lambda: clock + 3)
    assert side.reader.refresh(side.models) == 0, "each restored snapshot once"


def test_a_replica_that_was_away_loads_the_snapshots(
    side: Side, redis_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    side.reader.start(side.models)
    snapshot(side.writer(), owner(["missed"]))
    clock = time.monotonic()
    monkeypatch.setattr("udfs.feed.reader.time.monotonic", lambda: clock + 100)
    assert side.reader.refresh(side.models) == 1
    assert side.replica.find(["missed"]).tolist() == [0]


def test_entries_of_older_forms_are_read(side: Side, redis_client: Any) -> None:
    """They may be in Redis when a job is upgraded."""
    items = owner(["a"], 3.0)
    rows = items.rows(items.living_slots()).tobytes()
    for version in (2, 3):
        old = msgspec.structs.replace(
            FeedRows(version, 0, 1, False, ["a"], rows),
            counted=["a"],
            pairs=[pack_row(Row(7, 1.5, NONE, NONE.astype(np.float32)), NONE.astype(np.uint64))],
        )
        side.replica.q[:] = 0
        short = msgspec.msgpack.decode(msgspec.msgpack.encode(old))[:9]
        assert side.reader.apply(msgspec.msgpack.encode(short), side.models) == 1
        assert side.value("a") == 3.0
        assert side.models.neighbours.clock == 7


NONE = np.zeros(0, np.int32)


def packed(**changes: object) -> bytes:
    items = owner(["bad"])
    rows = items.rows(items.living_slots()).tobytes()
    whole = FeedRows(entries.VERSION, 0, 1, False, ["bad"], rows)
    return msgspec.msgpack.encode(msgspec.structs.replace(whole, **changes))


def of_other_factors() -> bytes:
    wider = Catalogue(D + 1, 1, 10)
    return wider.rows(wider.slots(["bad"])).tobytes()


DAMAGED = {
    "nothing": b"",
    "no MessagePack": b"\xc1\xff",
    "another shape": msgspec.msgpack.encode({"items": []}),
    "cut off": packed()[:-5],
    "another version": packed(version=9),
    "changes cut off": packed(changed=b"1", factors=D),
    "changes of other factors": packed(changed=b"1", factors=D + 1),
    "more counts than changes": packed(takers=b"1"),
    "names of nothing": packed(new=b"\0\0\0\0", names=["bad"]),
    "fewer names than positions": packed(new=b"\0\0\0\0"),
    "pairs cut off": packed(counts=PairRows(heads=b"1")),
    "pairs of nothing": packed(counts=PairRows(numbers=b"\0\0", shares=b"\0\0")),
    "fewer names than rows": packed(items=[]),
    "rows cut off": packed(rows=packed()[:7]),
    "other factors": packed(rows=of_other_factors()),
    "names that are no UTF-8": packed().replace(b"bad", b"b\xff\xfe"),
}


@pytest.mark.parametrize("data", DAMAGED.values(), ids=DAMAGED.keys())
def test_damaged_entries_are_skipped_with_a_warning(
    side: Side, redis_client: Any, data: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    side.reader.start(side.models)
    redis_client.xadd("shop:feed:log", {"rows": data})
    redis_client.set("shop:feed:snapshot:{1}", data)
    side.publish(owner(["good"]))
    with caplog.at_level(logging.WARNING):
        assert side.reader.refresh(side.models) == 1
        assert FeedReader(side.feed, 2, False, 30.0).start(side.models) == 1
    assert side.replica.find(["good"]).tolist() == [0]
    warnings = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert len(warnings) >= (2 if data else 1)
    assert all("the item feed has an entry that is skipped" in text for text in warnings)


def test_numbers_that_are_not_finite_reach_no_replica(side: Side, redis_client: Any) -> None:
    items = owner(["a"])
    items.q[0, 1], items.bias[0], items.popularity[0] = np.nan, np.inf, np.nan
    snapshot(side.writer(), items)
    side.reader.start(side.models)
    assert side.replica.q[0].tolist() == [0.5, 0, 0.5, 0.5]
    assert (side.replica.bias[0], side.replica.popularity[0]) == (0, 0)


def test_every_key_of_the_feed_is_named(side: Side, redis_client: Any) -> None:
    for shard in (0, 1):
        snapshot(side.writer(shard), owner(["a"]))
        side.writer(shard).put(owner(["a"]), 0, np.zeros(0, np.int32), PairRows())
        side.feed.put_noised(shard, b"")
    side.publish(owner(["a"]))
    assert sorted(feed_keys("shop:", 2)) == sorted(map(bytes.decode, redis_client.keys()))


def noised(day: int, **values: float) -> bytes:
    sums = [[value, 0] for value in values.values()]
    return pack_sums(Sums(day, keys(values), np.array(sums, np.float32).reshape(-1, 2)))


def popular(side: Side) -> list[str]:
    assert side.models.popular.noised is not None
    return side.replica.names(side.models.popular.noised.popular()[0].tolist())


@pytest.fixture(params=[False, True])
def private(redis_url: str, request: Any) -> Side:
    """A replica of items that lines describe, for counts with noise; alone or not."""
    side = Side(redis_url, request.param, epsilon=1.0)
    side.replica.metadata.put(side.replica.slots(["a", "b"]), allowed=True)
    return side


def test_counts_with_noise_are_read_at_the_start_and_once_in_a_while(private: Side) -> None:
    private.feed.put_noised(0, noised(5, a=3))
    private.feed.put_noised(1, b"damaged")
    private.reader.start(private.models)
    assert popular(private) == ["a"]
    private.feed.put_noised(1, noised(5, b=4))
    private.reader.refresh(private.models)
    assert popular(private) == ["a"], "it was looked just now"
    private.reader._noised_at -= 60
    private.reader.refresh(private.models)
    assert popular(private) == ["b", "a"]


def test_the_end_waits_until_a_day_is_closed_of_all_items(private: Side) -> None:
    shards = set(private.replica.shards(2).tolist())
    for shard in shards:
        private.feed.put_noised(shard, noised(4))
    read, looked = private.reader.read_noised, []

    def closing(models: Recommender) -> dict[int, int]:
        looked.append(days := read(models))
        if len(looked) == 3:
            for shard in shards:
                private.feed.put_noised(shard, noised(5, a=3))
        return days

    private.reader.read_noised = closing  # type: ignore[method-assign]
    private.reader.await_noised(private.models, 5)
    assert looked == [dict.fromkeys(sorted(shards), 4)] * 3 + [dict.fromkeys(sorted(shards), 5)]
    assert popular(private) == ["a"]


def test_without_noise_no_counts_are_looked_for(
    side: Side, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(RedisFeed, "noised")
    side.reader.start(side.models)
    side.reader._noised_at -= 60
    side.reader.refresh(side.models)


def test_its_own_changes_do_not_come_back(side: Side) -> None:
    side.reader.start(side.models)
    side.publish(owner(["a"], 1.0), besides=0)
    assert side.reader.refresh(side.models) == 1
    read = side.reader.read
    side.publish(owner(["a", "b"], 2.0), besides=1)
    assert side.reader.refresh(side.models) == 0
    assert (side.value("a"), side.replica.find(["b"])[0], side.reader.read) == (1.0, -1, read)


def test_an_item_whose_id_was_missed_comes_with_the_next_snapshot(
    side: Side, monkeypatch: pytest.MonkeyPatch
) -> None:
    side.reader.start(side.models)
    side.publish(owner(["a"], 1.0))
    assert side.reader.refresh(side.models) == 1
    both = owner(["a", "missed"], 2.0)
    side.publish(both, new=False)
    side.reader.refresh(side.models)
    assert side.value("a") == 2.0
    assert side.replica.living == 1
    snapshot(side.writer(), owner(["a", "missed"], 1.5))
    clock = time.monotonic()
    monkeypatch.setattr("udfs.feed.reader.time.monotonic", lambda: clock + 14)
    side.reader.refresh(side.models)
    assert side.replica.living == 1, "not at once: snapshots are large"
    monkeypatch.setattr("udfs.feed.reader.time.monotonic", lambda: clock + 16)
    side.reader.refresh(side.models)
    assert (side.value("a"), side.value("missed")) == (2.0, 2.0), "then what the log says since"


def test_the_log_of_an_earlier_job_does_not_undo_the_snapshots_of_this_one(
    side: Side, monkeypatch: pytest.MonkeyPatch
) -> None:
    side.reader.start(side.models)
    side.publish(owner(["a"], 9.0))  # epoch 1
    side.reader.refresh(side.models)
    snapshot(side.writer(epoch=2, restored=True), owner(["a"], 1.0))
    clock = time.monotonic()
    monkeypatch.setattr("udfs.feed.reader.time.monotonic", lambda: clock + 1)
    side.reader.refresh(side.models)
    assert side.value("a") == 1.0


def test_a_replica_that_starts_after_others_have_begun_reads_all_of_the_log(side: Side) -> None:
    side.publish(owner(["early"], 1.0))
    side.reader._position = "never read"
    side.reader.start(side.models)
    side.reader.refresh(side.models)
    assert side.value("early") == 1.0


def test_a_day_that_nobody_closes_is_not_waited_for_in_silence(
    private: Side, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("udfs.feed.reader._CLOSED_S", 0.0)
    private.reader.await_noised(private.models, 5)
    assert "was not closed within" in caplog.text
