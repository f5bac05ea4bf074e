"""GRU4Rec on sequences whose ends are known, and lists that others made."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flink_app.evaluate.baselines import Shape
from flink_app.evaluate.baselines.gru4rec import Gru4rec, drawn, lanes
from flink_app.evaluate.baselines.recurrent import Network
from tests.flink_app.evaluate.shipped import compared

SESSIONS = st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=6), max_size=12)


def trained(sessions: list[list[int]], items: int, **settings: Any) -> Gru4rec:
    """The sessions of users 0, 1, …, trained."""
    model = Gru4rec(Shape(99, items, 999), **{"size": 16, "negatives": 8, "dropout": 0, **settings})
    for user, session in enumerate(sessions):
        for item in session:
            model.learn(user, item, 1.0)
    model.begin_tests()
    return model


def follow(model: Gru4rec, user: int, *items: int) -> np.ndarray:
    for item in items:
        model.follow(user, item)
    return model.scores(user)


@given(SESSIONS, st.integers(1, 4))
def test_every_pair_is_trained_once_and_sessions_stay_whole(
    sessions: list[list[int]], width: int
) -> None:
    steps = lanes(sessions, width)
    found = []
    for lane in range(width):
        ended = steps.given[:, lane] < 0
        assert np.array_equal(ended, steps.wanted[:, lane] < 0)
        assert np.array_equal(ended, np.sort(ended))  # who has ended does not go on
        for at in np.flatnonzero(~ended):
            if steps.first[at, lane]:
                found.append([int(steps.given[at, lane])])
            assert found[-1][-1] == steps.given[at, lane]
            found[-1].append(int(steps.wanted[at, lane]))
    assert sorted(found) == sorted(session for session in sessions if len(session) > 1)
    lengths = (steps.given >= 0).sum(axis=0)
    assert np.array_equal(lengths, -np.sort(-lengths))
    # No lane waits: none is longer than another by more than one session.
    assert lengths[0] - lengths[-1] <= max((len(each) - 1 for each in sessions), default=0)


def test_negatives_are_drawn_by_their_weights() -> None:
    weights = np.array([0, 1, 4, 16, 0, 64, 0]) ** 0.5
    found = drawn(np.cumsum(weights), 30_000, np.random.default_rng(3))
    shares = np.bincount(found, minlength=len(weights)) / 30_000
    assert np.abs(shares - weights / weights.sum()).max() < 0.015  # five standard errors
    assert not shares[weights == 0].any()


def test_it_learns_what_follows_and_remembers_what_was_before() -> None:
    model = trained([[0, 2, 3], [1, 2, 4]] * 30, 6, rate=0.05, epochs=40)
    for first, last in ((0, 3), (1, 4)):
        scores = follow(model, 90 + first, first)
        assert np.argmax(scores) == 2
        scores = follow(model, 90 + first, 2)
        assert np.argmax(scores) == last
        assert scores[5] == -np.inf  # which nobody took in the warm-up


def test_popular_items_where_nothing_is_trained() -> None:
    model = trained([[0, 2], [2, 1], [2]], 4, epochs=1)
    counts = [1, 1, 3, 0]
    assert model.scores(50).tolist() == counts
    assert follow(model, 50, 3).tolist() == counts  # an item of which nothing is known
    assert follow(model, 50, 2).tolist() != counts
    model.learn(51, 3, 1.0)
    assert model.scores(51).tolist() == counts  # later events are not learned
    assert trained([[0], [1]], 4).scores(0).tolist() == [1, 1, 0, 0]  # no pair to train


def test_a_list_depends_on_the_session_and_not_on_when_it_was_asked_for() -> None:
    sessions = [[0, 1, 2], [3, 1], [2, 0, 3]]
    often, once = (trained(sessions, 5, epochs=2) for _ in range(2))
    for item in (1, 4, 3, 3):
        follow(often, 7, item)
        follow(often, 8, 0)
    assert np.array_equal(follow(once, 7, 1, 4, 3, 3), often.scores(7))
    # Users of the warm-up go on where they were.
    assert np.array_equal(follow(once, 1, 2), follow(often, 9, 3, 1, 2))


def test_a_seed_decides_everything() -> None:
    sessions = [[0, 1, 2], [3, 1], [2, 0, 3]]
    one, same, other = (trained(sessions, 4, seed=s, dropout=0.4, epochs=2) for s in (1, 1, 2))
    assert np.array_equal(one.scores(0), same.scores(0))
    assert not np.array_equal(one.scores(0), other.scores(0))


def test_dropout_and_negatives_are_drawn_as_set(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Any] = []

    def loss(self: Network, *given: Any) -> Any:
        told.append(given)
        return kept_loss(self, *given)

    kept_loss = Network.loss
    monkeypatch.setattr(Network, "loss", loss)
    counts = [2, 50, 48]
    trained([[0, 1], [0, 1], *[[1, 2]] * 48], 3, dropout=0.4, negatives=500, alpha=2.0, epochs=3)
    assert [len(each[0]) for each in told] == [32, 18] * 3
    kept = np.concatenate([each[4].ravel() for each in told])
    assert np.allclose(np.unique(kept), [0.0, 1 / 0.6])
    assert np.mean(kept > 0) == pytest.approx(0.6, abs=0.06)  # four standard errors
    for items, columns, weights, *_ in told:
        n = len(items)
        powers = np.where(np.arange(len(columns)) < n, 1.0, 2.0)
        assert np.allclose(weights, powers * np.log(np.array(counts))[columns])
    taken = np.concatenate([each[1][len(each[0]) :] for each in told])
    shares, squares = np.bincount(taken, minlength=3) / len(taken), np.square(counts)
    assert np.abs(shares - squares / squares.sum()).max() < 0.05  # five standard errors


def test_lists_are_right_as_often_as_those_of_another_implementation() -> None:
    """After two epochs of ten. Random as both are, few items are the same."""
    common, ours, theirs = compared(Gru4rec, "gru4rec", epochs=2)
    assert common > 0.3
    assert ours > theirs - 0.03  # its standard error is .025
