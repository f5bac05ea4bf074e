"""The shell of the item learner: inbox, rows, feed, expiry, restart."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from tests.udfs.builders import NOW, SETTINGS, changed, keys
from tests.udfs.flink import Subtask
from tests.udfs.user_learners import operator, sent
from udfs.accounts import unpack_account
from udfs.events.item_changes import ItemChange, item_shards, pack_changes
from udfs.feed.deltas import Touched, pack_deltas
from udfs.feed.reader import FeedReader
from udfs.learning import item_step
from udfs.learning.settings import JobSettings
from udfs.memory.catalogue import Catalogue
from udfs.memory.users import Users
from udfs.models.settings import Settings
from udfs.operators.item_learner import ItemLearner
from udfs.options.privacy import Privacy
from udfs.ranking.recommender import Recommender
from udfs.state.records import item_dtype
from udfs.stores.redis_feed import RedisFeed
from udfs.stores.redis_writer import RedisSettings, RedisWriter

D, KEY = 4, 101
LOG = b"feed:log"


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("udfs.operators.item_learner.now_ms", clock)
    return clock


OPTIONS = changed(
    Settings(),
    dimensions=D,
    shards=4,
    item_shards=2,
    retry_s=1,
    seed=1,
    max_items=100_000,
    item_expiry_days=1,
    snapshot_s=10,
    megabytes_per_s=2,
)


def subtask(
    url: str, before: Subtask | None = None, *, parallelism: int = 2, **changes: Any
) -> Subtask:
    options = changed(OPTIONS, url=url, **changes)
    return Subtask(
        ItemLearner(JobSettings(options=options, item_keys=[100, KEY])), before, parallelism
    )


def message(items: list[str], seen: int, change: float = 0.5) -> tuple[int, bytes]:
    n = len(items)
    touched = Touched(
        keys(items),
        dict(enumerate(items)),
        np.full((n, 2 * D + 4), change, np.float32),
        np.ones(n),
        np.full(n, float(seen)),
        np.ones(n, np.int64),
        np.ones((n, 4)),
        np.ones(n, np.int32),
    )
    return KEY, pack_deltas(touched, seen, [], {})[1]


def replica(url: str, *, follow: bool = False) -> Catalogue:
    """What a user learner that starts now would hold."""
    catalogue = Catalogue(D, 1, 100_000)
    models = Recommender(Settings(), catalogue, Users(D, 1, 10, 10))
    reader = FeedReader(RedisFeed(RedisWriter(RedisSettings(url)), ""), 2, False, 30)
    if follow:
        reader._position = "0-0"
        reader.refresh(models)
    else:
        reader.start(models)
    return catalogue


def items(catalogue: Catalogue) -> dict[str, bytes]:
    slots = catalogue.living_slots()
    names = catalogue.names(slots.tolist())
    return {n: r.tobytes() for n, r in zip(names, catalogue.rows(slots), strict=True)}


def owned(flink: Subtask) -> dict[str, bytes]:
    return items(flink.operator.step.shards[KEY].shard.catalogue)


def near(found: Catalogue, flink: Subtask) -> bool:
    """Whether a replica has the owned items, as exactly as the log of the feed is."""
    mine = flink.operator.step.shards[KEY].shard.catalogue
    slots = mine.living_slots()
    there = found.find(mine.names(slots.tolist()))
    if found.living != len(slots) or (there < 0).any():
        return False
    exact = ("events", "seen", "popularity_at")
    return all(
        np.allclose(getattr(found, name)[there], getattr(mine, name)[slots], 1e-3, 1e-5)
        for name in ("q", "y", "bias", "spread", "popularity")
    ) and all((getattr(found, name)[there] == getattr(mine, name)[slots]).all() for name in exact)


def later(flink: Subtask, clock: Clock, ms: int) -> list[bytes]:
    """Let time pass, and timers fire when they are due; returns what the operator hands on."""
    out: list[bytes] = []
    for _ in range(ms // 100):
        clock.now += 100
        out += flink.fire(clock.now)
    return out


def living(out: list[bytes]) -> list[dict[int, int]]:
    """What accounts say of living items."""
    return [account.items for account in map(unpack_account, out) if account.items]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is done in slices is done in one, however slow the machine is."""
    monkeypatch.setattr(item_step, "_SLICE_S", 1e9)


def test_an_emptied_redis_gets_a_whole_snapshot_again_though_nothing_changes(
    redis_url: str, redis_client: Any, clock: Clock
) -> None:
    flink = subtask(redis_url)
    flink.process(KEY, message(["a", "b"], NOW))

    def after_a_snapshot() -> dict[str, bytes]:
        later(flink, clock, 10_000)
        return items(replica(redis_url))

    def entries() -> dict[bytes, bytes]:
        return {key: redis_client.dump(key) for key in redis_client.keys("feed:*") if key != LOG}

    assert after_a_snapshot() == owned(flink)
    before = entries()
    after_a_snapshot()
    assert entries() == before
    redis_client.flushall()
    assert after_a_snapshot() == owned(flink) != {}
    assert entries().keys() == before.keys()


