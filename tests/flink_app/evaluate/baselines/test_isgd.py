"""ISGD and RAISGD against the rule written out, and the queue of negatives."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from flink_app.evaluate.baselines import Shape
from flink_app.evaluate.baselines.isgd import Isgd, Raisgd

SHAPE = Shape(3, 4, 99)
RATE, PENALTY = 0.2, 0.05


def moved(p: np.ndarray, q: np.ndarray, target: float) -> tuple[np.ndarray, np.ndarray]:
    error = target - p @ q
    return p + RATE * (error * q - PENALTY * p), q + RATE * (error * p - PENALTY * q)


def test_an_event_is_some_steps_towards_one() -> None:
    model = Isgd(SHAPE, 5, factors=3, rate=RATE, penalty=PENALTY, steps=2)
    p, q = model.users[1].copy(), model.items[2].copy()
    for _ in range(2):
        p, q = moved(p, q, 1.0)
    model.learn(1, 2, 1.0)
    assert np.allclose(model.users[1], p) and np.allclose(model.items[2], q)


def test_an_item_ranks_by_how_near_to_one_it_is() -> None:
    for nearest, order in ((True, [1, 2, 0, 3]), (False, [3, 2, 1, 0])):
        model = Isgd(SHAPE, factors=1, nearest=nearest)
        model.users[0], model.items[:, 0] = 1.0, [0.5, 0.9, 1.2, 1.8]
        assert np.argsort(-model.scores(0)).tolist() == order


@pytest.mark.parametrize("nearest", [True, False])
def test_what_has_diverged_is_the_lowest_and_nothing_warns(nearest: bool) -> None:
    model = Isgd(SHAPE, factors=2, nearest=nearest)
    model.users[0] = [1e200, -1.0]
    model.items[:, 0], model.items[:, 1] = [1e200, np.nan, 0.0, np.inf], [0.0, 0.0, -1.0, np.inf]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scores = model.scores(0)
        model.users[1] = np.nan
        lost = model.scores(1)
        for _ in range(50):
            model.learn(0, 0, 1.0)
    assert scores.tolist() == [-np.inf, -np.inf, 0.0 if nearest else 1.0, -np.inf]
    assert lost.tolist() == [-np.inf] * 4


def test_the_items_not_seen_for_longest_are_negative() -> None:
    model = Raisgd(SHAPE, 5, factors=3, rate=RATE, penalty=PENALTY, negatives=2)
    p, items = model.users[0].copy(), model.items.copy()
    for taken, negative in ((0, []), (1, [0]), (2, [0, 1]), (1, [0, 2]), (3, [0, 2])):
        for other in negative:
            p, _ = moved(p, items[other], 0.0)
        p, items[taken] = moved(p, items[taken], 1.0)
        model.learn(0, taken, 1.0)
        assert np.allclose(model.users[0], p) and np.allclose(model.items, items)
    assert model.queue == [1, 0, 2, 3]


def test_negatives_move_items_too_if_told_so() -> None:
    model = Raisgd(SHAPE, 5, factors=3, rate=RATE, penalty=PENALTY, negatives=1, negate_items=True)
    model.learn(0, 0, 1.0)
    before = model.items.copy()
    model.learn(0, 1, 1.0)
    assert not np.array_equal(model.items[0], before[0])
