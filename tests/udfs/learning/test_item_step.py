"""The step of an item shard, without Flink and without Redis."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.udfs.builders import NOW, SETTINGS, changed, keys
from tests.udfs.fakes import DictCell, DictState
from tests.udfs.flink import ListCell
from tests.udfs.metadata import MemoryMetadata, NoLists
from udfs.feed.deltas import Touched, pack_deltas
from udfs.feed.parameters import Parameters
from udfs.learning import item_state, item_step
from udfs.learning.effects import END, Count, Effect, Report, Wake
from udfs.learning.item_state import ItemHandles
from udfs.learning.item_step import ItemStep
from udfs.learning.published import Outside
from udfs.learning.settings import JobSettings
from udfs.models.item_cf.neighbours import Windows
from udfs.models.item_cf.wire import pack_rows, read_row, split_pairs
from udfs.models.options import ItemCF
from udfs.models.popular.noised import Sums, read_sums
from udfs.models.popular.popular_kernels import LEVELS
from udfs.models.popular.source import POPULAR
from udfs.ranking.ranker import RANKER

D, KEY = SETTINGS.model.dimensions, 100
NO_HITS = np.zeros(LEVELS)


class Feed:
    """A `RedisFeed` in memory.

    Attributes:
        origins: of finished snapshots, by shard. chunks: by shard, kind and number. noised: all
            sums with noise so far.
    """

    def __init__(self) -> None:
        self.log: list[bytes] = []
        self.noised: list[Sums] = []
        self.origins: dict[int, str] = {}
        self.chunks: dict[tuple[int, str, int], bytes] = {}

    def append(self, entry: bytes, oldest_ms: int, besides: int) -> None:
        self.log.append(entry)

    def begin(self, shard: int, kinds: list[str], origin: str) -> None:
        self.chunks = {at: data for at, data in self.chunks.items() if at[1] not in kinds}

    def put(self, shard: int, kind: str, number: int, entry: bytes) -> None:
        self.chunks[shard, kind, number] = entry

    def finish(self, shard: int, entry: bytes, origin: str) -> None:
        self.origins[shard] = origin

    def lost(self, shard: int, origin: str) -> bool:
        return shard not in self.origins

    def put_noised(self, shard: int, sums: bytes) -> None:
        self.noised.append(read_sums(sums))


def handles(ranker: bytes | None = None) -> ItemHandles:
    cells = DictCell(), DictCell(ranker), DictCell()
    logs = ListCell(), ListCell(), DictCell(), ListCell()
    return ItemHandles(DictState(), DictState(), *cells, *logs, DictState())


def outside(feed: Any) -> Outside:
    nothing: Any = NoLists()
    metadata: Any = MemoryMetadata()
    return Outside(feed, metadata, nothing)


def step(state: ItemHandles, feed: Any, alone: bool = False) -> ItemStep:
    settings = JobSettings(options=changed(SETTINGS, snapshot_s=10), item_keys=[100, 101])
    return ItemStep(settings, state, outside(feed), alone, lambda: NOW)


def message(shared: Parameters) -> bytes:
    touched = Touched(
        keys("a"),
        {0: "a"},
        np.ones((1, 2 * D + 4), np.float32),
        np.ones(1),
        np.ones(1),
        np.ones(1, np.int64),
        np.ones((1, 4)),
        np.zeros(1, np.int32),
    )
    return pack_deltas(touched, NOW, [], shared)[0]


def test_a_message_goes_to_the_inbox_and_sets_a_timer() -> None:
    state = handles()
    one = step(state, Feed())
    effects = list(one.message(KEY, message({})))
    assert effects == [Wake(NOW + 10_000), Wake(END), Wake(NOW + 100)]
    assert list(one.message(KEY, message({}))) == [], "one timer for all"
    assert list(state.inbox.get() or ()) == 2 * [message({})]
    assert not dict(state.items.items())
    assert one.shards[KEY].shard.catalogue.living == 0, "not yet"


def test_what_has_gathered_is_applied_then_published_and_folded() -> None:
    state, feed = handles(), Feed()
    one = step(state, feed)
    for _ in range(2):
        list(one.message(KEY, message({})))
    effects = list(one.timer(KEY, NOW + 100))
    assert effects[0] == Count("updates", 2)
    assert [type(effect) for effect in effects] == [Count, Report, Wake]
    effects = list(one.timer(KEY, NOW + 200))
    assert Count("published", 1) in effects
    assert len(feed.log) == 1
    assert list(dict(state.items.items())) == ["a"]
    assert not list(state.inbox.get() or ())
    assert feed.origins == {}
    assert Count("published", 1) in list(one.end())
    assert feed.origins[0] == f"{NOW}:0:1"


def test_items_that_only_the_inbox_names_are_counted_after_a_restart() -> None:
    state = handles()
    list(step(state, Feed()).message(KEY, message({})))
    effects = list(step(state, Feed()).timer(KEY, NOW + 100))
    assert next(one.account.items for one in effects if isinstance(one, Report)) == {0: 1}


def test_timers_that_come_late_do_not_put_off_what_is_published() -> None:
    """Each is more than 100 ms late, and messages keep coming."""
    state, now = handles(), NOW
    feed: Any = Feed()
    settings = JobSettings(options=changed(SETTINGS, snapshot_s=1000), item_keys=[100, 101])
    one, planned = ItemStep(settings, state, outside(feed), False, lambda: now), set[int]()

    def carry_out(effects: Iterator[Effect]) -> None:
        planned.update(some.at_ms for some in effects if isinstance(some, Wake))

    for _ in range(10):
        carry_out(one.message(KEY, message({})))
        planned = {at for at in planned if at < NOW + 10_000}
        planned.remove(at := min(planned))
        now = max(now, at + 105)
        carry_out(one.timer(KEY, at))
    assert len(feed.log) > 2
    assert dict(state.items.items())


def test_at_the_end_of_the_input_nothing_is_left_gathered() -> None:
    one, feed = step(handles(), Feed()), Feed()
    list(one.message(KEY, message({})))
    assert Count("updates", 1) in list(one.timer(KEY, END))
    one = step(handles(), feed)
    list(one.message(KEY, message({})))
    effects = list(one.end())
    assert Count("updates", 1) in effects
    assert not [effect for effect in effects if isinstance(effect, Wake)], "nobody would wake it"
    assert feed.origins[0]


def test_a_checkpoint_may_come_at_any_moment_of_a_fold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are written in slices while more messages arrive; each restart has everything once."""
    monkeypatch.setattr(item_state, "SLICE", 1)
    monkeypatch.setattr(item_step, "_SLICE_S", -1.0)
    state = handles()
    one = step(state, Feed())
    names = ["a", "b", "c"]
    for n in range(2):
        list(one.message(KEY, paired(names, n)))
    list(one.timer(KEY, NOW + 100))
    list(one.timer(KEY, NOW + 200))
    restarts = 0
    while one.shards[KEY].tasks:
        list(one.message(KEY, paired(["c", "d"], 7)))
        if restarts % 2:
            list(one.timer(KEY, NOW + 100))
        held = step(copied(state), Feed())
        list(held.timer(KEY, NOW))
        list(one.timer(KEY, NOW + 100))  # applied, and a slice more is written
        again = step(copied(state), Feed())
        list(again.timer(KEY, NOW))
        for found in (held, again):
            assert contents(found) == contents(one)
        restarts += 1
    assert restarts >= 3
    assert not list(state.folded.get() or ())
    assert [len(list(log.get() or ())) for log in state.inboxes] == [restarts, 0]


