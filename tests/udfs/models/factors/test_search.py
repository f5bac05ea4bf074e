"""Ranked candidates against plain NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from tests.udfs.builders import OneShard, batch_of
from tests.udfs.reference import by_popularity
from udfs.models.factors import search
from udfs.models.factors.arrays import Places
from udfs.models.factors.search import best_by_factors, logistic, rank_similar, user_vectors
from udfs.models.factors.search_kernels import Taste
from udfs.models.popular.first import First
from udfs.models.popular.mixture import Mixture
from udfs.models.popular.popular import Order, rank_by_popularity
from udfs.threads import Threads

N = 4


@pytest.fixture
def shard() -> OneShard:
    shard = OneShard()
    pairs = [("ann", f"item {k}") for k in range(6)] + [("bob", f"item {k}") for k in range(20)]
    shard.learn(batch_of(pairs, [1.0, 2.0] * 13))
    shard.learner.catalogue.shown[17] = False
    return shard


@pytest.mark.parametrize("cells", [1, 25, 2_000_000])
@pytest.mark.parametrize("exclude", [True, False])
def test_factors(
    shard: OneShard, exclude: bool, cells: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "_CELLS", cells)  # in parts of one row, of one, of all
    learner = shard.learner
    catalogue, users = learner.catalogue, learner.users
    slots = shard.slots("bob", "ann", "eve")
    weights = np.random.default_rng(1).normal(1, 0.5, (2, catalogue.dimensions)).astype(np.float32)
    places = Places(
        weights, np.zeros_like(weights), np.array([0, 1, 0.8], np.float32), np.float32(1)
    )
    catalogue.y[:20] = catalogue.q[:20][::-1]
    vectors = user_vectors(catalogue, users, slots, places)
    held = users.p, catalogue.q, catalogue.y, catalogue.alive, places, catalogue.axis
    taste = Taste(*held, vectors, True)
    items, products = best_by_factors(catalogue, users, slots, taste, N, exclude, Threads())
    scores = logistic(products)
    last = {"ann": (5, 4), "bob": (19, 18)}
    eaten = {"ann": set(range(6)), "bob": set(range(20)), "eve": set[int]()}
    for row, user in enumerate(("bob", "ann", "eve")):
        wanted = users.p[slots[row]].copy()
        for k, item in enumerate(last.get(user, ())):
            wanted += np.float32(0.8) * weights[k] * (catalogue.q[item] + catalogue.y[item])
        logits = wanted @ catalogue.q[:20].T + catalogue.bias[:20]
        left_out = {17} | (eaten[user] if exclude else set())
        order = [k for k in np.argsort(-logits).tolist() if k not in left_out][:N]
        assert items[row].tolist() == order + [-1] * (N - len(order))
        expected = (1 / (1 + np.exp(-logits[order]))).tolist() + [0.0] * (N - len(order))
        np.testing.assert_allclose(scores[row], expected, rtol=1e-5)


def test_similar_items_are_those_of_the_same_direction(shard: OneShard) -> None:
    catalogue = shard.learner.catalogue
    items, scores = rank_similar(catalogue, np.array([3, 5]), N)
    unit = catalogue.q[:20] / np.linalg.norm(catalogue.q[:20], axis=1, keepdims=True)
    for row, slot in enumerate((3, 5)):
        cosine = unit @ unit[slot]
        order = [k for k in np.argsort(-cosine).tolist() if k not in (slot, 17)][:N]
        assert items[row].tolist() == order
        np.testing.assert_allclose(scores[row], (1 + cosine[order]) / 2, rtol=1e-4)


def test_an_item_of_zero_factors_has_neighbours_too(shard: OneShard) -> None:
    shard.learner.catalogue.q[2] = 0
    items, scores = rank_similar(shard.learner.catalogue, np.array([2]), N)
    assert 2 not in items[0]
    assert scores[0].tolist() == [0.5] * N


def test_the_only_item_has_no_similar_ones() -> None:
    shard = OneShard()
    shard.learn(batch_of([("ann", "a")]))
    items, _ = rank_similar(shard.learner.catalogue, np.array([0]), N)
    assert items.tolist() == [[-1] * N]


def test_shares_are_decayed_and_1_at_most() -> None:
    shard = OneShard()
    shard.learn(batch_of([("ann", "a"), ("ann", "b"), ("ann", "c")], [1, 1, -1], ts=[0, 1000, 0]))
    catalogue = shard.learner.catalogue
    order = Order(catalogue, 1000, Mixture(fixed=True), First())
    np.testing.assert_allclose(order.look(2000).known.shares, [0.5, 1, 0], rtol=1e-6)
    # An event of the future does not grow by it.
    np.testing.assert_allclose(order.look(0).known.shares, [1, 1, 0], rtol=1e-6)
    catalogue.shown[:] = False
    assert order.look(2000).known.shares.tolist() == [0, 0, 0]


def test_popular_items_for_a_user_and_for_nobody(shard: OneShard) -> None:
    learner = shard.learner
    popular = by_popularity(learner.catalogue, learner.models.clock_ms, learner.half_life_ms)
    slots = np.array([-1, *shard.slots("ann")], np.int32)
    items, scores = rank_by_popularity(popular, learner.users, slots, N, True)
    order = [k for k in np.argsort(-popular.known.shares, kind="stable").tolist() if k != 17]
    assert items[0].tolist() == order[:N]
    assert items[1].tolist() == [k for k in order if k >= 6][:N]
    assert scores[0].tolist() == popular.known.shares[order[:N]].tolist()


def test_shares_older_than_the_catalogue_rank_what_they_cover(shard: OneShard) -> None:
    learner = shard.learner
    popular = by_popularity(learner.catalogue, learner.models.clock_ms, learner.half_life_ms)
    shard.learn(batch_of([("ann", f"later {k}") for k in range(500)]))
    slots = shard.slots("ann")
    items, _ = rank_by_popularity(popular, learner.users, slots, N, True)
    assert (items < 20).all()


def test_nothing_to_rank() -> None:
    learner = OneShard().learner
    none = np.array([-1], np.int32)
    popular = by_popularity(learner.catalogue, 0, 1)
    items, _ = rank_by_popularity(popular, learner.users, none, N, True)
    assert items.tolist() == [[-1] * N]
