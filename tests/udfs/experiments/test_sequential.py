"""Intervals that hold at all times: A/A runs that are looked at all the time, and a true lift."""

from __future__ import annotations

from itertools import pairwise
from math import exp, inf, isinf, log, pi, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from udfs.experiments.sequential import (
    ALPHA,
    LEAST,
    NONE,
    NOTHING,
    SURPRISE,
    UNKNOWN,
    Sums,
    lift,
    log_rate,
    mismatch,
    paired,
    radius,
)

RUNS, USERS, LOOKS = 200, 1200, 40


def world(
    seed: int, more: float, users: int, looks: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.intp]]:
    """What users do until each look, float64[looks, users] of views and of clicks, and the group of
    each. Users come one after the other, are differently active, and differ in what they click."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, 2, users)
    begin = rng.uniform(-0.3, 1.0, users)
    active, taste = rng.gamma(0.7, 30.0, users), rng.beta(2.0, 18.0, users)
    taste = np.minimum(taste * np.where(group == 1, 1.0 + more, 1.0), 1.0)
    ends = np.linspace(0.0, 1.0, looks + 1)
    there = np.diff(np.clip(ends[:, None] - begin, 0.0, None), axis=0)
    views = rng.poisson(active * there).astype(np.float64)
    clicks = rng.binomial(views.astype(np.int64), taste).astype(np.float64)
    return views.cumsum(axis=0), clicks.cumsum(axis=0), group


def sums(x: NDArray[np.float64], y: NDArray[np.float64]) -> Sums:
    return Sums(len(x), *map(float, (x.sum(), y.sum(), x @ x, x @ y, y @ y)))


def ever_decided(seed: int, more: float, goal: str, users: int = USERS, looks: int = LOOKS) -> bool:
    views, clicks, group = world(seed, more, users, looks)
    for x, y in zip(views, clicks, strict=True):
        seen = x > 0
        x = x if goal == "clicks_per_view" else seen.astype(np.float64)
        groups = [sums(x[seen & (group == g)], y[seen & (group == g)]) for g in (0, 1)]
        if lift(*groups).decided:
            return True
    return False


@pytest.mark.parametrize("goal", ["clicks_per_view", "clicks"])
def test_of_200_runs_without_a_difference_at_most_5_percent_ever_find_one(goal: str) -> None:
    wrong = sum(ever_decided(seed, 0.0, goal) for seed in range(RUNS))
    assert wrong <= ALPHA * RUNS


def ever_preferred(seed: int, more: float) -> bool:
    """Whether it is ever decided whose items in one list users click: those of the other variant
    `more` often."""
    _, clicks, _ = world(seed, 0.0, USERS, LOOKS)
    rng, share = np.random.default_rng(seed + 10_000), (1.0 + more) / (2.0 + more)
    new = np.diff(clicks, axis=0, prepend=0.0).astype(np.int64)
    theirs = rng.binomial(new, share).cumsum(axis=0).astype(np.float64)
    looks = zip(clicks - theirs, theirs, clicks > 0, strict=True)
    return any(paired(sums(x[seen], y[seen])).decided for x, y, seen in looks)


def test_of_200_interleaved_runs_without_a_difference_at_most_5_percent_ever_find_one() -> None:
    wrong = sum(ever_preferred(seed, 0.0) for seed in range(RUNS))
    assert wrong <= ALPHA * RUNS


def test_interleaving_finds_with_as_many_users_what_two_groups_do_not() -> None:
    groups = sum(ever_decided(seed, 0.15, "clicks_per_view") for seed in range(20))
    assert sum(ever_preferred(seed, 0.15) for seed in range(20)) > groups + 5


def test_looking_at_usual_intervals_all_the_time_finds_far_more() -> None:
    """The test before this one can fail: with 1.96 standard deviations it would."""
    wrong = 0
    for seed in range(RUNS // 4):
        views, clicks, group = world(seed, 0.0, USERS, LOOKS)
        rates = [
            [log_rate(sums(x[group == g], y[group == g])) for g in (0, 1)]
            for x, y in zip(views[3:], clicks[3:], strict=True)
        ]
        wrong += any(abs(b[0] - a[0]) > 1.96 * sqrt(a[1] + b[1]) for a, b in rates)
    assert wrong > 3 * ALPHA * RUNS / 4


def test_a_lift_of_5_percent_is_found() -> None:
    """With 75,000 users in each of two variants, who click a tenth of some 7 items."""
    assert all(ever_decided(seed, 0.05, "clicks_per_view", 150_000, 2) for seed in range(3))


outcomes = st.lists(st.tuples(st.floats(0.5, 100), st.floats(0, 50)), min_size=2, max_size=6)


@given(outcomes)
def test_the_variance_is_that_of_the_linearised_rate(of: list[tuple[float, float]]) -> None:
    x, y = np.array(of).T
    rate, variance = log_rate(Sums.of(of))
    if y.sum() < NOTHING:
        assert isinf(variance)
        return
    r = y.sum() / x.sum()
    assert rate == pytest.approx(log(r))
    wanted = ((y - r * x) ** 2).sum() / y.sum() ** 2
    assert variance == pytest.approx(wanted, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("value", [1e-300, 1e-170, 1e170, 1e308])
def test_values_whose_squares_are_no_numbers_tell_nothing(value: float) -> None:
    of = [(1.0, value)] * 100
    assert log_rate(Sums.of(of)) == (0.0, inf)
    assert lift(Sums.of(of), Sums.of([(1.0, 2.0)] * 100)) == UNKNOWN


@given(outcomes, outcomes)
def test_a_lift_is_within_its_interval_and_turns_round(
    one: list[tuple[float, float]], other: list[tuple[float, float]]
) -> None:
    a, b = Sums.of(one * LEAST), Sums.of(other * LEAST)
    found, back = lift(a, b), lift(b, a)
    if found == UNKNOWN:
        assert back == UNKNOWN
        return
    assert found.low <= found.lift <= found.high
    assert found.decided == back.decided
    for one_end, other_end in ((found.lift, back.lift), (found.low, back.high)):
        if min(one_end, other_end) > -1.0 + 1e-9:  # else nothing but the 1 is left of it
            assert 1 + one_end == pytest.approx(1 / (1 + other_end))


@given(st.floats(1e-8, 0.04), st.floats(1e-4, 0.5))
def test_the_bound_is_where_the_mixture_is_surprising(variance: float, alpha: float) -> None:
    """∫ N(m; L, V) N(m; 0, τ²) dm = N(L; 0, V + τ²), over N(L; 0, V), is 1 / alpha there."""

    def normal(x: float, v: float) -> float:
        return -x * x / (2 * v) - 0.5 * log(2 * pi * v)

    at = radius(variance, alpha)
    assert normal(at, variance + 0.01) - normal(at, variance) == pytest.approx(log(1 / alpha))
    assert radius(variance, alpha / 2) > at


def test_little_is_not_told() -> None:
    always, never = Sums.of([(1.0, 1.0)] * (LEAST - 1)), Sums.of([(2.0, 1.0)] * (LEAST - 1))
    assert lift(always, never) == UNKNOWN == lift(NONE, NONE) and UNKNOWN.high == inf
    assert not UNKNOWN.decided


def test_uneven_groups_are_seen_and_even_ones_hardly_ever() -> None:
    rng, wanted, alarms = np.random.default_rng(7), [0.5, 0.3, 0.2], 0
    for _ in range(RUNS):
        which = rng.choice(3, 5000, p=wanted)
        counts = np.cumsum(np.eye(3, dtype=np.int64)[which], axis=0)[::50]
        alarms += any(mismatch(row.tolist(), wanted) < SURPRISE for row in counts)
    assert alarms <= 2
    assert mismatch([5000, 4500], [0.5, 0.5]) < SURPRISE
    assert mismatch([50_000, 48_900], [0.5, 0.5]) < 0.05 < mismatch([500, 489], [0.5, 0.5])


@given(st.lists(st.integers(0, 300), min_size=3, max_size=3))
def test_the_surprise_is_a_product_of_predictions(counts: list[int]) -> None:
    """In any order: each user's group was predicted by θ and by what the mixture had seen."""
    wanted, seen, found = [0.5, 0.3, 0.2], [0, 0, 0], 0.0
    for group, count in enumerate(counts):
        for _ in range(count):
            predicted = (1000.0 * wanted[group] + seen[group]) / (1000.0 + sum(seen))
            found += log(predicted / wanted[group])
            seen[group] += 1
    assert mismatch(counts, wanted) == pytest.approx(min(exp(-found), 1.0), rel=1e-6)


def test_intervals_become_narrower() -> None:
    widths = [radius(0.02 / n, ALPHA) for n in (1, 10, 100, 1000)]
    assert all(wide > narrow for wide, narrow in pairwise(widths))
