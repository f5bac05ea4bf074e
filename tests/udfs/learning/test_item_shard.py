"""The owners of items against the learner that sends them changes, across folds and restarts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.udfs.builders import NOW, SETTINGS, OneShard, batch_of
from udfs.errors import ServiceError
from udfs.feed.marks import NEW
from udfs.feed.parameters import Parameters, Shared
from udfs.feed.reader import put_changed, put_counts
from udfs.feed.writer import _changed
from udfs.learning.item_shard import ItemShard
from udfs.memory.catalogue import Catalogue
from udfs.memory.users import Users
from udfs.models.item_cf.feed_rows import read_short
from udfs.models.item_cf.neighbours import Neighbours, Row
from udfs.models.item_cf.wire import KeyIndex, pack_row, pack_rows, read_row
from udfs.models.options import ItemCF
from udfs.models.settings import Settings
from udfs.options.learning import Lists
from udfs.ranking.ranker import RANKER, Ranker
from udfs.ranking.recommender import Recommender

D = SETTINGS.model.dimensions
ALL = 10**9  # bytes
LATER = 10**6  # ms, by when everything is sent however little it has changed
NO_SLOTS = np.zeros(0, np.int32)
Batch = list[tuple[str, int, float]]
batches = st.lists(
    st.lists(
        st.tuples(
            st.sampled_from(["ann", "bob", "eve"]),
            st.integers(0, 20),
            st.sampled_from([1.0, 2.5, -1.0, 0.0]),
        ),
        min_size=1,
        max_size=30,
    ),
    min_size=1,
    max_size=5,
)


class Owners:
    """Two item shards of one subtask, and a learner that sends them changes."""

    def __init__(self, **item_cf: Any) -> None:
        self.settings = Settings(
            model=SETTINGS.model, lists=Lists(length=5), item_cf=ItemCF(**item_cf)
        )
        self.sender = OneShard(item_cf=self.settings.item_cf)
        self.index = KeyIndex()
        self.shards = [self.new(number) for number in range(2)]

    def new(self, number: int) -> ItemShard:
        s = self.settings
        shared = None if number else Shared({RANKER: Ranker(s.ranker)})
        catalogue, neighbours = Catalogue(D, SETTINGS.model.seed, 1000), Neighbours(s.item_cf)
        return ItemShard(catalogue, neighbours, shared, self.index, s.half_life_ms)

    def send(self, batch: Batch, now_ms: int = 0) -> list[tuple[int, bytes]]:
        pairs = [(user, f"item {item}") for user, item, _ in batch]
        self.sender.learn(batch_of(pairs, [w for _, _, w in batch]))
        messages = self.sender.messages
        for number, message in messages.items():
            self.shards[number].apply(message, now_ms=now_ms)
        return list(messages.items())

    def rows(self) -> dict[str, dict[str, float]]:
        """Item → neighbour → count, by all owners."""
        learner = self.sender.learner
        name_of = dict(zip(learner.catalogue.keys.tolist(), learner.catalogue.ids, strict=False))
        found = {}
        for shard in self.shards:
            for slot in shard.catalogue.living_slots().tolist():
                row = shard.neighbours.get_row(slot)
                names = [name_of[key] for key in self.index.keys[row.slots].tolist()]
                found[shard.catalogue.ids[slot] or ""] = {
                    "": row.weight,
                    **dict(zip(map(str, names), row.values.tolist(), strict=True)),
                }
        return found


def counts_of(models: Recommender) -> dict[str, dict[str, float]]:
    """The same of a replica."""
    catalogue, found = models.catalogue, {}
    models.neighbours.reserve(catalogue.size)
    for slot in catalogue.living_slots().tolist():
        row = models.neighbours.get_row(slot)
        names = [str(catalogue.ids[other]) for other in row.slots.tolist()]
        found[str(catalogue.ids[slot])] = {
            "": row.weight,
            **dict(zip(names, row.values.tolist(), strict=True)),
        }
    return found


def same(
    found: dict[str, dict[str, float]], wanted: dict[str, dict[str, float]], rel: float = 1e-5
) -> None:
    assert found.keys() == wanted.keys()
    for item, row in wanted.items():
        assert list(found[item]) == list(row), "the neighbours, in the row's order"
        assert list(found[item].values()) == pytest.approx(
            list(row.values()), rel=rel, abs=rel * max(row.values())
        )


@settings(max_examples=40)
@given(batches, st.sampled_from([3, 200]), st.sampled_from([0.0, 10.0]))
def test_owners_count_what_the_learner_counts(
    given_batches: list[Batch], neighbours: int, span: float
) -> None:
    owners = Owners(neighbours=neighbours, span=span)
    for batch in given_batches:
        owners.send(batch)
    same(owners.rows(), counts_of(owners.sender.learner.models))
    shared = owners.shards[0].shared
    assert shared is not None
    models = owners.sender.learner.models
    np.testing.assert_allclose(shared.values[RANKER], models.ranker.parameters, rtol=1e-9)
    wanted = models.shared["mf"].parameters
    np.testing.assert_allclose(shared.values.get("mf", 0 * wanted), wanted, rtol=1e-9, atol=1e-15)


def test_an_owner_without_items_in_a_batch_still_ages_by_it() -> None:
    owners = Owners(span=10.0)
    for k, item in enumerate((0, 4, 0, 4, 4)):
        owners.send([(f"user {k} {n}", item, 1.0) for n in range(3)])
    assert {shard.neighbours.clock for shard in owners.shards} == {15}
    same(owners.rows(), counts_of(owners.sender.learner.models))


@settings(max_examples=40)
@given(batches, st.sampled_from([0.0, 10.0]), st.data())
def test_messages_that_have_gathered_are_applied_as_if_one_by_one(
    given_batches: list[Batch], span: float, data: st.DataObject
) -> None:
    owners, gathered = Owners(span=span, neighbours=5), Owners(span=span, neighbours=5)
    messages = [message for batch in given_batches for message in owners.send(batch)]
    while messages:
        count = data.draw(st.integers(1, len(messages)))
        for number, shard in enumerate(gathered.shards):
            part = [message for owner, message in messages[:count] if owner == number]
            if part:
                shard.apply(*part)
        messages = messages[count:]
    for mine, theirs in zip(gathered.shards, owners.shards, strict=True):
        assert mine.catalogue.ids == theirs.catalogue.ids
        slots = theirs.catalogue.living_slots()
        assert mine.catalogue.rows(slots).tobytes() == theirs.catalogue.rows(slots).tobytes()
        assert mine.neighbours.clock == theirs.neighbours.clock
    gathered.sender = owners.sender
    same(gathered.rows(), owners.rows())


def rows_of(shard: ItemShard) -> tuple[dict[str, bytes], dict[str, bytes], Parameters]:
    """What `cut` returns, as it is put into the state."""
    cut, names = shard.cut(), shard.catalogue.names
    size = shard.catalogue.dtype.itemsize
    rows = [cut.rows[k * size : (k + 1) * size].tobytes() for k in range(len(cut.items))]
    pairs = cut.pairs.parts(0, len(cut.counted))
    return (
        dict(zip(names(cut.items.tolist()), rows, strict=True)),
        dict(zip(names(cut.counted.tolist()), pairs, strict=True)),
        cut.parameters,
    )


@settings(max_examples=40)
@given(batches, st.integers(0, 4))
def test_a_restart_from_rows_and_inbox_holds_the_same(
    given_batches: list[Batch], folded: int
) -> None:
    owners = Owners()
    state: list[tuple[dict[str, bytes], dict[str, bytes], Parameters]] = [({}, {}, {})] * 2
    inbox: list[tuple[int, bytes]] = []
    for n, batch in enumerate(given_batches):
        inbox += owners.send(batch)
        if n == folded:
            state, inbox = [rows_of(shard) for shard in owners.shards], []
            assert not any(shard.unfolded for shard in owners.shards)
    before = owners.rows()
    owners.index = KeyIndex()
    owners.shards = [owners.new(number) for number in range(2)]
    for shard, rows in zip(owners.shards, state, strict=True):
        shard.load(*rows)
    for number, message in inbox:
        owners.shards[number].apply(message)
    same(owners.rows(), before)


@settings(max_examples=30)
@given(batches, batches)
def test_what_is_published_is_what_a_replica_then_holds(
    first: list[Batch], second: list[Batch]
) -> None:
    """A snapshot, and then changes: by them alone a replica has what the owners have."""
    owners = Owners()
    for batch in first:
        owners.send(batch)
    replica = Recommender(owners.settings, Catalogue(D, 1, 1000), Users(D, 1, 10, 10))
    for shard in owners.shards:
        catalogue = shard.catalogue
        for number, kind in shard.stale(pairs=True):
            slots, rows = shard.chunk(number, pairs=kind)
            replica.put(
                catalogue.names(slots.tolist()), catalogue.rows(slots), [], [], shard.parameters
            )
            put_counts(replica.catalogue, replica.neighbours, read_short(rows))
        assert shard.whole(pairs=False) and shard.whole(pairs=True)
        assert shard.stale(pairs=True) == [], "only what has changed since"
    for batch in second:
        owners.send(batch)
    for shard in owners.shards:
        for changes in shard.changes(ALL, ALL, LATER):
            new = shard.marks.flags[changes.slots] & NEW > 0
            slots = changes.slots
            replica.put([], shard.catalogue.rows(slots[:0]), [], [], changes.parameters)
            names = shard.catalogue.names(slots[new].tolist())
            assert put_changed(replica.catalogue, names, _changed(shard.catalogue, slots))
            put_counts(replica.catalogue, replica.neighbours, read_short(changes.pairs))
        assert not shard.waiting
    counted = {item: row for item, row in owners.rows().items() if row[""] > 0}
    found = counts_of(replica)
    same({item: found[item] for item in counted}, counted, 1e-4)
    models = owners.sender.learner.models
    wanted = models.ranker.parameters
    np.testing.assert_allclose(replica.ranker.parameters, wanted, rtol=1e-9)
    for mine, theirs in zip(replica.rule.places, models.rule.places, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-6, atol=1e-7)
    for shard in owners.shards:
        mine, slots = replica.catalogue, living_of(shard)
        there = mine.find(shard.catalogue.names(slots.tolist()))
        for column in ("q", "y", "bias", "spread", "popularity"):
            ours = getattr(mine, column)[there]
            np.testing.assert_allclose(
                ours, getattr(shard.catalogue, column)[slots], rtol=1e-3, atol=1e-6
            )
        for column in ("events", "seen", "popularity_at"):
            assert (getattr(mine, column)[there] == getattr(shard.catalogue, column)[slots]).all()


@given(batches, st.integers(1, 2000))
@settings(max_examples=20)
def test_changes_without_room_wait_for_their_turn(history: list[Batch], room: int) -> None:
    owners = Owners()
    for batch in history:
        owners.send(batch)
    for shard in owners.shards:
        changed = set(shard.catalogue.ids)
        counted = {n for n, w in enumerate(shard.neighbours.weights(living_of(shard))) if w > 0}
        gone: list[str] = []
        sent = 0
        while shard.waiting:
            found = shard.changes(room, room, LATER)
            slots = [slot for one in found for slot in one.slots.tolist()]
            assert len(slots) <= max(1, room // shard.catalogue.dtype.itemsize)
            gone += shard.catalogue.names(slots)
            sent += sum(one.pairs.count for one in found)
        assert sorted(gone) == sorted(changed), "each once"
        assert sent >= len(counted)


def test_changes_go_in_the_order_of_their_age() -> None:
    owners = Owners()
    owners.send([("ann", k, 1.0) for k in range(20)])
    shard = owners.shards[0]
    first = shard.changes(1, 0, LATER)[0].slots
    owners.send([("bob", k, 1.0) for k in range(20)], LATER)
    order: list[int] = []
    while found := shard.changes(1, 0, 2 * LATER):
        order += found[0].slots.tolist()
    assert order[-1] == first[0], "what has just gone goes last"
    assert shard.waiting, "pairs do"
    assert shard.changes(1, ALL, 2 * LATER)[0].pairs.count == shard.catalogue.size
    assert not shard.waiting


def test_parameters_go_to_all_without_rows_that_one_need_not_read() -> None:
    owners = Owners()
    shard, batch = owners.shards[0], [("ann", k, 1.0) for k in range(20)]
    shard.shared = Shared({})
    owners.send(batch, LATER)
    shard.changes(ALL, 0, LATER)
    owners.send(batch, LATER + 2_000)
    shard.shared.add({"a": np.ones(1)})
    own, all_ = shard.changes(ALL, 0, LATER + 8_000)
    assert own.besides == 0 and len(own.slots) and not own.parameters
    assert all_.besides < 0 and not len(all_.slots) and list(all_.parameters) == ["mf", "a"]


def test_an_item_is_named_until_it_was_sent_and_a_snapshot_has_it() -> None:
    owners = Owners()
    owners.send([("ann", k, 1.0) for k in range(8)])
    shard = owners.shards[0]

    def named() -> bool:
        return bool((shard.marks.flags[: shard.catalogue.size] & NEW > 0).all())

    shard.chunk(0, pairs=False)
    assert named(), "nobody who follows the log knows it yet"
    shard.changes(ALL, ALL, LATER)
    assert named(), "who starts with the last snapshot does not either"
    shard.chunk(0, pairs=False)
    assert not named()


def living_of(shard: ItemShard) -> Any:
    return shard.catalogue.living_slots()


def test_expired_items_are_forgotten_and_their_space_is_given_back() -> None:
    owners = Owners()
    owners.send([("ann", k, 1.0) for k in range(20)])
    before = owners.rows()
    shard = owners.shards[0]
    living = shard.catalogue.living_slots()
    shard.catalogue.seen[living] = NOW
    shard.catalogue.seen[living[:3]] = NOW - 1
    assert shard.idle(NOW) and not shard.idle(NOW - 1)
    gone = shard.expire(NOW)
    assert len(gone) == 3 and not shard.idle(NOW)
    shard.cut()
    first = shard.catalogue.names(shard.changes(1, 0, LATER)[0].slots.tolist())
    shard.compact()
    changes = shard.changes(ALL, ALL, LATER)[0]
    waited = shard.catalogue.names(changes.slots.tolist())
    assert sorted(first + waited) == sorted(shard.catalogue.ids), "what waited still does"
    assert shard.catalogue.size == len(living) - 3
    same(owners.rows(), {item: row for item, row in before.items() if item not in gone})
    assert shard.stale(pairs=True) == [(0, False), (0, True)]
    assert shard.chunk(0, pairs=True)[1].count == shard.catalogue.size


def test_rows_packed_at_once_are_those_packed_one_by_one() -> None:
    owners = Owners(span=20.0)
    owners.send([("ann", k, 1.0 + k) for k in range(20)])
    for shard in owners.shards:
        slots = np.append(shard.catalogue.living_slots()[::-1], 0).astype(np.int32)
        keys = owners.index.keys
        one_by_one = [pack_row(shard.neighbours.get_row(slot), keys) for slot in slots.tolist()]
        assert pack_rows(shard.neighbours, slots, keys).parts(0, len(slots)) == one_by_one
        assert pack_rows(shard.neighbours, slots[:0], keys).parts(0, 0) == []


def test_a_row_of_version_1() -> None:
    keys = np.array([10, 11, 2**63], np.uint64)
    row = Row(7, 1.5, np.array([2, 0], np.int32), np.array([0.5, 2.0], np.float32))
    data = pack_row(row, keys)
    assert data.hex() == (
        "01000200000000000700000000000000000000000000f83f"
        "00000000000000800a000000000000000000003f00000040"
    )
    found = read_row(data, "it")
    assert (found.clock, found.weight) == (7, 1.5)
    assert (found.keys.tolist(), found.values.tolist()) == ([2**63, 10], [0.5, 2.0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: b"", "it is stored in form no"),
        (lambda data: b"\x07" + data[1:], "it is stored in form 7, this millirec reads form 1"),
        (lambda data: data[:-4], "it has 32 bytes and says it has 1 neighbours: it is damaged"),
    ],
)
def test_a_row_that_cannot_be_read_is_refused(change: Any, message: str) -> None:
    row = Row(7, 1.5, np.zeros(1, np.int32), np.ones(1, np.float32))
    with pytest.raises(ServiceError, match=message):
        read_row(change(pack_row(row, np.ones(1, np.uint64))), "it")


def test_numbers_that_are_not_finite_read_as_0() -> None:
    row = Row(7, np.nan, np.zeros(3, np.int32), np.array([np.nan, np.inf, -1], np.float32))
    found = read_row(pack_row(row, np.ones(1, np.uint64)), "it")
    assert (found.weight, found.values.tolist()) == (0, [0, 0, 0])
