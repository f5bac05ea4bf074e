from __future__ import annotations

import numpy as np
import pytest

from flink_app.simulator.people import People
from flink_app.simulator.shop.assortment import Catalogue

NOBODY = np.empty(0, np.int64)


def people(users: int) -> People:
    rng = np.random.default_rng(2)
    return People(rng, users, Catalogue(rng, 12, 1.0).centres)


def test_visitors_are_distinct_free_and_mostly_active_users() -> None:
    shop = people(300)
    busy = np.arange(50)
    visits = np.zeros(300)
    for _ in range(200):
        visitors = shop.visitors(30, busy)
        assert len(set(visitors.tolist())) == 30
        visits[visitors] += 1
    assert not visits[:50].any()
    free = np.arange(50, 300)
    ranked = free[np.argsort(-shop.activity[free])]
    assert visits[ranked[:50]].sum() > 2 * visits[ranked[-50:]].sum()


def test_there_are_at_most_as_many_visitors_as_free_users() -> None:
    shop = people(5)
    assert sorted(shop.visitors(9, np.array([1, 3])).tolist()) == [0, 2, 4]
    assert shop.visitors(2, np.arange(5)).size == 0


def test_only_the_given_tastes_drift_by_about_the_step() -> None:
    shop = people(1000)
    before = shop.tastes.copy()
    shop.drift(np.arange(500), 0.05)
    moved = np.linalg.norm(shop.tastes - before, axis=1)
    np.testing.assert_array_equal(moved[500:], 0.0)
    assert 0.04 < moved[:500].mean() < 0.06
    np.testing.assert_allclose(np.linalg.norm(shop.tastes, axis=1), 1.0, atol=1e-5)


def test_new_users_are_numbered_after_existing_ones() -> None:
    shop = people(10)
    assert shop.grow(0).size == 0
    assert shop.grow(3).tolist() == [10, 11, 12]
    assert len(shop) == 13
    assert shop.tastes.shape == (13, 16)
    assert 12 in shop.visitors(13, NOBODY)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_swapping_permutes_the_tastes(share: float) -> None:
    shop = people(200)
    before = shop.tastes.copy()
    shop.swap(share)
    assert (before != shop.tastes).any(axis=1).sum() == round(200 * share)
    orders = [np.lexsort(tastes.T) for tastes in (before, shop.tastes)]
    np.testing.assert_array_equal(before[orders[0]], shop.tastes[orders[1]])
