"""A history without one item is that of somebody who never had it; afterwards it is as it was."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.udfs.builders import OneShard, batch_of
from udfs.memory.history_kernels import PAGE
from udfs.memory.left_out import left_out


@given(st.integers(1, 3 * PAGE + 5), st.data())
def test_it_is_the_history_without_the_item(length: int, data: st.DataObject) -> None:
    ago = data.draw(st.integers(0, length - 1))
    weights = data.draw(st.lists(st.sampled_from([1.0, -1.0]), min_size=length, max_size=length))
    shard = OneShard(served="popular")
    users = shard.learner.users
    pairs = [("ann", f"item {n}") for n in range(length)]
    shard.learn(batch_of([*pairs, ("bob", "x")], [*weights, 1.0]))
    (slot, other) = shard.slots("ann", "bob").tolist()
    before, his = users.standing(slot), users.standing(other)
    used, rows = len(users.pages) - users.free_count, dict(shard.rows.data)
    with left_out(users, slot, ago):
        items, liked = users.standing(slot)
        assert items.tolist() == np.delete(before[0], length - 1 - ago).tolist()
        assert liked.tolist() == np.delete(before[1], length - 1 - ago).tolist()
        assert users.events[slot] == length - 1
        assert [one.tolist() for one in users.standing(other)] == [one.tolist() for one in his]
    assert [one.tolist() for one in users.standing(slot)] == [one.tolist() for one in before]
    assert (len(users.pages) - users.free_count, users.events[slot]) == (used, length)
    shard.learn(batch_of([("cid", f"item {n}") for n in range(2 * PAGE)]))  # uses what is free
    assert [one.tolist() for one in users.standing(slot)] == [one.tolist() for one in before]
    assert {name: shard.rows.data[name] for name in rows} == rows


def test_what_fails_meanwhile_leaves_it_as_it_was() -> None:
    shard = OneShard(served="popular")
    shard.learn(batch_of([("ann", "a"), ("ann", "b")]))
    (slot,) = shard.slots("ann").tolist()
    before = shard.learner.users.history_of(slot).tolist()
    with pytest.raises(ZeroDivisionError), left_out(shard.learner.users, slot, 1):
        raise ZeroDivisionError
    assert shard.learner.users.history_of(slot).tolist() == before


def test_who_returns_to_an_item_never_left_it_without_the_one_between() -> None:
    shard = OneShard(served="popular", exclude_consumed=False)
    shard.learn(batch_of([("ann", item) for item in "abab"]))
    users, (slot,) = shard.learner.users, shard.slots("ann").tolist()
    a, b = users.history_of(slot)[:2].tolist()
    with left_out(users, slot, 2):
        assert users.history_of(slot).tolist() == [a, b]
    with left_out(users, slot, 0):
        assert users.history_of(slot).tolist() == [a, b, a]
    assert users.history_of(slot).tolist() == [a, b, a, b]
