"""The window's weights as shared parameters: where they begin, what is taken from others."""

from __future__ import annotations

import numpy as np
import pytest

from tests.udfs.builders import OneShard, batch_of
from udfs.memory.vector_kernels import LIMIT
from udfs.models.factors.source import Factors

PAIRS = [(f"u{n % 3}", f"i{n * 7 % 10}") for n in range(30)]


def factors(shard: OneShard) -> Factors:
    source = shard.learner.models.sources["mf"]
    assert isinstance(source, Factors)
    return source


def test_the_weights_begin_at_the_decay_and_move_with_the_first_events() -> None:
    shard = OneShard()
    mf = factors(shard)
    first = np.exp(-np.arange(4) / 3)
    np.testing.assert_allclose(mf.rule.places.weights, np.repeat(first[:, None], 8, 1), rtol=1e-6)
    assert len(mf.parameters) == 2 * 4 * 8
    assert not mf.parameters.any()
    shard.learn(batch_of(PAIRS))
    moved, squares = mf.parameters.reshape(2, 4, 8)
    assert moved.any(axis=1).all()
    assert (squares >= 0).all()


def test_another_learner_goes_on_from_them_to_the_digit() -> None:
    shard, other = OneShard(), OneShard()
    shard.learn(batch_of(PAIRS))
    factors(other).put(factors(shard).parameters)
    for mine, theirs in zip(factors(shard).rule.places, factors(other).rule.places, strict=True):
        assert np.array_equal(mine, theirs)


def test_those_of_another_window_change_nothing_and_those_out_of_range_are_clipped() -> None:
    mf = factors(OneShard())
    mf.put(np.ones(2 * 5 * 8))
    assert not mf.parameters.any()
    mf.put(np.repeat([1e30, np.nan, -np.inf, -1e30], 16))
    places = mf.rule.places
    assert places.weights.max() == LIMIT
    assert np.isfinite(places.weights).all()
    assert not places.squares.any()


@pytest.mark.parametrize("settings", [{"window": 0}, {"loss": "squared"}])
def test_without_a_window_and_for_ratings_there_is_nothing_to_share(
    settings: dict[str, str],
) -> None:
    shard = OneShard(**settings)
    shard.learn(batch_of(PAIRS))
    assert not factors(shard).parameters.any()


@pytest.mark.parametrize("exclude", [True, False])
def test_a_consumed_item_is_learned_from_a_window_with_itself_if_lists_may_have_it(
    exclude: bool,
) -> None:
    """Nothing but the item that is taken again is known, so no window is left without it."""
    shard = OneShard(exclude_consumed=exclude)
    shard.learn(batch_of([("ann", "a"), ("ann", "a"), ("ann", "a")]))
    assert factors(shard).parameters.any() is np.bool_(not exclude)
