"""The choice of a list against sorting."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from flink_app.evaluate.baselines import Shape
from flink_app.evaluate.baselines.base import History
from flink_app.evaluate.baselines.kernels import best, step


@given(st.integers(0, 2**32 - 1), st.booleans())
def test_a_list_is_the_best_known_items_that_are_not_consumed(seed: int, exclude: bool) -> None:
    random = np.random.default_rng(seed)
    scores = random.integers(0, 5, 12).astype(np.float64)  # with equal ones
    scores[random.random(12) < 0.2] = -np.inf
    known = random.random(12) < 0.8
    history = History(Shape(2, 12, 12))
    for user, item in zip(random.integers(0, 2, 12), random.integers(0, 12, 12), strict=True):
        history.add(int(user), int(item))
    items = np.empty(5, np.int32)
    best(
        scores, known, 1, exclude, history.last_of_user, history.older_of_user, history.what, items
    )
    taken = set(history.items(1)) if exclude else set()
    free = [n for n in range(12) if known[n] and n not in taken and scores[n] > -np.inf]
    expected = sorted(free, key=lambda n: (-scores[n], n))[:5]
    assert items.tolist() == expected + [-1] * (5 - len(expected))


def test_a_step_by_hand() -> None:
    p, q = np.array([1.0, 2.0]), np.array([0.5, -1.0])
    step(p, q, 1.0, 0.1, 0.01, True)  # e = 1 − (0.5 − 2) = 2.5
    assert np.allclose(p, [1 + 0.1 * (1.25 - 0.01), 2 + 0.1 * (-2.5 - 0.02)])
    assert np.allclose(q, [0.5 + 0.1 * (2.5 - 0.005), -1 + 0.1 * (5 + 0.01)])
    old = q.copy()
    step(p, q, 0.0, 0.1, 0.01, False)
    assert np.array_equal(q, old)
