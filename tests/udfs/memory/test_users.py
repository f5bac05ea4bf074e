"""The cache of users over the state: a bounded memory that loses nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.udfs import reference
from tests.udfs.builders import NOW, OneShard, batch_of, part, shown
from tests.udfs.fakes import DictState
from udfs.events.batch import item_key
from udfs.memory.catalogue import Catalogue
from udfs.memory.history_kernels import PAGE
from udfs.memory.users import Users


def history_of(shard: OneShard, user: str) -> list[str]:
    """A user's consumed items, oldest first, by id."""
    users = shard.learner.users
    (slot,) = shard.slots(user)
    chunks, page, length = [], users.tail[slot], users.fill[slot]
    while page >= 0:
        chunks.append(users.pages[page, :length].tolist())
        page, length = users.older[page], PAGE
    return shard.learner.catalogue.names(k for chunk in reversed(chunks) for k in chunk)


def values_of(shard: OneShard, user: str) -> tuple[Any, ...]:
    users = shard.learner.users
    (slot,) = shard.slots(user)
    numbers = (users.spread, users.events, users.last, users.seen, users.first, users.sealed)
    return (users.p[slot].tolist(), *(column[slot].item() for column in numbers))


def test_a_new_user_starts_where_every_process_starts() -> None:
    users = Users(4, 7, 10, 100)
    (slot,) = users.locate(["ann"], DictState(), DictState(), Catalogue(4, 7, 10)).values()
    expected = reference.initial_factors(item_key("ann"), 0xFFFFFFFF - 7, 4)
    np.testing.assert_allclose(users.p[slot], expected, rtol=1e-6, atol=1e-7)
    assert (users.events[slot], users.tail[slot], len(users)) == (0, -1, 1)
    assert users.find("ann") == slot
    assert users.find("bob") == -1


def test_eviction_drops_the_longest_unused_but_none_of_the_batch() -> None:
    users, rows, catalogue = Users(4, 1, 3, 100), DictState(), Catalogue(4, 1, 10)

    def locate(*names: str) -> list[int]:
        return list(users.locate(names, rows, rows, catalogue).values())

    locate("a", "b", "c")
    locate("a", "d")
    assert [users.find(name) >= 0 for name in "abcd"] == [True, False, True, True]
    slots = locate("1", "2", "3", "4", "5")
    assert len(users) == 5
    assert len(set(slots)) == 5
    locate("6")
    assert len(users) == 3
    assert users.find("6") >= 0


def test_an_evicted_user_comes_back_equal() -> None:
    shard = OneShard(user_cache=1)
    shard.learn(batch_of([("ann", f"item {k}") for k in range(80)], ts=range(80)), NOW)
    values, history = values_of(shard, "ann"), history_of(shard, "ann")
    assert values[1] > 0
    assert history == [f"item {k}" for k in range(80)]
    shard.learn(batch_of([("bob", "item 1")]))
    assert shard.learner.users.find("ann") == -1
    assert values_of(shard, "ann") == values
    assert history_of(shard, "ann") == history


@settings(max_examples=25)
@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from(["ann", "bob", "eve"]), st.integers(0, 90)), min_size=1),
        min_size=1,
        max_size=8,
    )
)
def test_a_cache_of_one_learns_what_a_large_cache_learns(
    batches: list[list[tuple[str, int]]],
) -> None:
    small, large = OneShard(user_cache=1), OneShard()
    for pairs in batches:
        batch = batch_of([(user, f"item {item}") for user, item in pairs])
        small.learn(batch)
        large.learn(batch)
        named = len({user for user, _ in pairs})
        assert len(small.learner.users) <= max(1, named)
    assert small.rows.data == large.rows.data
    assert small.history.data == large.history.data
    for user in ("ann", "bob", "eve"):
        assert history_of(small, user) == history_of(large, user)


