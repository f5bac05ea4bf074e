"""Measures beyond accuracy against plain twins, and the laws that they keep."""

from __future__ import annotations

from itertools import combinations
from math import log, log2, sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from flink_app.evaluate.beyond import (
    MEASURES,
    Facts,
    calibration,
    coverage,
    diversity,
    exposure_gini,
    measures,
    mixes,
    mixture,
)

ITEMS, CATEGORIES = 12, 5


@st.composite
def worlds(draw: st.DrawFn) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Lists of up to 10 of 12 items, and what categories these have."""
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    lists = np.array([random.permutation(ITEMS)[:10] for _ in range(draw(st.integers(1, 9)))])
    for row in lists:
        row[random.integers(2, 11) :] = -1
    groups = np.full((ITEMS, 3), -1)
    for row in groups:
        n = random.integers(0, 4)
        row[:n] = random.permutation(CATEGORIES)[:n]
    groups[0, 0] = 0 if groups[0, 0] < 0 else groups[0, 0]
    return lists.astype(np.int32), groups.astype(np.int32)


def of(groups: NDArray[np.int32], item: int) -> set[int]:
    return {int(n) for n in groups[item] if n >= 0}


def alike(a: set[int], b: set[int]) -> float:
    return len(a & b) / sqrt(len(a) * len(b)) if a and b else 0.0


@given(worlds())
def test_diversity_is_the_mean_over_pairs(world: tuple[Any, Any]) -> None:
    lists, groups = world
    each = []
    for row in lists:
        pairs = [*combinations([int(item) for item in row if item >= 0], 2)]
        each.append(1 - sum(alike(of(groups, a), of(groups, b)) for a, b in pairs) / len(pairs))
    assert diversity(lists, groups) == pytest.approx(np.mean(each))


@given(worlds(), st.integers(0, 2**32))
def test_calibration_is_the_divergence_from_the_mix(world: tuple[Any, Any], seed: int) -> None:
    lists, groups = world
    p = np.random.default_rng(seed).dirichlet(np.ones(CATEGORIES) / 2, len(lists))
    each = []
    for row, wanted in zip(lists, p, strict=True):
        q = np.zeros(CATEGORIES)
        for item in row:
            for category in of(groups, item) if item >= 0 else ():
                q[category] += 1 / len(of(groups, item))
        q = q / q.sum() if q.any() else q
        each.append(
            sum(a * log(a / (0.99 * b + 0.01 * a)) for a, b in zip(wanted, q, strict=True) if a)
        )
    found = calibration(lists, groups, p)
    assert found == pytest.approx(np.mean(each)) and found >= -1e-9
    itself = mixture(lists, groups, CATEGORIES)
    assert calibration(lists, groups, itself.astype(np.float32)) == pytest.approx(0.0, abs=1e-6)


@given(worlds())
def test_exposure_is_shared_out_by_place(world: tuple[Any, Any]) -> None:
    lists, _ = world
    worth = [0.0] * (ITEMS + 3)
    for row in lists:
        for k, item in enumerate(row, 1):
            if item >= 0:
                worth[item] += 1 / log2(k + 1)
    apart = sum(abs(a - b) for a in worth for b in worth)
    twin = apart / (2 * len(worth) * sum(worth))
    assert exposure_gini(lists, len(worth)) == pytest.approx(twin, abs=1e-4)
    assert coverage(lists, len(worth)) == sum(w > 0 for w in worth) / len(worth)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, ITEMS - 1)), min_size=1, max_size=30))
def test_a_mix_is_what_the_user_took_before(events: list[tuple[int, int]]) -> None:
    groups = np.array([[item % CATEGORIES, -1] for item in range(ITEMS)], np.int32)
    users, items = (np.array(column) for column in zip(*events, strict=True))
    found = mixes(users, items.astype(np.int32), np.arange(len(events)), groups)
    for n, (user, _) in enumerate(events):
        before = [item % CATEGORIES for who, item in events[:n] if who == user]
        counts = np.bincount(np.array(before, np.int64), minlength=CATEGORIES)
        assert found[n] == pytest.approx(counts / max(counts.sum(), 1))


def test_without_categories_what_needs_them_is_left_out() -> None:
    lists, none = np.array([[0, 1]], np.int32), np.full((2, 1), -1, np.int32)
    wanted, empty = np.array([1], np.int32), np.zeros((1, 0), np.float32)
    found = measures(lists, Facts(wanted, none, empty, np.array([0.5, 0.25]), 2))
    assert [*found] == [name for name in MEASURES if name not in ("diversity", "calibration")]
    assert (found["recall@10"], found["coverage"], found["novelty"]) == (1.0, 1.0, 1.5)
    assert calibration(lists, none, np.zeros((1, 3), np.float32)) == 0.0
