"""The history of pairs against plain lists, and what all baselines have in common."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flink_app.evaluate.baselines import BASELINES, Shape
from flink_app.evaluate.baselines.base import History
from tests.flink_app.evaluate import checkerboard


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4)), max_size=40))
def test_a_history_is_each_pair_once_in_the_order_of_its_first_time(
    pairs: list[tuple[int, int]],
) -> None:
    history = History(Shape(4, 5, max(len(pairs), 1)))
    for user, item in pairs:
        history.add(user, item)
    distinct = list(dict.fromkeys(pairs))
    assert list(zip(history.who, history.what, strict=True))[: history.size] == distinct
    for user in range(4):
        taken = [item for who, item in distinct if who == user]
        assert history.items(user) == taken[::-1]
        assert history.of_user[user] == len(taken)
    assert history.of_item.tolist() == [sum(i == item for _, i in distinct) for item in range(5)]
    assert all(pair in history for pair in pairs)


APART = "popular", "als", "gru4rec"
"""Popularity cannot solve the checkerboard, and the others need a fit, in tests of their own."""


@pytest.mark.parametrize("name", [name for name in BASELINES if name not in APART])
def test_all_but_popularity_solve_the_checkerboard(name: str) -> None:
    baseline = BASELINES[name](checkerboard.SHAPE)
    rounds = 60 if baseline.seeded else 1
    for user, item in checkerboard.pairs(rounds):
        baseline.learn(user, item, 5.0)
        if baseline.explicit:  # ratings: the other colour is disliked, but for the missing items
            other = (item + 1) % checkerboard.ITEMS
            baseline.learn(user, other, 1.0)
    assert checkerboard.solved(baseline) == 1.0


@pytest.mark.parametrize("name", BASELINES)
def test_a_seed_is_reproducible_and_a_user_without_events_has_scores(name: str) -> None:
    shape = Shape(3, 4, 9)
    one, same, other = (BASELINES[name](shape, seed) for seed in (1, 1, 2))
    for baseline in (one, same, other):
        for user, item in ((0, 1), (0, 2), (1, 2)):
            baseline.learn(user, item, 1.0)
        baseline.begin_tests()
    assert one.name == name
    assert np.array_equal(one.scores(0), same.scores(0))
    if one.seeded and name != "als":  # which is not fitted yet
        assert not np.array_equal(one.scores(0), other.scores(0))
    assert one.scores(2).shape == (4,)
    if not one.explicit:
        with pytest.raises(NotImplementedError, match=f"{name} predicts no ratings"):
            one.predict(0, 1)
