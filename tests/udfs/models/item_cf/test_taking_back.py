"""What a forgotten user has added to pair counts goes, and what others have added stays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.udfs.builders import OneShard, batch_of, keys
from udfs.errors import ServiceError
from udfs.learning.item_shard import ItemShard
from udfs.memory.catalogue import Catalogue
from udfs.models.item_cf.neighbours import Neighbours
from udfs.models.item_cf.taking_back import History, is_back, pack_back, take_back, unpack_back
from udfs.models.item_cf.wire import KeyIndex
from udfs.models.options import ItemCF

ITEMS = "abcdefgh"
Event = tuple[str, str, float]
ONE = st.tuples(
    st.sampled_from(["ann", "bob", "cid"]),
    st.sampled_from(ITEMS),
    st.sampled_from([1.0, 1.0, -1.0]),
)
EVENTS = st.lists(ONE, max_size=24, unique_by=lambda event: event[:2])
Counts = dict[str, tuple[float, dict[str, float]]]


def counts(neighbours: Neighbours, catalogue: Catalogue, names: dict[int, str]) -> Counts:
    """n and C of each item by name, without what is 0."""
    found = {}
    for slot, item in enumerate(catalogue.ids):
        row = neighbours.get_row(slot)
        pairs = zip(row.slots.tolist(), row.values.tolist(), strict=True)
        own = {names[name]: round(value, 4) for name, value in pairs if value > 1e-4}
        if item is not None and (own or row.weight > 1e-4):
            found[item] = round(row.weight, 4), own
    return found


def learned(events: list[Event], **options: bool) -> OneShard:
    shard = OneShard(item_cf=ItemCF(window=3), **options)
    for user, item, weight in events:
        shard.learn(batch_of([(user, item)], [weight]))
    return shard


def here(shard: OneShard) -> Counts:
    learner = shard.learner
    names = {slot: item or "" for slot, item in enumerate(learner.catalogue.ids)}
    return counts(learner.models.neighbours, learner.catalogue, names)


def history(shard: OneShard, user: str) -> tuple[History, np.ndarray]:
    [slot] = shard.slots(user).tolist()
    items, liked = shard.learner.users.standing(slot)
    return History(shard.learner.catalogue.keys[items], liked, 1.0), items


@settings(max_examples=20, deadline=None)
@given(EVENTS)
def test_counts_are_as_if_the_user_had_never_been_there(events: list[Event]) -> None:
    shard = learned(events)
    told, items = history(shard, "ann")
    take_back(shard.learner.models.neighbours, told, items, items)
    others = learned([event for event in events if event[0] != "ann"])
    assert here(shard) == here(others)


@settings(max_examples=20, deadline=None)
@given(st.lists(ONE, max_size=24))
def test_so_are_they_where_users_return_to_items(events: list[Event]) -> None:
    """But for the same item twice in a row, which a history has once."""
    last: dict[str, str] = {}
    kept = []
    for user, item, weight in events:
        if last.get(user) != item:
            kept.append((user, item, weight))
        last[user] = item
    shard = learned(kept, exclude_consumed=False)
    told, items = history(shard, "ann")
    take_back(shard.learner.models.neighbours, told, items, items)
    others = learned([one for one in kept if one[0] != "ann"], exclude_consumed=False)
    assert here(shard) == here(others)


def test_the_owners_of_the_items_do_the_same_whatever_is_applied_together() -> None:
    events: list[Event] = [(u, i, 1.0) for i in "abcde" for u in ("ann", "bob") if u + i != "boba"]
    one = OneShard(item_cf=ItemCF(window=3))
    messages: dict[int, list[bytes]] = {0: [], 1: []}
    for user, item, weight in events:
        one.learn(batch_of([(user, item)], [weight]))
        for shard, message in one.messages.items():
            messages[shard].append(message)
    back = pack_back(history(one, "ann")[0])
    others = here(learned([event for event in events if event[0] == "bob"]))
    for split in (0, 3, 9):
        found: Counts = {}
        for own in messages.values():
            owner = _owner(one)
            owner.apply(*own[:split])
            owner.apply(*own[split:], back)
            names = dict(zip(owner._index.numbers(keys(ITEMS)).tolist(), ITEMS, strict=True))
            found |= counts(owner.neighbours, owner.catalogue, names)
            assert owner.unfolded
            assert owner.waiting
        assert found == others


def _owner(sender: OneShard) -> ItemShard:
    options = sender.learner.settings
    catalogue = Catalogue(options.model.dimensions, options.model.seed, options.state.max_items)
    return ItemShard(catalogue, Neighbours(options.item_cf), None, KeyIndex(), options.half_life_ms)


def test_counts_that_fade_are_left_to_fade() -> None:
    table = Neighbours(ItemCF(span=10.0))
    none = np.zeros(2, np.int32)
    told = History(np.zeros(2, np.uint64), np.ones(2, np.bool_), 1.0)
    assert len(take_back(table, told, none, none)) == 0


def test_no_count_falls_below_0() -> None:
    shard = learned([("bob", "a", 1.0), ("bob", "b", 1.0)])
    told, items = history(shard, "bob")
    take_back(shard.learner.models.neighbours, told._replace(weight=5.0), items, items)
    assert here(shard) == {}


def test_messages_are_told_apart_and_newer_ones_refused() -> None:
    told = History(np.arange(3, dtype=np.uint64), np.array([True, False, True]), 0.5)
    data = pack_back(told)
    found = unpack_back(data)
    assert is_back(data)
    assert not is_back(b"\x9e")
    assert found.keys.tolist() == [0, 1, 2]
    assert found.liked.tolist() == [True, False, True]
    assert (found.weight, found.mixed) == (0.5, 0)
    assert unpack_back(pack_back(told._replace(mixed=2))).mixed == 2
    old = data[:1] + b"\x94\x01" + data[3:-1]
    assert unpack_back(old).keys.tolist() == [0, 1, 2] and unpack_back(old).mixed == 0
    with pytest.raises(ServiceError, match="form 9"):
        unpack_back(data[:1] + b"\x95\x09" + data[3:])