def test_a_checkpoint_within_a_fold_does_not_age_what_is_new(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The clock is in the rows: here only those already written have the latest one."""
    monkeypatch.setattr(item_state, "SLICE", 1)
    monkeypatch.setattr(item_step, "_SLICE_S", -1.0)
    settings = changed(SETTINGS, snapshot_s=1000, item_cf=ItemCF(span=10))
    state, now, feed = handles(), NOW, Feed()
    redis: Any = feed

    def started(state: ItemHandles) -> ItemStep:
        job = JobSettings(options=settings, item_keys=[100, 101])
        return ItemStep(job, state, outside(redis), True, lambda: now)

    one = started(state)
    for n in range(20):
        list(one.message(KEY, paired(["a", "b"], n)))
    for at in (NOW + 100, NOW + 200):
        list(one.timer(KEY, at))
    one.shards[KEY].finish("fold")
    now += 10_000
    list(one.message(KEY, paired(["a", "b", "c"], 1)))
    for at in (now + 100, now + 200):
        list(one.timer(KEY, at))
    assert one.shards[KEY].tasks
    while one.shards[KEY].tasks:
        again = started(copied(state))
        list(again.timer(KEY, now))
        for mine, other in zip(contents(one)[0].values(), contents(again)[0].values(), strict=True):
            rows = [read_row(data, "a row") for _, data in (mine, other)]
            assert rows[0].clock == rows[1].clock
            assert rows[0].weight == pytest.approx(rows[1].weight, rel=1e-5)
        list(one.timer(KEY, now))


def paired(items: list[str], n: int) -> bytes:
    """A message of items that a user took one after the other."""
    count = len(items)
    touched = Touched(
        keys(items),
        dict(enumerate(items)),
        np.full((count, 2 * D + 4), 0.25 + n, np.float32),
        np.ones(count),
        np.full(count, float(NOW)),
        np.ones(count, np.int64),
        np.ones((count, 4)),
        np.zeros(count, np.int32),
    )
    slots = np.arange(count, dtype=np.int32)
    windows = Windows(
        count,
        slots,
        slots,
        slots,
        np.ones(count, np.float32),
        np.append(np.maximum(slots - 1, 0), count - 1).astype(np.int32),
        slots[: count - 1],
        np.zeros(count - 1, np.uint8),
    )
    pairs = split_pairs(windows, touched.keys, touched.shards, 2)
    return pack_deltas(touched, NOW, pairs, {"sequence": np.ones(2)})[0]


def copied(state: ItemHandles) -> ItemHandles:
    """The state as a checkpoint has it."""
    return copy.deepcopy(state)


def contents(one: ItemStep) -> Any:
    """All that a shard holds, by name."""
    shard = one.shards[KEY].shard
    if one.shards[KEY].gathered:
        list(one.timer(KEY, NOW + 100))
    slots = shard.catalogue.living_slots().astype(np.int32)
    names = shard.catalogue.names(slots.tolist())
    pairs = pack_rows(shard.neighbours, slots, shard._index.keys).parts(0, len(slots))
    rows = [row.tobytes() for row in shard.catalogue.rows(slots)]
    assert shard.shared is not None
    shared = {name: values.tolist() for name, values in shard.shared.values.items()}
    return dict(zip(names, zip(rows, pairs, strict=True), strict=True)), shared


def test_all_parameters_survive_a_restart_and_the_rankers_have_their_own_cell() -> None:
    state = handles()
    one = step(state, Feed(), alone=True)
    shared = one_of(one)
    begin = shared.values[RANKER]
    assert state.shared.value() is None
    changes = {RANKER: np.full(len(begin), 0.25), "sequence": np.array([1.0, 2.0])}
    for _ in range(2):
        list(one.message(KEY, message(changes)))
    list(one.timer(KEY, NOW + 100))
    list(one.timer(KEY, NOW + 200))
    wanted = {RANKER: begin + (0.25 + 0.25), POPULAR: NO_HITS, "sequence": np.array([2.0, 4.0])}
    assert state.ranker.value() == wanted[RANKER].tobytes()
    again = one_of(step(state, Feed())).values
    assert {name: values.tolist() for name, values in again.items()} == {
        name: values.tolist() for name, values in wanted.items()
    }


def test_an_old_state_without_names_has_the_ranker_and_no_hits_of_popularity() -> None:
    stored = np.full(len(one_of(step(handles(), Feed())).values[RANKER]), 0.5)
    state = handles(stored.tobytes())
    found = one_of(step(state, Feed())).values
    assert found.keys() == {RANKER, POPULAR}
    assert found[RANKER].tolist() == stored.tolist()
    assert found[POPULAR].tolist() == NO_HITS.tolist()
    assert state.parameters() == {RANKER: stored.tobytes()}


def one_of(one: ItemStep) -> Any:
    """The shared parameters of the first shard, loaded."""
    list(one.timer(KEY, NOW))
    return one.shards[KEY].shard.shared
