"""Tables alone, and attached to a catalogue and to users: against dictionaries keyed by id."""

from __future__ import annotations

import mmap
from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import typeof

from tests.udfs.builders import NOW, OneShard, batch_of, keys
from udfs.events.batch import item_key
from udfs.memory.catalogue import Catalogue
from udfs.memory.columns import Table, column, zeros
from udfs.memory.history_kernels import PAGE


class Toy(Table):
    """A table of two kinds of columns and one of slots."""

    value = column(np.float32, ("d",), fill=-1)
    count = column(np.int64)
    friend = column(np.int32, fill=-1, slots=True)


def test_a_column_is_an_array_of_the_shape_and_type_declared() -> None:
    toy = Toy(3, d=2)
    assert (toy.value.shape, toy.value.dtype, toy.count.dtype) == ((3, 2), np.float32, np.int64)
    assert toy.value.tolist() == [[-1, -1]] * 3
    assert toy.friend.tolist() == [-1] * 3
    assert "count" in vars(toy), "an attribute like any other: nothing is called to read it"


@pytest.mark.parametrize("sizes", [{}, {"e": 2}, {"d": 1, "e": 2}])
def test_sizes_that_do_not_fit_are_refused(sizes: dict[str, int]) -> None:
    with pytest.raises(TypeError, match="Toy has columns of the sizes "):
        Toy(2, **sizes)


def test_rooms_and_widths_grow() -> None:
    toy = Toy(2, d=2)
    toy.value[1], toy.count[1] = [5, 6], 7
    before = toy.value
    toy.reserve(2)
    assert toy.value is before
    toy.reserve(3)
    assert toy.room == len(toy.count) == 4
    toy.reserve(20, d=3)
    assert toy.value.shape == (20, 3)
    assert toy.value[1].tolist() == [5, 6, -1]
    assert toy.value[19].tolist() == [-1, -1, -1]
    assert toy.count.tolist() == [0, 7, *[0] * 18]


def test_a_large_column_is_like_a_small_one() -> None:
    toy = Toy(1 << 20, d=1)
    assert toy.count.nbytes >= 1 << 22
    assert toy.count.flags.carray and not toy.count.any() and (toy.friend == -1).all()
    toy.count[-1], toy.value[-1] = 7, 5
    toy.reserve((1 << 20) + 1)
    assert toy.count.shape == (1 << 21,)
    assert toy.count[[(1 << 20) - 1, -1]].tolist() == [7, 0]
    assert toy.value[[(1 << 20) - 1, -1]].tolist() == [[5], [-1]]
    assert typeof(toy.count) == typeof(np.zeros(1, np.int64)), "kernels are not compiled anew"


def test_a_system_without_huge_pages_has_large_columns_too() -> None:
    class Refused(mmap.mmap):
        def madvise(self, *_: object) -> None:
            raise OSError

    with mock.patch.object(mmap, "mmap", Refused):
        assert not zeros((1 << 22,), np.uint8).any()
    with mock.patch("udfs.memory.columns.mmap", mock.Mock(spec=[])):
        assert not zeros((1 << 22,), np.uint8).any()


def test_a_subclass_of_a_table_has_the_columns_of_both() -> None:
    class More(Toy):
        more = column(np.bool_, fill=True)

    assert More(2, d=1).more.tolist() == [True, True]
    assert More(2, d=1).friend.tolist() == [-1, -1]
    assert "more" not in Toy.columns


class Seen(Table):
    seen = column(np.int64)


def test_a_table_of_items_is_attached_in_one_line() -> None:
    """It is grown, cleared and moved, although no other code knows it."""
    learner = OneShard(max_items=100_000).learner
    catalogue = learner.catalogue
    table = catalogue.attach(Seen())

    slots = catalogue.slots([f"old {k}" for k in range(2000)])
    table.seen[slots] = 1 + np.arange(2000)
    assert len(table.seen) == catalogue.room >= 2000, "grown"
    catalogue.seen[slots[1500:]] = NOW
    learner.expire_items(0)
    assert table.seen[: catalogue.size].tolist() == list(range(1, 2001))
    catalogue.expire(NOW)
    assert table.seen[: catalogue.size].tolist() == [*[0] * 1500, *range(1501, 2001)], "cleared"
    learner.expire_items(NOW)
    assert catalogue.size == 500
    assert table.seen[catalogue.find(["old 1500", "old 1999"])].tolist() == [1501, 2000], "moved"
    assert not table.seen[500:].any()


def test_a_table_of_users_is_attached_in_one_line() -> None:
    shard = OneShard(user_cache=100)
    users = shard.learner.users
    table = users.attach(Seen())
    names = [f"user {k}" for k in range(100)]
    slots = shard.slots(*names)
    table.seen[slots] = 1 + np.arange(100)
    assert len(table.seen) >= 100, "grown"
    assert table.seen[slots].tolist() == list(range(1, 101))
    users.forget("user 5")
    assert table.seen[slots[5]] == 0, "cleared"
    assert shard.slots("another").tolist() == [slots[5]]
    assert table.seen[slots[5]] == 0


def test_tables_attached_to_tables_follow_too() -> None:
    toy, seen = Toy(4, d=1), Seen(2)
    toy.attach(seen)
    toy.reserve(8)
    seen.seen[:] = np.arange(8)
    toy.clear(np.array([1, 2]))
    assert seen.seen.tolist() == [0, 0, 0, 3, 4, 5, 6, 7]
    assert toy.keep(np.array([7, 3])).tolist() == [-1, -1, -1, 1, -1, -1, -1, 0]
    assert seen.seen.tolist() == [7, 3, *[0] * 6]


