"""Counts of a batch: the same whoever counts them and however often they are taken."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.udfs.builders import NOW, SETTINGS, OneShard, batch_of, part
from udfs.learning.learner import Learner
from udfs.models.item_cf.arrays import Windows


def counted(threads: int, size: int, events: int = 300) -> tuple[Learner, list[Windows]]:
    """A learner after events in batches of `size`, and the windows taken at the end."""
    random = np.random.default_rng(3)
    users, items = random.integers(0, [[20], [40]], (2, events))
    pairs = [(f"user {u}", f"item {i}") for u, i in zip(users, items, strict=True)]
    batch, shard = batch_of(pairs, ts=range(NOW, NOW + events)), OneShard()
    shard.learner = learner = Learner(SETTINGS, threads)
    for begin in range(0, events, size):
        some = part(batch, begin, begin + size)
        learner.learn(some, shard.rows, shard.history, begin, NOW)
    windows = learner.models.counted()
    assert windows is not None
    taken = [Windows(*(np.array(column) for column in windows))]
    assert learner.models.counted() is None
    learner.learn(part(batch, 0, 1), shard.rows, shard.history, events, NOW)
    return learner, taken


@given(
    st.lists(st.tuples(st.integers(1, 60), st.booleans(), st.sampled_from([1, 3, 30])), max_size=12)
)
def test_windows_are_gathered_until_they_are_taken(parts: list[tuple[int, bool, int]]) -> None:
    """However many events with however few pairs came before."""
    shard, number, since = OneShard(), 0, 0
    for size, take, users in parts:
        who = [number if users == 1 else k % users for k in range(size)]
        names = [(f"user {user}", f"item {number + k}") for k, user in enumerate(who)]
        shard.learner.learn(batch_of(names), shard.rows, shard.history, number, NOW)
        number, since = number + size, since + size
        if take:
            windows = shard.learner.models.counted()
            assert windows is not None
            assert len(windows.heads) == since
            assert windows.starts[0] == 0
            assert len(windows.others) == windows.starts[-1]
            since = 0


@pytest.mark.parametrize(("threads", "size"), [(2, 300), (2, 100), (1, 1), (1, 7)])
def test_counts_and_windows_are_those_of_one_batch_in_one_thread(threads: int, size: int) -> None:
    whole, (wanted,) = counted(1, 300)
    parts, (found,) = counted(threads, size)
    for name, column in zip(Windows._fields, found, strict=True):
        assert np.array_equal(column, getattr(wanted, name)), name
    one, other = whole.models.neighbours, parts.models.neighbours
    assert one.clock == other.clock
    for name in ("ids", "lengths"):
        assert np.array_equal(getattr(one, name), getattr(other, name)), name
    np.testing.assert_allclose(one.values, other.values, rtol=1e-5)
    for name in ("who", "serial", "counts"):
        mine, theirs = (getattr(each.models.consumers, name) for each in (whole, parts))
        assert np.array_equal(mine, theirs), name