def test_full_pages_are_sealed_once_and_the_oldest_are_trimmed() -> None:
    shard = OneShard(history=2 * PAGE)
    names = [f"item {k:03}" for k in range(5 * PAGE + 3)]
    for begin in range(0, len(names), 7):
        shard.learn(batch_of([("ann", name) for name in names[begin : begin + 7]]))
    assert sorted(shard.history.data) == ["3:ann", "4:ann"]
    page = np.frombuffer(shard.history.data["3:ann"], "<u8", PAGE).tolist()
    assert page == [item_key(name) for name in names[3 * PAGE : 4 * PAGE]]
    assert history_of(shard, "ann") == names[3 * PAGE :]
    users = shard.learner.users
    assert users.free_count == len(users.free) - 3, "trimmed pages are free again"


def disliked_of(shard: OneShard, user: str) -> list[int]:
    """Which of a user's consumed items are marked as not liked, counted from the oldest."""
    users = shard.learner.users
    (slot,) = shard.slots(user)
    marks: list[bool] = []
    page, length = users.tail[slot], users.fill[slot]
    while page >= 0:
        bits = int(users.disliked[page])
        marks = [bool(bits >> k & 1) for k in range(length)] + marks
        page, length = users.older[page], PAGE
    return [n for n, mark in enumerate(marks) if mark]


@pytest.mark.parametrize("consumed", [PAGE - 1, PAGE, PAGE + 1, 3 * PAGE + 5])
def test_what_was_disliked_stays_so_in_state(consumed: int) -> None:
    shard = OneShard(user_cache=1)
    weights = [-1.0 if k % 7 == 3 else 0.0 if k % 31 == 0 else 1.0 for k in range(consumed)]
    shard.learn(batch_of([("ann", f"item {k}") for k in range(consumed)], weights))
    wanted = [k for k, weight in enumerate(weights) if weight <= 0]
    assert disliked_of(shard, "ann") == wanted
    for _ in range(2):
        shard.learn(batch_of([("bob", "item 1")]))
        assert shard.learner.users.find("ann") == -1
        assert disliked_of(shard, "ann") == wanted
        shard.learn(batch_of([("ann", "item 1")]))


@pytest.mark.parametrize("item", [0, PAGE - 1, PAGE, 3 * PAGE, 3 * PAGE + 4])
@pytest.mark.parametrize("history", [1000, 2 * PAGE])
@pytest.mark.parametrize("at_once", [False, True])
def test_the_latest_event_of_an_item_counts_and_stays_in_state(
    item: int, history: int, at_once: bool
) -> None:
    """Whichever page the item is on, also in the batch that trims the history."""
    shard = OneShard(user_cache=1, history=history)
    pairs = [("ann", f"item {k}") for k in range(3 * PAGE + 5)]
    weights = [1.0, -1.0, 1.0, -1.0, 0.0]
    events = [*pairs, *[("ann", f"item {item}")] * (len(weights) - 1)]
    whole = batch_of(events, [*[1.0] * len(pairs), *weights[1:]])
    size = len(whole) if at_once else 7
    for begin in range(0, len(whole), size):
        shard.learn(part(whole, begin, begin + size))
    kept = history_of(shard, "ann")
    wanted = [n for n, name in enumerate(kept) if name == f"item {item}"]
    if len(kept) == len(pairs):
        assert wanted == [item]
    for _ in range(2):
        shard.learn(batch_of([("bob", "item 1")]))
        assert shard.learner.users.find("ann") == -1
        assert history_of(shard, "ann") == kept
        assert disliked_of(shard, "ann") == wanted


def test_a_full_page_of_version_1_holds_what_was_liked() -> None:
    shard = OneShard(user_cache=1)
    shard.learn(batch_of([("ann", f"item {k}") for k in range(PAGE + 2)], -1.0))
    shard.history.data["0:ann"] = shard.history.data["0:ann"][: 8 * PAGE]
    shard.learn(batch_of([("bob", "item 1")]))
    assert history_of(shard, "ann") == [f"item {k}" for k in range(PAGE + 2)]
    assert disliked_of(shard, "ann") == [PAGE, PAGE + 1]


