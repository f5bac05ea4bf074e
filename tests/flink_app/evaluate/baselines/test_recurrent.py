"""The network's arithmetic against its equations written plainly, and gradients by differences."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flink_app.evaluate.baselines.recurrent import (
    Floats,
    Network,
    Slopes,
    Unit,
    advance,
    sigmoid,
    summed,
)

ITEMS, SIZE = 7, 3
SEEDS = st.integers(0, 2**32 - 1)


def network(random: np.random.Generator) -> Network:
    """One with biases, in float64, so that differences are exact enough."""
    made = Network(ITEMS, SIZE, random)
    made.items = random.normal(size=made.items.shape)
    made.unit = Unit(*(random.normal(size=each.shape) for each in made.unit))
    made._squares = [np.zeros(each.shape) for each in (made.items, *made.unit)]
    return made


def plain_state(unit: Unit, q: Floats, h: Floats) -> Floats:
    """h after an item, gate by gate."""
    given = [q @ unit.of_input[:, at : at + SIZE] for at in range(0, 3 * SIZE, SIZE)]
    before = [h @ unit.of_state[:, at : at + SIZE] for at in range(0, 3 * SIZE, SIZE)]
    for gate in range(3):
        given[gate] = given[gate] + unit.input_bias[gate * SIZE : (gate + 1) * SIZE]
        before[gate] = before[gate] + unit.state_bias[gate * SIZE : (gate + 1) * SIZE]
    reset, update = (1.0 / (1.0 + np.exp(-given[k] - before[k])) for k in (0, 1))
    fresh = np.tanh(given[2] + reset * before[2])
    after: Floats = (1.0 - update) * fresh + update * h
    return after


class Step:
    """The arguments of a loss: three sessions and four negatives, repeats among both."""

    def __init__(self, random: np.random.Generator) -> None:
        self.given = random.integers(0, ITEMS, 3)
        self.columns = random.integers(0, ITEMS, 7)
        self.weights = random.normal(size=7)
        self.before = random.normal(size=(3, SIZE))
        self.kept = (random.random((3, SIZE)) < 0.6) / 0.6

    def loss(self, network: Network) -> tuple[float, Floats, Slopes]:
        return network.loss(self.given, self.columns, self.weights, self.before, self.kept)


@given(SEEDS)
def test_the_loss_and_the_state_as_published(seed: int) -> None:
    random = np.random.default_rng(seed)
    model, step = network(random), Step(random)
    loss, after, _ = step.loss(model)
    expected = 0.0
    for row, item in enumerate(step.given):
        h = plain_state(model.unit, model.items[item, :-1], step.before[row]) * step.kept[row]
        assert np.allclose(after[row], h)
        columns = model.items[step.columns]
        scores = columns[:, :-1] @ h + columns[:, -1] - step.weights
        expected += np.log(np.exp(scores).sum()) - scores[row]
    assert loss == pytest.approx(expected)


@settings(max_examples=20)
@given(SEEDS)
def test_every_gradient_is_what_differences_say(seed: int) -> None:
    random, tiny = np.random.default_rng(seed), 1e-6
    model, step = network(random), Step(random)
    _, _, slopes = step.loss(model)
    of_items = np.zeros_like(model.items)
    for row, slope in zip(slopes.rows, slopes.of_rows, strict=True):
        of_items[row] += slope
    for values, found in zip((model.items, *model.unit), (of_items, *slopes.unit), strict=True):
        assert found.shape == values.shape
        for place in np.ndindex(values.shape):
            old = values[place]
            values[place] = old + tiny
            above, _, _ = step.loss(model)
            values[place] = old - tiny
            below, _, _ = step.loss(model)
            values[place] = old
            expected = (above - below) / (2.0 * tiny)
            assert found[place] == pytest.approx(expected, rel=1e-4, abs=1e-6)


@given(SEEDS, st.integers(1, 4))
def test_adagrad_as_published_where_a_row_occurs_twice(seed: int, steps: int) -> None:
    random = np.random.default_rng(seed)
    model, rate, share = network(random), 0.2, 0.25
    expected = [each.copy() for each in (model.items, *model.unit)]
    squares = [np.zeros_like(each) for each in expected]
    for _ in range(steps):
        _, _, slopes = Step(random).loss(model)
        model.descend(slopes, rate, share)
        of_items = np.zeros_like(expected[0])
        np.add.at(of_items, slopes.rows, slopes.of_rows)
        for n, slope in enumerate((of_items, *slopes.unit)):
            squares[n] += (share * slope) ** 2
            expected[n] -= rate * share * slope / (np.sqrt(squares[n]) + 1e-6)
    for values, each in zip((model.items, *model.unit), expected, strict=True):
        assert np.allclose(values, each)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=12))
def test_sums_of_equal_rows(rows: list[int]) -> None:
    values = np.arange(2.0 * len(rows)).reshape(-1, 2)
    distinct, sums = summed(np.array(rows), values)
    assert distinct.tolist() == sorted({*rows})
    for row, total in zip(distinct, sums, strict=True):
        assert total.tolist() == values[np.array(rows) == row].sum(axis=0).tolist()


def test_a_session_that_is_read_in_parts_is_the_same() -> None:
    model = network(np.random.default_rng(4))
    whole = model.read([3, 1, 1, 6])
    assert np.array_equal(model.read([1, 6], model.read([3, 1])), whole)
    assert np.array_equal(model.read([], whole), whole)
    h = np.zeros(SIZE)
    for item in (3, 1, 1, 6):
        h = plain_state(model.unit, model.items[item, :-1], h)
    assert np.allclose(whole, h[None])
    assert np.allclose(model.scores(whole), model.items[:, :-1] @ h + model.items[:, -1])


def test_it_begins_within_its_spread_and_in_single_precision() -> None:
    model = Network(50, 10, np.random.default_rng(1))
    assert not model.items[:, -1].any() and not any(each.any() for each in model.unit[2:])
    for values, spread in ((model.items[:, :-1], 6 / 60), (np.hstack(model.unit[:2]), 6 / 20)):
        assert values.dtype == np.float32
        assert 0.9 < np.abs(values).max() / np.sqrt(spread) <= 1.0
    kept = np.ones((2, 10), np.float32)
    given, columns = np.array([1, 2]), np.array([2, 3, 4])
    _, state, slopes = model.loss(given, columns, kept[0, :3], kept, kept)
    assert state.dtype == slopes.of_rows.dtype == np.float32
    assert model.scores(state[:1]).dtype == np.float64


def test_a_sigmoid_of_anything_is_a_share() -> None:
    x = np.array([-1e30, -5.0, 0.0, 2.0, 1e30], np.float32)
    assert np.allclose(sigmoid(x), [0.0, 1 / (1 + np.exp(5)), 0.5, 1 / (1 + np.exp(-2)), 1.0])


def test_a_unit_takes_several_sessions_at_once() -> None:
    random = np.random.default_rng(8)
    model = network(random)
    inputs, before = random.normal(size=(2, 4, SIZE))
    after, _ = advance(model.unit, inputs, before)
    for row in range(4):
        assert np.allclose(after[row], plain_state(model.unit, inputs[row], before[row]))