@pytest.mark.parametrize("slots", [True, False])
def test_slot_values_are_renumbered_unless_they_are_slots_of_another_table(slots: bool) -> None:
    owner, toy = Seen(4), Toy(4, d=1)
    owner.attach(toy, slots=slots)
    toy.friend[:] = [1, 2, 3, -1]
    owner.keep(np.array([3, 1, 2]))
    assert toy.friend.tolist() == ([-1, 2, 0, -1] if slots else [-1, 2, 3, -1])


ITEMS = [f"i{k}" for k in range(12)]
USERS = ["ann", "bob", "eve"]
some_items = st.lists(st.sampled_from(ITEMS), min_size=1, max_size=5, unique=True)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("learn"), st.sampled_from(USERS), some_items),
        st.tuples(st.just("expire"), st.booleans(), some_items),
        st.tuples(st.just("evict"), st.sampled_from(USERS), st.none()),
        st.tuples(st.just("stock"), st.none(), st.none()),
    ),
    max_size=25,
)


class World:
    """A learner with toy tables, and dictionaries that say what should be in them."""

    def __init__(self) -> None:
        self.shard = OneShard(user_cache=2, served="popular")
        learner = self.shard.learner
        self.catalogue, self.users = learner.catalogue, learner.users
        self.of_items = self.catalogue.attach(Toy(1, d=2))
        self.of_users = self.users.attach(Toy(1, d=3))
        self.items: dict[str, tuple[int, str]] = {}  # value, friend
        self.cached: dict[str, int] = {}  # value, in order of their last use
        self.histories: dict[str, list[str]] = {name: [] for name in USERS}
        self.stocked = 0

    def learn(self, user: str, items: list[str]) -> None:
        self.shard.learn(batch_of([(user, item) for item in items]))
        history = self.histories[user]
        history += [item for item in items if item not in history]
        (slot,) = self.shard.slots(user)
        self.cached[user] = self.cached.pop(user, 0) + len(items)
        self.cached = dict(list(self.cached.items())[-2:])
        self.of_users.value[slot] += len(items) + (self.of_users.value[slot] < 0)
        slots = self.catalogue.find(items)
        for item, friend, slot in zip(items, items[1:] + items[:1], slots.tolist(), strict=True):
            value = self.items.get(item, (0, ""))[0] + 1
            self.items[item] = value, friend
            self.of_items.count[slot] += 1
            self.of_items.friend[slot] = self.catalogue.find([friend])[0]

    def stock(self) -> None:
        """More items than there is room for."""
        names = [f"more {self.stocked + k}" for k in range(300)]
        self.stocked += 300
        self.catalogue.slots(names)
        self.items |= dict.fromkeys(names, (0, ""))

    def expire(self, items: list[str], compacts: bool) -> None:
        self.catalogue.seen[: self.catalogue.size] = 2
        gone = [item for item in items if item in self.items]
        gone += [item for item in self.items if item.startswith("more")]
        self.catalogue.seen[self.catalogue.find(gone)] = 1
        with mock.patch.object(Catalogue, "wasteful", compacts):
            self.shard.learner.expire_items(2)
        for item in gone:
            del self.items[item]
        if compacts:
            eaten = {item for user in self.cached for item in self.histories[user]}
            kept = self.items.keys() | eaten
            assert self.catalogue.size == len(kept)
            for item, (value, friend) in self.items.items():
                self.items[item] = value, friend if friend in kept else ""

    def check(self) -> None:
        catalogue, toy = self.catalogue, self.of_items
        assert sorted(catalogue.names(catalogue.living_slots().tolist())) == sorted(self.items)
        living = catalogue.find(list(self.items)).tolist()
        for slot, (value, friend) in zip(living, self.items.values(), strict=True):
            assert toy.count[slot] == value
            if (found := int(toy.friend[slot])) >= 0:
                assert catalogue.keys[found] == item_key(friend)
            else:
                assert not friend
        rest = np.setdiff1d(np.arange(toy.room), living)
        assert not toy.count[rest].any() and (toy.friend[rest] == -1).all()
        users, of_users = self.users, self.of_users
        assert {name for name in USERS if users.find(name) >= 0} == set(self.cached)
        slots = [users.find(name) for name in self.cached]
        assert of_users.value[slots].tolist() == [[value] * 3 for value in self.cached.values()]
        rest = np.setdiff1d(np.arange(users.room), slots)
        assert (of_users.value[rest] == -1).all() and not users.serials[rest].any()
        for name, slot in zip(self.cached, slots, strict=True):
            assert self.history_of(slot) == keys(self.histories[name]).tolist()

    def history_of(self, slot: int) -> list[Any]:
        found: list[Any] = []
        page, length = self.users.tail[slot], self.users.fill[slot]
        while page >= 0:
            found = self.catalogue.keys[self.users.pages[page, :length]].tolist() + found
            page, length = self.users.older[page], PAGE
        return found


@settings(max_examples=60, deadline=None)
@given(steps)
def test_after_any_sequence_the_values_are_those_of_the_ids(sequence: list[Any]) -> None:
    world = World()
    for step, first, second in sequence:
        if step == "learn":
            world.learn(first, second)
        elif step == "expire":
            world.expire(second, first)
        elif step == "evict":
            world.users.forget(first)
            world.cached.pop(first, None)
        else:
            world.stock()
        world.check()
