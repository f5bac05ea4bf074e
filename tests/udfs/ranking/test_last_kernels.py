"""The ranker's features of factors besides their product, against plain NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.udfs.builders import OneShard, batch_of
from udfs.ranking.last_kernels import SCALE, Last, Norm, fill_last, price_norm

ITEMS = [f"i{n}" for n in range(40)]
SHARED, ALONE = np.float32(1.0), np.float32(0.0)


def taste(shard: OneShard, shared: Any = SHARED) -> Last:
    c, users = shard.learner.catalogue, shard.learner.users
    return Last(c.q, c.y, c.alive, users.view, shared)


@given(
    st.lists(st.tuples(st.sampled_from(ITEMS), st.booleans()), max_size=60),
    st.sets(st.sampled_from(ITEMS), max_size=4),
    st.sampled_from([SHARED, ALONE]),
)
def test_it_is_the_cosine_with_the_last_living_item_that_was_liked(
    events: list[tuple[str, bool]], gone: set[str], shared: Any
) -> None:
    shard = OneShard()
    every = [("other", item) for item in ITEMS] + [("ann", item) for item, _ in events]
    weights = [1.0] * len(ITEMS) + [1.0 if liked else -1.0 for _, liked in events]
    shard.learn(batch_of(every, weights))
    c = shard.learner.catalogue
    c.y[: c.size] += np.random.default_rng(1).normal(0, 0.2, c.y[: c.size].shape)
    c.alive[c.find([*gone])] = False
    liked: dict[str, bool] = {}  # in the order of the first event, by the last word
    for item, good in events:
        liked[item] = good
    left = [item for item, good in liked.items() if good and item not in gone]
    slots, user = c.find(ITEMS[::3]), shard.slots("ann")[0]
    out = np.full(len(slots) + 1, 7.0, np.float32)
    fill_last(taste(shard, shared), 0, user, slots, len(slots), np.zeros((2, 20)), out)
    assert out[-1] == 7
    if not left:
        assert (out[:-1] == 0).all()
        return
    h = c.find(left[-1:])[0]
    wanted, q = shared * c.q[h] + c.y[h], c.q[slots]
    cosine = q @ wanted / np.linalg.norm(q, axis=1) / np.linalg.norm(wanted)
    assert out[:-1] == pytest.approx(SCALE * cosine, abs=1e-5)


def test_an_item_without_factors_is_like_nothing() -> None:
    shard = OneShard()
    shard.learn(batch_of([("ann", "a"), ("bob", "b")]))
    c = shard.learner.catalogue
    c.q[c.find(["b"])] = 0
    out = np.ones(1, np.float32)
    fill_last(taste(shard), 0, shard.slots("ann")[0], c.find(["b"]), 1, np.zeros((2, 1)), out)
    assert out.tolist() == [0]


def test_the_norm_is_that_of_the_factors() -> None:
    q = np.random.default_rng(1).normal(0, 0.3, (9, 8)).astype(np.float32)
    q[4] = 0
    slots, out = np.array([4, 0, 7], np.int32), np.empty(3, np.float32)
    price_norm(Norm(q), slots, out)
    assert out == pytest.approx(SCALE * np.log(0.05 + np.linalg.norm(q[slots], axis=1)), abs=1e-6)
