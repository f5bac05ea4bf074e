from __future__ import annotations

import numpy as np
import pytest

from flink_app.simulator import truth


def test_each_funnel_step_grows_with_affinity_and_is_rarer_than_a_click() -> None:
    affinity = np.linspace(-1.15, 1.15, 200)
    click = truth.click_probability(affinity)
    assert np.all(np.diff(click) > 0)
    assert 0 < click[0] < click[-1] < 1
    for step in (truth.cart_probability, truth.purchase_probability):
        assert np.all(np.diff(step(affinity)) > 0)
        assert np.all(step(affinity) < click)


def test_the_first_click_follows_the_cascade_model() -> None:
    rng = np.random.default_rng(0)
    probabilities = np.array([0.5, 0.2, 0.8])
    trials = 20_000
    clicks = [truth.first_click(probabilities, rng.random((2, 3))) for _ in range(trials)]
    go_on = truth.PATIENCE
    expected = {
        0: 0.5,
        1: 0.5 * go_on * 0.2,
        2: 0.5 * go_on * 0.8 * go_on * 0.8,
    }
    for position, share in expected.items():
        assert clicks.count(position) / trials == pytest.approx(share, abs=0.015)


def test_an_empty_list_earns_no_click() -> None:
    assert truth.first_click(np.empty(0), np.empty((2, 0))) is None


def test_expected_clicks_are_those_of_the_cascade_and_best_in_descending_order() -> None:
    rng = np.random.default_rng(0)
    chances = rng.random(6)
    clicked = [truth.first_click(chances, rng.random((2, 6))) is not None for _ in range(20_000)]
    assert float(truth.expected_clicks(chances)) == pytest.approx(np.mean(clicked), abs=0.01)
    best = truth.expected_clicks(np.sort(chances)[::-1])
    shuffled = [truth.expected_clicks(rng.permutation(chances)) for _ in range(200)]
    assert best >= max(shuffled)
    assert truth.expected_clicks(np.zeros(0)) == 0


def test_dislikes_become_more_likely_as_affinity_falls() -> None:
    chances = truth.dislike_probability(np.linspace(-1.15, 1.15, 50))
    assert np.all(np.diff(chances) < 0)
    assert 0 < chances[-1] < chances[0] < 0.3