def test_many_pages_in_one_batch_are_trimmed_at_once() -> None:
    shard = OneShard(history=40)
    names = [f"item {k}" for k in range(20 * PAGE)]
    shard.learn(batch_of([("ann", name) for name in names]))
    assert sorted(shard.history.data) == ["18:ann", "19:ann"]
    assert history_of(shard, "ann") == names[18 * PAGE :]
    shard.learn(batch_of([("bob", "x")]))
    shard.learner.users.forget("ann")
    assert history_of(shard, "ann") == names[18 * PAGE :]


@pytest.mark.parametrize("consumed", [PAGE - 1, PAGE, PAGE + 1, 1000])
def test_a_reloaded_user_is_shown_nothing_consumed(consumed: int) -> None:
    shard = OneShard(user_cache=1, length=20)
    eaten = [f"item {k}" for k in range(consumed)]
    shard.learn(batch_of([("bob", f"fresh {k}") for k in range(10)]))
    shard.learn(batch_of([("ann", name) for name in eaten]))
    shard.learn(batch_of([("bob", "fresh 0")]))
    assert shard.learner.users.find("ann") == -1
    items = shown(shard.lists("ann")["rec:ann"])
    assert sorted(items) == [f"fresh {k}" for k in range(10)]
    # The same after a restart, with a catalogue that has met the items in another order.
    again = OneShard(rows=shard.rows.copy(), length=20)
    again.history = shard.history.copy()
    again.learn(batch_of([("eve", name) for name in ["fresh 3", *reversed(eaten), "fresh 1"]]))
    assert sorted(shown(again.lists("ann")["rec:ann"])) == ["fresh 1", "fresh 3"]


def test_odd_names_do_not_collide() -> None:
    shard = OneShard(user_cache=1, history=2 * PAGE)
    names = ["1:ann", "ann", ":", "ü\n", "a b", "0:0:0"]
    for name in names:
        shard.learn(batch_of([(name, f"{name} {k}") for k in range(2 * PAGE + 1)]))
    for name in names:
        assert history_of(shard, name) == [f"{name} {k}" for k in range(2 * PAGE + 1)]


@pytest.mark.parametrize("cached", [True, False])
def test_a_history_is_the_same_after_a_compaction(cached: bool) -> None:
    """In the cache, in state, and in what is written to state later."""
    shard = OneShard(max_items=100_000)
    eaten = [f"old {k}" for k in range(5000)]
    shard.learn(batch_of([("ann", name) for name in eaten]), NOW - 1000)
    shard.learn(batch_of([("bob", "new"), ("ann", "new")]), NOW)
    users, catalogue = shard.learner.users, shard.learner.catalogue
    if not cached:
        users.forget("ann")
    pages = [keys_of(shard, "ann")] if cached else []
    shard.learner.expire_items(NOW - 500)
    assert catalogue.living == 1
    assert (users.find("ann") >= 0) is cached, "nobody has to be loaded again"
    assert catalogue.size < 1200 if cached else catalogue.size == 1
    shard.learn(batch_of([("ann", "new"), ("eve", "newer")]))
    pages += [keys_of(shard, "ann")]
    users.forget("ann")
    pages += [keys_of(shard, "ann")]
    kept = -(-1000 // PAGE) * PAGE  # full pages, and the one that is being filled
    wanted = [item_key(name) for name in [*eaten, "new"]]
    assert len(pages[0]) >= kept
    assert all(found == wanted[-len(found) :] for found in pages)
    assert shown(shard.lists("eve")["rec:eve"]) == ["new"]
    assert shown(shard.lists("ann")["rec:ann"]) == ["newer"]


def keys_of(shard: OneShard, user: str) -> list[int]:
    """The keys of a user's consumed items, oldest first."""
    users = shard.learner.users
    (slot,) = shard.slots(user)
    found: list[int] = []
    page, length = users.tail[slot], users.fill[slot]
    while page >= 0:
        found = shard.learner.catalogue.keys[users.pages[page, :length]].tolist() + found
        page, length = users.older[page], PAGE
    return found
