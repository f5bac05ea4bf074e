"""Items that may not be shown leave the lists in Redis, also if the job or Redis fails."""

from __future__ import annotations

from typing import Any

import pytest

from tests.udfs.builders import NOW, SETTINGS, changed
from tests.udfs.flink import Subtask
from tests.udfs.metadata import MemoryMetadata, NoLists
from udfs.events.item_changes import ItemChange, pack_changes
from udfs.learning import item_step
from udfs.learning.effects import END
from udfs.learning.settings import JobSettings
from udfs.operators import item_learner
from udfs.operators.item_learner import ItemLearner

KEY = 100


class Shop:
    """An item learner whose metadata and lists are in memory.

    Attributes:
        now: the clock, ms.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
        self.now, self.url = NOW, url
        self.lists, self.metadata = NoLists(), MemoryMetadata()
        monkeypatch.setattr(item_step, "_SLICE_S", 1e9)
        monkeypatch.setattr(item_learner, "now_ms", lambda: self.now)
        monkeypatch.setattr(item_learner, "ListSweep", lambda *_: self.lists)
        monkeypatch.setattr(item_learner, "RedisMetadata", lambda *_: self.metadata)
        self.flink = self.started()

    def started(self, before: Subtask | None = None) -> Subtask:
        options = changed(SETTINGS, url=self.url, retry_s=1, snapshot_s=10, item_shards=1)
        return Subtask(ItemLearner(JobSettings(options=options, item_keys=[KEY])), before)

    def restart(self) -> None:
        """From a checkpoint of this moment."""
        self.flink = self.started(self.flink)

    def say(self, item: str, **fields: Any) -> None:
        self.flink.process(KEY, (KEY, pack_changes([ItemChange(item, self.now, fields)])))

    def swept_after(self, ms: int) -> list[set[str]]:
        """What lists are looked through for meanwhile."""
        before = len(self.lists.swept)
        for _ in range(ms // 100):
            self.now += 100
            self.flink.fire(self.now)
        return self.lists.swept[before:]


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch, redis_url: str) -> Shop:
    return Shop(monkeypatch, redis_url)


def test_lists_are_looked_through_half_a_second_later_for_all_at_once(shop: Shop) -> None:
    shop.say("a", available=False)
    shop.say("b", hidden=True)
    shop.say("c", title="a kettle")
    assert shop.swept_after(400) == []
    assert shop.swept_after(200) == [{"a", "b"}]
    assert shop.metadata.marks == 1
    assert shop.swept_after(60_000) == []


def test_at_the_end_lists_are_looked_through_once_more_for_what_was_hidden_of_late(
    shop: Shop,
) -> None:
    for item in "abc":
        shop.say(item, available=False)
    assert shop.swept_after(1000) == [{"a", "b", "c"}]
    shop.say("b", available=True)
    shop.flink.fire(END)
    assert shop.lists.swept[-1] == {"a", "c"}


def test_a_job_that_fails_before_its_sweep_has_it_when_it_is_back(shop: Shop) -> None:
    shop.say("a", available=False)
    shop.say("b", title="a mug")
    shop.restart()
    assert shop.swept_after(10_000) == [{"a"}]
    shop.say("a", available=True)
    shop.restart()
    assert shop.swept_after(10_000) == []


def test_a_redis_that_lost_something_gets_it_again_and_is_looked_through(shop: Shop) -> None:
    shop.say("a", available=False)
    shop.say("b", title="a mug")
    assert shop.swept_after(20_000) == [{"a"}]
    before = len(shop.metadata.stream)
    shop.metadata.emptied = True
    while len(shop.metadata.stream) == before:
        shop.swept_after(100)
    shop.metadata.emptied = False
    assert len(shop.metadata.stream) == before + 2
    assert shop.swept_after(20_000) == [{"a"}]
    assert len(shop.metadata.stream) == before + 2


def test_a_sweep_that_fails_is_done_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(items: Any) -> Any:
        raise ConnectionError("gone")
        yield

    shop.say("a", available=False)
    with monkeypatch.context() as changes:
        changes.setattr(shop.lists, "sweep", refused)
        shop.swept_after(2000)
    shop.say("b", available=False)
    assert shop.swept_after(5000) == [{"a", "b"}]
