"""The step of an item shard, without Flink and without Redis."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.udfs.builders import NOW, SETTINGS, changed, keys
from tests.udfs.fakes import DictCell, DictState
from tests.udfs.flink import ListCell
from udfs.feed.deltas import Touched, pack_deltas
from udfs.feed.parameters import RANKER, Parameters
from udfs.learning.effects import Count, Report, Wake
from udfs.learning.item_step import ItemHandles, ItemStep
from udfs.learning.settings import JobSettings
from udfs.stores.redis_feed import Snapshot

D, KEY = SETTINGS.model.dimensions, 100


class Feed:
    """A `RedisFeed` in memory."""

    def __init__(self) -> None:
        self.log: list[bytes] = []
        self.snapshots: dict[int, Snapshot] = {}

    def append(self, entry: bytes, oldest_ms: int) -> None:
        self.log.append(entry)

    def replace(self, shard: int, snapshot: Snapshot) -> None:
        self.snapshots[shard] = snapshot

    def lost(self, shard: int) -> bool:
        return shard not in self.snapshots


def handles(ranker: bytes | None = None) -> ItemHandles:
    cells = DictCell(), DictCell(ranker), DictCell()
    return ItemHandles(DictState(), DictState(), *cells, ListCell())


def step(state: ItemHandles, feed: Any, alone: bool = False) -> ItemStep:
    settings = JobSettings(options=changed(SETTINGS, snapshot_s=10), item_keys=[100, 101])
    return ItemStep(settings, state, feed, alone, lambda: NOW)


def message(shared: Parameters) -> bytes:
    touched = Touched(
        keys("a"),
        {0: "a"},
        np.ones((1, 2 * D + 4), np.float32),
        np.ones(1),
        np.ones(1),
        np.ones(1, np.int64),
        np.zeros(1, np.int32),
    )
    return pack_deltas(touched, NOW, [], shared)[0]


def test_a_message_goes_to_the_inbox_and_sets_a_timer() -> None:
    state = handles()
    effects = list(step(state, Feed()).message(KEY, message({})))
    assert [type(effect) for effect in effects] == [Wake, Wake, Count, Report]
    assert effects[2] == Count("updates", 1)
    assert list(state.inbox.get() or ()) == [message({})]
    assert not dict(state.items.items())


def test_a_timer_publishes_and_folds_and_the_end_leaves_a_snapshot() -> None:
    state, feed = handles(), Feed()
    one = step(state, feed)
    list(one.message(KEY, message({})))
    effects = list(one.timer(KEY, NOW + 200))
    assert Count("published", 1) in effects
    assert len(feed.log) == 1
    assert list(dict(state.items.items())) == ["a"]
    assert not list(state.inbox.get() or ())
    assert feed.snapshots == {}
    assert Count("published", 1) in list(one.end())
    assert feed.snapshots[0].origin == f"{NOW}:0"


def test_all_parameters_survive_a_restart_and_the_rankers_have_their_own_cell() -> None:
    state = handles()
    one = step(state, Feed(), alone=True)
    shared = one_of(one)
    begin = shared.values[RANKER]
    assert state.shared.value() is None
    changes = {RANKER: np.full(len(begin), 0.25), "sequence": np.array([1.0, 2.0])}
    for _ in range(2):
        list(one.message(KEY, message(changes)))
    list(one.timer(KEY, NOW + 200))
    wanted = {RANKER: begin + 0.25 + 0.25, "sequence": np.array([2.0, 4.0])}
    assert state.ranker.value() == wanted[RANKER].tobytes()
    again = one_of(step(state, Feed())).values
    assert {name: values.tolist() for name, values in again.items()} == {
        name: values.tolist() for name, values in wanted.items()
    }


def test_an_old_state_without_names_has_only_the_ranker() -> None:
    stored = np.full(len(one_of(step(handles(), Feed())).values[RANKER]), 0.5)
    state = handles(stored.tobytes())
    found = one_of(step(state, Feed())).values
    assert found.keys() == {RANKER}
    assert found[RANKER].tolist() == stored.tolist()
    assert state.parameters() == {RANKER: stored.tobytes()}


def one_of(one: ItemStep) -> Any:
    """The shared parameters of the first shard, loaded."""
    list(one.timer(KEY, NOW))
    return one.shards[KEY].shard.shared