def test_a_redis_that_comes_back_with_older_data_gets_a_whole_snapshot(
    redis_url: str, redis_client: Any, clock: Clock
) -> None:
    """Chunks that have not changed since would stay old otherwise."""
    flink = subtask(redis_url)
    names = [f"item {k}" for k in range(300)]
    flink.process(KEY, message(names, NOW))
    later(flink, clock, 10_000)
    before = {key: redis_client.dump(key) for key in redis_client.keys("feed:*")}
    flink.process(KEY, message(names[:1], clock.now))
    later(flink, clock, 10_000)
    assert items(replica(redis_url)) == owned(flink)
    redis_client.flushall()
    for key, data in before.items():
        redis_client.restore(key, 0, data)
    assert items(replica(redis_url)) != owned(flink)
    later(flink, clock, 10_000)
    assert items(replica(redis_url)) == owned(flink)


def test_only_chunks_that_have_changed_are_written_again(
    redis_url: str, redis_client: Any, clock: Clock
) -> None:
    flink = subtask(redis_url)
    names = [f"item {k}" for k in range(600)]
    flink.process(KEY, message(names, NOW))
    later(flink, clock, 10_000)
    before = redis_client.hgetall("feed:items:{1}")
    flink.process(KEY, message(names[:1], clock.now))
    later(flink, clock, 10_000)
    after = redis_client.hgetall("feed:items:{1}")
    assert [number for number in sorted(after) if after[number] != before[number]] == [b"0"]
    assert len(after) == 3
    assert items(replica(redis_url)) == owned(flink)


def test_changes_wait_in_the_inbox_until_they_are_folded(redis_url: str, clock: Clock) -> None:
    flink = subtask(redis_url)
    out = flink.process(KEY, message(["a", "b"], NOW))
    assert flink.process(KEY, message(["a"], NOW)) == []
    assert len(inbox(flink)) == 2
    out += later(flink, clock, 100)
    assert living(out) == [{1: 2}]
    later(flink, clock, 100)
    assert inbox(flink) == []
    assert flink.state["items"][KEY].data == owned(flink)
    flink.process(KEY, message(["a"], NOW))
    later(flink, clock, 200)
    assert len(inbox(flink)) == 1, "folded at intervals"
    later(flink, clock, 5000)
    assert inbox(flink) == []
    assert flink.state["items"][KEY].data == owned(flink)


def inbox(flink: Subtask) -> list[bytes]:
    """The messages that are not in the rows yet."""
    return [data for name in ("inbox", "inbox2") for data in flink.state[name][KEY].data]


@pytest.mark.parametrize("row_bytes", [0, 5000])
def test_an_inbox_larger_than_what_it_changes_is_folded_at_once(
    redis_url: str, clock: Clock, monkeypatch: pytest.MonkeyPatch, row_bytes: int
) -> None:
    monkeypatch.setattr(item_step, "_INBOX_BYTES", 450)
    monkeypatch.setattr(item_step, "_ROW_BYTES", row_bytes)
    flink = subtask(redis_url)
    flink.process(KEY, message(["a", "b"], NOW))
    later(flink, clock, 100)
    for _ in range(10):
        flink.process(KEY, message(["a", "b"], NOW))
    assert (len(inbox(flink)) < 4) == (row_bytes == 0)
    later(flink, clock, 6000)
    assert near(replica(redis_url, follow=True), flink), "published all the same"


@pytest.mark.parametrize("folded", [False, True])
def test_a_restart_holds_the_same_items_and_publishes_them(
    redis_url: str, clock: Clock, folded: bool
) -> None:
    flink = subtask(redis_url)
    flink.process(KEY, message(["a", "b"], NOW))
    later(flink, clock, 200 if folded else 100)
    if folded:
        flink.process(KEY, message(["b", "ü\n"], clock.now, 0.25))
        later(flink, clock, 100)
    before = owned(flink)
    again = subtask(redis_url, flink)
    clock.now += 5500
    again.fire(clock.now)
    assert owned(again) == before
    assert items(replica(redis_url)) == before, "without waiting for an event"
    later(again, clock, 5500)
    assert inbox(again) == []
    assert again.state["items"][KEY].data == before


def test_changes_are_published_and_snapshots_taken(redis_url: str, clock: Clock) -> None:
    flink = subtask(redis_url)
    flink.process(KEY, message(["a"], NOW))
    later(flink, clock, 200)
    assert near(replica(redis_url, follow=True), flink)
    assert items(replica(redis_url)) == {}
    later(flink, clock, 10_000)
    assert items(replica(redis_url)) == owned(flink)


def test_a_small_change_is_published_seconds_later(redis_url: str, clock: Clock) -> None:
    flink = subtask(redis_url)
    for _ in range(50):
        flink.process(KEY, message(["a"], NOW, 0.02))
    later(flink, clock, 200)
    flink.process(KEY, message(["a"], NOW, 1e-3))
    later(flink, clock, 4_000)
    assert not near(replica(redis_url, follow=True), flink)
    later(flink, clock, 1_500)
    assert near(replica(redis_url, follow=True), flink)


