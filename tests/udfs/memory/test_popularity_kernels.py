"""Sums at several half-lives against their formula, in any order of the events."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.udfs import reference
from udfs.memory import popularity_kernels
from udfs.memory.popularity_kernels import SPANS

DAY = 86_400_000
events = st.lists(
    st.tuples(st.integers(0, 9).map(float), st.integers(0, 40 * DAY)), min_size=1, max_size=20
)


def summed(rows: list[tuple[float, int]]) -> tuple[np.ndarray, float]:
    """One row of sums, and its time."""
    sums, at = np.zeros((1, 4)), 0.0
    for weight, ts in rows:
        popularity_kernels.add_weight(sums, 0, at, weight, float(ts))
        at = max(at, float(ts))
    return sums, at


def wanted(rows: list[tuple[float, int]]) -> list[float]:
    last = max(ts for _, ts in rows)
    return [reference.popularity(rows, last, span) for span in SPANS]


@given(events)
def test_each_half_life_has_its_own_sum(rows: list[tuple[float, int]]) -> None:
    sums, at = summed(rows)
    assert at == max(ts for _, ts in rows)
    assert sums[0].tolist() == pytest.approx(wanted(rows), rel=1e-9, abs=1e-12)


@given(events, events)
def test_sums_are_added_to_sums(
    some: list[tuple[float, int]], others: list[tuple[float, int]]
) -> None:
    sums, at = summed(some)
    more, then = summed(others)
    popularity_kernels.add_sums(sums, 0, at, more, 0, then)
    assert sums[0].tolist() == pytest.approx(wanted(some + others), rel=1e-9, abs=1e-12)


@given(st.floats(0, 1e15))
def test_what_is_left_are_powers_of_one_number(age: float) -> None:
    found = popularity_kernels.left(age)
    assert found == pytest.approx([math.pow(2.0, -age / span) for span in SPANS[:3]], abs=1e-12)
