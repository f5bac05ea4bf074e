"""Counts of a batch: the same whoever counts them and however often they are taken."""

from __future__ import annotations

import numpy as np
import pytest

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
