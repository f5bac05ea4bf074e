"""The noise of published counts: how it is distributed, and that it is the same again."""

from __future__ import annotations

from collections import Counter
from math import exp, sqrt

import numpy as np
import opendp.prelude as dp
import pytest

from udfs.models.popular.noise import DAY_MS, day_of, laplace, scale, variance

KEY = b"a key for tests"
ITEMS = [f"item {n}" for n in range(20_000)]
SIGMAS = 6.0  # of a frequency: chance goes so far in one of a thousand million


def released(epsilon: float) -> tuple[float, list[int]]:
    """What OpenDP promises of its own noise of this scale to who moves the counts by one, and that
    noise of as many counts of 0."""
    dp.enable_features("contrib")
    space = dp.vector_domain(dp.atom_domain(T=int)), dp.l1_distance(T=int)
    measure = dp.m.make_laplace(*space, scale=scale(epsilon))
    return measure.map(1), measure([0] * len(ITEMS))


@pytest.mark.parametrize("epsilon", [0.1, 0.5, 1.0, 4.0])
def test_the_noise_is_that_of_opendp_for_the_same_budget(epsilon: float) -> None:
    promised, theirs = released(epsilon)
    assert promised == pytest.approx(epsilon)
    ours = laplace(KEY, ITEMS, 20_000, scale(epsilon)).tolist()
    n, width = len(ITEMS), max(1, round(scale(epsilon)))
    found, wanted = (Counter(x // width for x in some) for some in (ours, theirs))
    for place in found | wanted:
        share = (found[place] + wanted[place]) / (2 * n)
        apart = abs(found[place] - wanted[place]) / n
        assert apart <= SIGMAS * sqrt(2 * share / n) + 2 / n, (
            f"{width} numbers from {place * width}"
        )


@pytest.mark.parametrize("epsilon", [0.1, 1.0, 4.0])
def test_each_number_is_as_likely_as_the_equation_says(epsilon: float) -> None:
    alpha, n = exp(-epsilon), len(ITEMS)
    found = Counter(laplace(KEY, ITEMS, 1, scale(epsilon)).tolist())
    for x in range(-5, 6):
        chance = (1 - alpha) / (1 + alpha) * alpha ** abs(x)
        assert abs(found[x] / n - chance) <= SIGMAS * sqrt(chance / n)
    values = np.repeat([*found], [*found.values()])
    assert values.var() == pytest.approx(variance(scale(epsilon)), rel=0.15)
    assert abs(values.mean()) <= SIGMAS * sqrt(variance(scale(epsilon)) / n)


def test_the_noise_is_the_same_again_and_another_for_each_key_day_and_item() -> None:
    first = laplace(KEY, ITEMS, 7, 10.0)
    assert (first == laplace(KEY, ITEMS, 7, 10.0)).all()
    assert (first[::-1] == laplace(KEY, ITEMS[::-1], 7, 10.0)).all(), "whichever are drawn with it"
    for other in (laplace(b"another key", ITEMS, 7, 10.0), laplace(KEY, ITEMS, 8, 10.0), first[1:]):
        both = np.corrcoef(first[: len(other)], other)[0, 1]
        assert abs(both) < SIGMAS / sqrt(len(other))


def test_a_day_is_that_of_utc() -> None:
    assert day_of(20_000 * DAY_MS - 1) == 19_999
    assert day_of(20_000 * DAY_MS) == 20_000
