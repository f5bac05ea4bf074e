"""The order by popularity that is kept, against sorting anew."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.memory.catalogue import Catalogue
from udfs.models.popular import popular, popular_kernels
from udfs.models.popular.popular import Order, by_popularity

HALF_LIFE = 1000.0


def same(order: Order, catalogue: Catalogue, now: float) -> None:
    found, wanted = order.look(now), by_popularity(catalogue, now, HALF_LIFE)
    np.testing.assert_allclose(found.shares, wanted.shares, rtol=1e-6)
    again = np.argsort(-found.shares, kind="stable").astype(np.int32)
    assert found.order.tolist() == again[catalogue.alive[again]].tolist()


@given(
    st.lists(
        st.tuples(st.integers(0, 400), st.sampled_from(["event", "die", "jump"])), max_size=60
    ),
    st.booleans(),
)
def test_looking_again_is_sorting_anew(steps: list[tuple[int, str]], far: bool) -> None:
    catalogue, now = Catalogue(2, seed=1, max_items=1000), 0.0
    order = Order(catalogue, HALF_LIFE)
    for k, kind in steps:
        (slot,) = catalogue.slots([f"item {k}"]).tolist()
        if kind == "die":
            catalogue.alive[slot] = False
        else:
            now += 100 * (kind == "jump")
            catalogue.popularity[slot] = k % 7
            catalogue.popularity_at[slot] = now - 3 * (k % 5)
        same(order, catalogue, now)
        same(order, catalogue, now)


def test_where_all_has_moved_it_is_sorted_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue = Catalogue(2, seed=1, max_items=1000)
    slots = catalogue.slots([f"item {k}" for k in range(300)])
    order = Order(catalogue, HALF_LIFE)
    random = np.random.default_rng(1)
    for _ in range(3):
        catalogue.popularity[slots] = random.random(300)
        same(order, catalogue, 0.0)
    monkeypatch.setattr(popular, "_FAR", 1000)
    catalogue.popularity[slots] = random.random(300)
    same(order, catalogue, 0.0)


def test_nothing_is_moved_beyond_what_is_allowed() -> None:
    shares, alive = np.arange(4, dtype=np.float32), np.ones(4, np.bool_)
    order, listed = np.arange(4, dtype=np.int32), np.zeros(4, np.bool_)
    assert popular_kernels.resort(shares, alive, order.copy(), 4, listed, 5) == -1
    assert popular_kernels.resort(shares, alive, order, 4, listed, 6) == 4
    assert order.tolist() == [3, 2, 1, 0]


def test_an_order_of_fewer_slots_follows_a_compaction() -> None:
    catalogue = Catalogue(2, seed=1, max_items=1000)
    slots = catalogue.slots([f"item {k}" for k in range(300)])
    catalogue.popularity[slots] = np.arange(300)
    order = Order(catalogue, HALF_LIFE)
    same(order, catalogue, 0.0)
    other = Catalogue(2, seed=1, max_items=1000)
    other.popularity[other.slots(["a", "b", "c"])] = (1, 3, 2)
    order._catalogue = other
    same(order, other, 0.0)
    assert order.look(0.0).order.tolist() == [1, 2, 0]
