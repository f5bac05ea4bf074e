from __future__ import annotations

import numpy as np

from flink_app.simulator.shelves import SHELF, Shelves


def test_shelves_follow_weights_and_half_of_each_is_of_the_category() -> None:
    weights = np.array([4.0, 1.0, 2.0, 0.0, 1.0, 2.0])
    categories = np.array([0, 1, 0, 1, 1, 2])
    shelves = Shelves(weights, categories, 3)
    found = shelves.draw(np.random.default_rng(1), np.full(20_000, 1))
    assert found.shape == (20_000, SHELF)
    shares = np.bincount(found[:, : SHELF // 2].ravel(), minlength=6) / found[:, :8].size
    np.testing.assert_allclose(shares, weights / weights.sum(), atol=0.005)
    within = np.bincount(found[:, SHELF // 2 :].ravel(), minlength=6) / found[:, 8:].size
    np.testing.assert_allclose(within, [0, 0.5, 0, 0, 0.5, 0], atol=0.005)
