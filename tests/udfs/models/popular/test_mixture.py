"""The weights of half-lives: what is learned, and what arrives from other learners."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from udfs.models.popular.mixture import MEMORY, Mixture
from udfs.models.popular.popular_kernels import LEVELS

marks = st.lists(st.integers(0, 2**LEVELS - 1), max_size=50)


@given(st.lists(marks, max_size=5))
def test_weights_are_shares_and_the_most_hits_win(batches: list[list[int]]) -> None:
    mixture, hits = Mixture(), np.zeros(LEVELS)
    for batch in batches:
        mixture.learn(np.array(batch, np.uint8))
        hits *= (1 - 1 / MEMORY) ** len(batch)
        hits += [sum(mark >> h & 1 for mark in batch) for h in range(LEVELS)]
    np.testing.assert_allclose(mixture.hits, hits)
    weights = mixture.weights
    assert (weights >= 0).all() and abs(weights.sum() - 1) < 1e-12


@given(st.integers(0, LEVELS - 1))
def test_enough_hits_decide_and_are_forgotten(level: int) -> None:
    mixture = Mixture()
    mixture.learn(np.full(60, 1 << level, np.uint8))
    assert mixture.weights.argmax() == level
    mixture.learn(np.zeros(100_000, np.uint8))
    assert mixture.weights.round(6).tolist() == Mixture().weights.round(6).tolist()


def test_what_others_have_learned_replaces_what_was_known() -> None:
    mixture = Mixture()
    mixture.put(np.array([0, 0, 0, 0, 100.0, 0]))
    assert mixture.weights.argmax() == 4
    mixture.put(np.ones(3))
    assert mixture.weights.argmax() == 4, "of another length"
    mixture.put(np.array([np.nan, np.inf, -5, 1e300, 0, 0]))
    assert mixture.hits.tolist() == [0, 0, 0, MEMORY, 0, 0]


def test_an_older_state_has_no_hits_of_what_strangers_take() -> None:
    mixture = Mixture()
    mixture.put(np.array([1, 2, 50.0, 3, 4]))
    assert mixture.hits.tolist() == [1, 2, 50, 3, 4, 50]
    assert mixture.of_half_lives.argmax() == 2
    assert abs(mixture.of_half_lives.sum() - 1) < 1e-12


def test_a_fixed_half_life_stays() -> None:
    mixture = Mixture(fixed=True)
    mixture.learn(np.full(9, 1, np.uint8))
    assert mixture.weights.tolist() == [0, 1, 0, 0, 0, 0]
    assert mixture.of_half_lives.tolist() == [0, 1, 0, 0, 0]
