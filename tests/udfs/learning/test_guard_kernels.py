"""The guard's kernels against plain twins, and what they let pass."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from udfs.learning import guard_kernels
from udfs.learning.guard_kernels import (
    BINS,
    BREADTH,
    CLOCK,
    COUNT,
    DAY_MS,
    GROWN,
    NEW,
    RATE,
    SPREAD,
    TOTALS,
    YOUNG,
    Taken,
)

counts = st.lists(st.integers(0, 5), min_size=BINS, max_size=BINS).filter(lambda c: sum(c) >= 20)


def bin_of(value: float) -> int:
    return min(int(math.log(max(value, 1.0)) / (math.log(2) / 4)), BINS - 1)


def votes_of(rates: list[float], breadths: list[float], spreads: list[float]) -> NDArray[np.int32]:
    votes = np.zeros((3, BINS), np.int32)
    for row, values in zip(votes, (rates, breadths, [100 * s for s in spreads]), strict=True):
        np.add.at(row, [bin_of(value) for value in values], 1)
    return votes


@given(counts)
def test_the_centre_is_near_the_median_of_single_votes(votes: list[int]) -> None:
    every = np.repeat(np.arange(BINS) + 0.5, votes)
    middle, distance = guard_kernels._centre(np.array(votes, np.int32), sum(votes))
    low, high = np.quantile(every, [0.5, 0.5], method="lower")[0], np.median(every)
    assert low - 0.5 <= middle <= max(high, low) + 0.5
    exact = np.sort(np.abs(every - middle))[math.ceil(len(every) / 2) - 1]
    assert distance == pytest.approx(exact)


def test_before_enough_users_have_voted_limits_are_fixed() -> None:
    nobody = guard_kernels.limits(np.zeros((3, BINS), np.int32))
    few = guard_kernels.limits(votes_of([5.0] * 19, [5.0] * 19, [1.0] * 19))
    assert nobody.tolist() == few.tolist() == [1_000.0, 5_000.0, 0.05]


def test_limits_follow_what_users_do_within_bounds() -> None:
    random = np.random.default_rng(0)
    rates = np.exp(random.normal(math.log(40), 0.6, 400)).tolist()
    spreads = np.exp(random.normal(math.log(1.0), 0.4, 400)).tolist()
    rate, breadth, spread = guard_kernels.limits(votes_of(rates, rates, spreads))
    assert 40 * math.exp(5 * 0.5) < rate < 40 * math.exp(5 * 0.8)
    assert breadth == 1_500.0
    assert math.exp(-5 * 0.6) < spread < math.exp(-5 * 0.3)


@given(st.lists(st.floats(0, 15), min_size=400, max_size=400), st.integers(0, 100))
def test_a_quarter_of_the_users_cannot_move_the_limits_out_of_their_bounds(
    honest: list[float], bots: int
) -> None:
    rates = [math.exp(value) for value in honest] + [60_000.0] * bots
    found = guard_kernels.limits(votes_of(rates, rates, [0.01] * len(rates)))
    assert 300 <= found[RATE] <= 3_000
    assert 1_500 <= found[BREADTH] <= 15_000
    assert 0.02 <= found[SPREAD] <= 0.15


def test_votes_that_are_taken_back_are_gone() -> None:
    votes = votes_of([50.0], [9.0], [1.0])
    bins = np.array([bin_of(50.0), bin_of(9.0), bin_of(100.0)], np.int8)
    guard_kernels.forget_votes(bins, votes)
    assert not votes.any()
    guard_kernels.forget_votes(np.full(3, -1, np.int8), votes)
    assert not votes.any()


@given(st.lists(st.floats(0, 100), min_size=NEW + 1, max_size=NEW + 1))
def test_the_new_never_have_most_of_the_weight(weights: list[float]) -> None:
    totals = np.zeros(TOTALS)
    totals[: NEW + 1] = weights
    found = guard_kernels.newness(totals)
    assert 1 <= found <= NEW
    assert found == 1 or sum(weights[:found]) < 0.5 * sum(weights) + 1e-9


Row = tuple[int, float, int, int]
rows = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.sampled_from([0.5, 1.0, 3.0]),
        st.integers(0, NEW + 2),
        st.integers(-3, 30).map(lambda hours: hours * 3_600_000),
    ),
    max_size=40,
)


@given(rows)
def test_what_items_got_decays_by_the_events_times(events: list[Row]) -> None:
    """Against sums over all events; too few for any to be held back."""
    taken, totals = Taken(*np.zeros((3, 4))), np.zeros(TOTALS)
    now = 0.0
    for item, weight, had, offset in events:
        at = max(now + offset, 0.0)
        assert not guard_kernels.crowded(item, at, weight, had, NEW, taken, totals)
        now = max(now, at)
    wanted, clock = np.zeros((2, 4)), 0.0
    for item, weight, had, offset in events:
        at = max(clock + offset, 0.0)
        clock = max(clock, at)
        wanted[int(had >= NEW), item] += weight * 2 ** (-(now - at) / DAY_MS)
    left = 2.0 ** (-(totals[CLOCK] - taken.at) / DAY_MS)
    np.testing.assert_allclose([taken.young * left, taken.grown * left], wanted, rtol=1e-9)
    np.testing.assert_allclose([totals[YOUNG], totals[GROWN]], wanted.sum(axis=1), rtol=1e-9)
    assert totals[COUNT] <= len(events)


def test_a_crowd_for_an_unknown_item_counts_for_about_twenty_events() -> None:
    taken, totals = Taken(*np.zeros((3, 50))), np.zeros(TOTALS)
    random = np.random.default_rng(1)
    for k in range(4_000):
        item, had = int(random.zipf(1.5)) % 40, int(random.integers(0, 40))
        assert not guard_kernels.crowded(item, float(k), 1.0, had, NEW, taken, totals)
    held = [guard_kernels.crowded(49, 4_000.0 + k, 1.0, 0, NEW, taken, totals) for k in range(500)]
    assert sum(held) == pytest.approx(500 - 22, abs=3)
    assert not guard_kernels.crowded(49, 5_000.0, 1.0, NEW, NEW, taken, totals)