def test_the_feed_writes_no_more_bytes_than_allowed(
    redis_url: str, redis_client: Any, clock: Clock
) -> None:
    size, names = item_dtype(D).itemsize, [f"item {k}" for k in range(50)]
    flink = subtask(redis_url, megabytes_per_s=100 * size * 2 / 1e6)  # ten items each 200 ms
    flink.process(KEY, message(names, NOW))
    seen, written = [], 0
    for _ in range(5):
        out = later(flink, clock, 200)
        written += sum(unpack_account(data).feed.get("changes", 0) for data in out)
        seen.append(replica(redis_url, follow=True).living)
    assert seen == [10, 20, 30, 40, 50], "in turn, and without further events"
    assert near(replica(redis_url, follow=True), flink)
    entries = [fields[b"rows"] for _, fields in redis_client.xrange("feed:log")]
    assert written == sum(map(len, entries))
    later(flink, clock, 200)
    assert redis_client.xlen("feed:log") == len(entries), "nothing is published twice"


def test_snapshots_come_no_sooner_than_their_bytes_allow(redis_url: str, clock: Clock) -> None:
    size, names = item_dtype(D).itemsize, [f"item {k}" for k in range(50)]
    flink = subtask(redis_url, megabytes_per_s=2 * size * 2 / 1e6)  # 25 s for one, and its ids
    taken = []
    for second in range(60):
        flink.process(KEY, message(names, clock.now))
        accounts = map(unpack_account, later(flink, clock, 1000))
        if any("snapshots" in account.feed for account in accounts):
            taken.append(second)
    assert np.diff(taken).tolist() == [30], "each 10 s, if it may"


def test_without_followers_there_is_no_log(redis_url: str, redis_client: Any, clock: Clock) -> None:
    flink = subtask(redis_url, parallelism=1)
    flink.process(KEY, message(["a"], NOW))
    later(flink, clock, 200)
    assert not redis_client.exists("feed:log")
    flink.operator.close()
    assert items(replica(redis_url)) == owned(flink)


def test_a_job_that_was_rescaled_has_a_log_whatever_its_configuration_says(
    redis_url: str, redis_client: Any, clock: Clock
) -> None:
    """The user learners believe the number of subtasks that there are, and so must this side."""
    alone = subtask(redis_url, parallelism=1)
    alone.process(KEY, message(["a"], NOW))
    more = subtask(redis_url, alone, parallelism=2)
    assert more.operator.settings.options.job.parallelism == 1
    more.process(KEY, message(["b"], NOW))
    later(more, clock, 200)
    assert replica(redis_url, follow=True).find(["b"])[0] >= 0


def test_idle_items_expire_and_their_space_is_used_again(redis_url: str, clock: Clock) -> None:
    flink = subtask(redis_url)
    flink.process(KEY, message([f"old {k}" for k in range(1500)], NOW))
    later(flink, clock, 6000)
    clock.now = NOW + 86_400_000
    assert living(flink.fire(clock.now)) == [], "idle for as long as allowed"
    flink.process(KEY, message(["new"], clock.now))
    later(flink, clock, 9_400)
    flink.process(KEY, message(["new"], clock.now))  # not folded when the items expire
    assert living(later(flink, clock, 600))[-1:] == [{1: 1}]
    assert list(flink.state["items"][KEY].data) == ["new"]
    shard = flink.operator.step.shards[KEY].shard
    assert (shard.catalogue.size, shard.unfolded) == (1, False)
    assert items(replica(redis_url)) == owned(flink)
    flink.process(KEY, message(["new", "old 3"], clock.now))
    later(flink, clock, 6000)
    assert flink.state["items"][KEY].data == owned(flink)
    assert sorted(owned(flink)) == ["new", "old 3"]


def test_with_noise_each_user_counts_once_from_events_to_the_list_for_everybody(
    redis_url: str, redis_client: Any, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("udfs.operators.user_learner.now_ms", clock)
    private: dict[str, Any] = {"privacy": Privacy(epsilon=4.0), "item_expiry_days": 30}
    items = subtask(redis_url, dimensions=SETTINGS.model.dimensions, **private)
    for shard, item in zip(item_shards("abc", 2), "abc", strict=True):
        key = [100, KEY][shard]
        items.process(key, (key, pack_changes([ItemChange(item, NOW, {"title": item})])))
    users = Subtask(operator(redis_url, **private))
    events = [(f"user {n}", item) for n in range(300) for item in ("ba" if n < 100 else "ab")]
    for part in (events[:400], events[400:]):
        for key, data in users.process(7, sent(part, NOW)):
            if key in (100, KEY):
                items.process(key, (key, data))
    assert len(users.state["contributed"][7].data) == 301
    items.fire(2**63 - 1)
    users.fire(2**63 - 1)
    users.operator.close()
    found = msgspec.json.decode(redis_client.get("popular"))["items"]
    assert [entry["item"] for entry in found[:2]] == ["a", "b"]
    assert found[1]["score"] == pytest.approx(0.5, abs=0.1), "without noise: 100 of 200"
    assert not redis_client.keys("similar:*")
    assert len(redis_client.keys("feed:noised:*")) == 2
