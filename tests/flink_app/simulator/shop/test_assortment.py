from __future__ import annotations

import numpy as np
import pytest

from flink_app.simulator.shelves import SHELF
from flink_app.simulator.shop.assortment import Catalogue
from flink_app.simulator.shop.names import CATEGORIES


def catalogue(items: int, exponent: float = 1.0) -> Catalogue:
    return Catalogue(np.random.default_rng(5), items, exponent)


def test_vectors_are_unit_and_nearest_to_their_own_category() -> None:
    shop = catalogue(600)
    np.testing.assert_allclose(np.linalg.norm(shop.vectors, axis=1), 1.0, atol=1e-5)
    nearest = np.argmax(shop.vectors @ shop.centres.T, axis=1)
    assert np.mean(nearest == np.arange(600) % len(CATEGORIES)) > 0.95


def test_popularity_follows_zipf_and_popular_items_have_more_appeal() -> None:
    shop = catalogue(500, exponent=0.9)
    np.testing.assert_allclose(np.sort(shop.popularity)[::-1], np.arange(1, 501) ** -0.9)
    assert np.all(np.diff(shop.appeal[np.argsort(-shop.popularity)]) < 0)


def test_shelves_follow_popularity_and_half_of_each_is_from_the_category() -> None:
    shop = catalogue(60)
    shelves = shop.shelves(np.full(40_000, 7))
    assert shelves.shape == (40_000, SHELF)
    everywhere, within = shelves[:, : SHELF // 2], shelves[:, SHELF // 2 :]
    assert np.all(within % len(CATEGORIES) == 7)
    shares = np.bincount(everywhere.ravel(), minlength=60) / everywhere.size
    np.testing.assert_allclose(shares, shop.popularity / shop.popularity.sum(), atol=0.003)


@pytest.mark.parametrize("items", [1, 5, 13])
def test_small_shops_have_shelves_for_every_category(items: int) -> None:
    shelves = catalogue(items).shelves(np.arange(len(CATEGORIES)))
    assert shelves.min() >= 0
    assert shelves.max() < items


def test_growth_keeps_old_items_and_puts_new_ones_on_shelves() -> None:
    shop = catalogue(100)
    before = shop.vectors.copy(), shop.popularity.copy()
    shop.grow(50)
    assert len(shop) == 150
    np.testing.assert_array_equal(shop.vectors[:100], before[0])
    np.testing.assert_array_equal(shop.popularity[:100], before[1])
    seen = np.unique(shop.shelves(np.repeat(np.arange(12), 5000)))
    assert np.count_nonzero(seen >= 100) > 40


def test_affinity_is_the_dot_product_plus_appeal() -> None:
    shop = catalogue(30)
    tastes = shop.vectors[:3]
    items = np.array([[0, 29], [5, 6], [2, 2]])
    expected = [
        [tastes[n] @ shop.vectors[i] + shop.appeal[i] for i in row] for n, row in enumerate(items)
    ]
    np.testing.assert_allclose(shop.affinity(tastes, items), expected, atol=1e-5)
