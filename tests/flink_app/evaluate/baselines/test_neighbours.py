"""Neighbours by hand, against dense matrices, and against `implicit`."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from flink_app.evaluate.baselines import Shape
from flink_app.evaluate.baselines.neighbours import MOST_ITEMS, ItemKnn, UserKnn
from udfs.errors import ConfigError


def random_pairs(seed: int = 3, count: int = 150) -> list[tuple[int, int]]:
    pairs = np.random.default_rng(seed).integers(0, [12, 15], (count, 2))
    return [(int(user), int(item)) for user, item in pairs]


def taken(pairs: list[tuple[int, int]]) -> NDArray[np.float64]:
    """float64[12, 15], 1 where the user took the item."""
    matrix = np.zeros((12, 15))
    for user, item in pairs:
        matrix[user, item] = 1.0
    return matrix


def cosines(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of each two rows, 0 for an empty one."""
    length = np.maximum(np.sqrt((rows**2).sum(axis=1)), 1e-300)
    product: NDArray[np.float64] = rows @ rows.T / np.outer(length, length)
    return product


def test_items_by_hand() -> None:
    model = ItemKnn(Shape(3, 4, 9), recent=1)
    for user, item in ((0, 0), (0, 1), (1, 0), (1, 1), (1, 1), (2, 2), (2, 0)):
        model.learn(user, item, 1.0)
    # n₀ = 3, n₁ = 2, n₂ = 1; n₀₁ = 2, n₀₂ = 1. The last item of user 2 is 0, of user 0 it is 1.
    assert np.allclose(model.scores(2)[1:], [2 / np.sqrt(6), 1 / np.sqrt(3), 0], atol=1e-6)
    assert np.allclose(model.scores(0)[[0, 2, 3]], [2 / np.sqrt(6), 0, 0], atol=1e-6)


def test_equal_scores_are_in_order_of_popularity() -> None:
    for kind in (ItemKnn, UserKnn):
        model = kind(Shape(4, 4, 9))
        for user, item in ((0, 0), (1, 1), (2, 2), (3, 2)):
            model.learn(user, item, 1.0)
        scores = model.scores(0)
        assert scores[2] > scores[1] > scores[3]


def test_items_as_dense_cosines() -> None:
    pairs, model = random_pairs(), ItemKnn(Shape(12, 15, 150), recent=99)
    for user, item in pairs:
        model.learn(user, item, 1.0)
    matrix = taken(pairs)
    expected = matrix @ (cosines(matrix.T) - np.eye(15))
    for user in range(12):
        free = matrix[user] == 0
        assert np.allclose(model.scores(user)[free], expected[user][free], atol=1e-6)


def test_items_that_are_only_followed_count_for_their_user() -> None:
    one, other = ItemKnn(Shape(3, 4, 9)), ItemKnn(Shape(3, 4, 9))
    for model in (one, other):
        for user, item in ((0, 0), (0, 1), (1, 0), (1, 2)):
            model.learn(user, item, 1.0)
    before = one.scores(0)
    one.follow(2, 0)
    one.follow(2, 0)
    assert np.array_equal(one.scores(0), before)
    assert one.scores(2)[1] == pytest.approx(1 / np.sqrt(2), abs=1e-6)


@pytest.mark.parametrize("neighbours", [3, 99])
def test_users_as_dense_cosines(neighbours: int) -> None:
    pairs, model = random_pairs(4, 60), UserKnn(Shape(12, 15, 150), neighbours=neighbours)
    for user, item in pairs:
        model.learn(user, item, 1.0)
    matrix = taken(pairs)
    for user in range(12):
        near = cosines(matrix)[user]
        near[user] = 0.0
        weak = np.argsort(-near.round(12), kind="stable")[neighbours:]
        near[weak] = 0.0
        assert np.allclose(model.scores(user), near @ matrix, atol=1e-6)


@pytest.mark.filterwarnings("ignore:Method expects CSR input")  # its own, between its steps
def test_items_score_as_in_implicit() -> None:
    reason = "implicit comes with the extra peers"
    nearest = pytest.importorskip("implicit.nearest_neighbours", reason=reason)
    sparse = pytest.importorskip("scipy.sparse", reason=reason)
    pairs, model = random_pairs(), ItemKnn(Shape(12, 15, 150), recent=99)
    for user, item in pairs:
        model.learn(user, item, 1.0)
    matrix = sparse.csr_matrix(taken(pairs))
    peer = nearest.CosineRecommender(K=15, num_threads=1)
    peer.fit(matrix, show_progress=False)
    for user in range(12):
        ids, scores = peer.recommend(user, matrix[user], N=15, filter_already_liked_items=True)
        for item, score in zip(ids.tolist(), scores.tolist(), strict=True):
            if score > 0:
                assert model.scores(user)[item] == pytest.approx(score, abs=1e-6)


def test_more_items_than_pairs_can_be_held_of_are_refused() -> None:
    with pytest.raises(ConfigError, match="item-knn counts every pair of items, and of 16,385"):
        ItemKnn(Shape(1, MOST_ITEMS + 1, 1))
