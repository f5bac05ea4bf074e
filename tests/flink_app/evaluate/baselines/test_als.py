"""ALS against dense normal equations, the checkerboard and `implicit`."""

from __future__ import annotations

import numpy as np
import pytest

from flink_app.evaluate.baselines import Shape
from flink_app.evaluate.baselines.als import Als, solve
from tests.flink_app.evaluate import checkerboard


def some_pairs() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """int32[n] users of 6, int32[n] items of 7, float64[n] weights; each pair once."""
    random = np.random.default_rng(4)
    at = random.permutation(42)[:20]
    return (at // 7).astype(np.int32), (at % 7).astype(np.int32), random.random(20) + 0.5


def test_a_row_minimises_the_weighted_squares() -> None:
    who, what, weights = some_pairs()
    random = np.random.default_rng(5)
    rows, columns = np.zeros((6, 3)), random.normal(size=(7, 3))
    solve(rows, columns, who, what, 4.0 * weights, 0.7)
    target, confidence = np.zeros((6, 7)), np.ones((6, 7))
    target[who, what] = 1.0
    confidence[who, what] += 4.0 * weights
    for row in set(who.tolist()):
        c = np.diag(confidence[row])
        left = columns.T @ c @ columns + 0.7 * np.eye(3)
        assert np.allclose(rows[row], np.linalg.solve(left, columns.T @ c @ target[row]))
    absent = [row for row in range(6) if row not in who]
    assert not rows[absent].any()


def test_lists_are_those_of_the_last_fit() -> None:
    model = Als(Shape(3, 4, 9), factors=2, every=3)
    model.learn(0, 0, 1.0)
    model.learn(0, 1, 1.0)
    assert model.scores(0).tolist() == [1, 1, 0, 0]  # nothing is fitted: how often each was taken
    model.learn(1, 1, 1.0)
    fitted = model.scores(0).copy()
    assert fitted[2:].tolist() == [-np.inf, -np.inf]
    model.learn(0, 2, 1.0)
    model.learn(2, 2, 1.0)
    assert np.array_equal(model.scores(0), fitted)  # until the next fit
    assert model.scores(2).tolist() == [1, 2, 2, 0]  # who is not in the fit
    model.learn(2, 1, 1.0)
    assert model.scores(2)[2] > -np.inf


def test_it_solves_the_checkerboard() -> None:
    model = Als(checkerboard.SHAPE, factors=4, penalty=1.0, confidence=10.0, every=10_000)
    for user, item in checkerboard.pairs(1):
        model.learn(user, item, 1.0)
    model.fit()
    assert checkerboard.solved(model) == 1.0


@pytest.mark.filterwarnings("ignore:OpenBLAS is configured")  # advice about speed
def test_a_fit_is_that_of_implicit() -> None:
    als = pytest.importorskip("implicit.cpu.als", reason="implicit comes with the extra peers")
    sparse = pytest.importorskip("scipy.sparse", reason="SciPy comes with the extra peers")
    who, what, weights = some_pairs()
    model = Als(
        Shape(6, 7, 20), factors=3, penalty=0.7, confidence=4.0, sweeps=3, every=len(who)
    )  # fmt: skip
    peer = als.AlternatingLeastSquares(
        factors=3, regularization=0.7, alpha=1.0, iterations=3, use_cg=False, use_native=True,
        num_threads=1, dtype=np.float64,
    )  # fmt: skip
    peer.user_factors, peer.item_factors = model.users.copy(), model.items.copy()
    for user, item, weight in zip(who.tolist(), what.tolist(), weights.tolist(), strict=True):
        model.learn(user, item, weight)
    # Its values are the whole confidence, 1 + α r.
    peer.fit(sparse.csr_matrix((1.0 + 4.0 * weights, (who, what)), (6, 7)), show_progress=False)
    assert np.allclose(model.users, peer.user_factors, atol=1e-6)
    assert np.allclose(model.items, peer.item_factors, atol=1e-6)
