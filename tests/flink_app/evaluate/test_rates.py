"""Rates of groups of users: intervals that hold, verdicts by them, drift."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flink_app.evaluate.rates import (
    LEAST,
    Outcomes,
    change,
    difference,
    drift,
    parity_gap,
    rate,
    segments,
    tenths,
)


def outcomes(hits: list[float], users: list[int]) -> Outcomes:
    n = len(hits)
    return Outcomes(np.arange(n) + 1, np.array(users), np.array(hits), np.array(hits) / 2)


def drawn(seed: int, users: int, each: int, tastes: float = 0.2) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    """Hits of users who differ in how often they hit; .2 on average."""
    random = np.random.default_rng(seed)
    of = random.beta(1, 4, users) if tastes else np.full(users, 0.2)
    who = np.repeat(np.arange(users), each)
    return (random.random(len(who)) < of[who]).astype(float), who


def test_intervals_hold_however_alike_a_user_s_tests_are() -> None:
    missed = naive = 0
    for seed in range(400):
        hits, users = drawn(seed, 60, 30)
        found = rate(hits, users)
        missed += not found.low <= 0.2 <= found.high
        half = 1.96 * np.sqrt(0.2 * 0.8 / len(hits))
        naive += abs(hits.mean() - 0.2) > half
    assert missed < 400 * 0.09 < naive  # 5 %, and far more if tests were taken as independent


def test_the_interval_is_that_of_a_bootstrap_over_users() -> None:
    hits, users = drawn(1, 200, 20)
    random, by = np.random.default_rng(2), hits.reshape(200, 20).mean(axis=1)
    again = [by[random.integers(0, 200, 200)].mean() for _ in range(4000)]
    found, (low, high) = rate(hits, users), np.percentile(again, [2.5, 97.5])
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.004)


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=40))
def test_a_rate_is_between_its_ends_and_these_are_shares(pairs: list[tuple[int, bool]]) -> None:
    users, hits = np.array([p[0] for p in pairs]), np.array([float(p[1]) for p in pairs])
    found, wider = rate(hits, users), rate(hits, users, groups=5)
    assert 0 <= found.low <= found.value + 1e-12 and found.value <= found.high + 1e-12 <= 1 + 1e-9
    assert wider.low <= found.low + 1e-12 and found.high <= wider.high + 1e-12
    assert found.low < found.high  # nothing is certain, of few users least of all


def test_a_segment_that_is_served_worse_is_told_and_chance_is_not() -> None:
    good, users = drawn(3, 400, 25, 0)
    hits = good * (users % 4 > 0)  # a quarter of the users is never served
    fields = {
        "side": ["left" if n % 4 else "right" for n in range(400)],
        "coin": [f"{n // 4 % 2}" for n in range(400)],
        "rare": ["few" if n < LEAST - 1 else "" for n in range(400)],
    }
    found = {(one.field, one.name): one for one in segments(outcomes(hits.tolist(), users), fields)}
    assert found["side", "right"].verdict == "worse" and found["side", "left"].verdict == "better"
    assert found["coin", "0"].verdict == found["coin", "1"].verdict == ""
    few = found["rare", "few"]
    assert (few.users, few.recall, few.verdict) == (LEAST - 1, None, "")
    assert ("rare", "") not in found
    right = found["side", "right"].recall
    assert right is not None and right.value == 0 and right.high > 0.01


def test_the_parity_gap_is_between_groups_of_enough_users() -> None:
    hits = np.array([1.0] * LEAST + [0.5] * LEAST + [0.0])
    users, groups = np.arange(len(hits)), ["a"] * LEAST + ["b"] * LEAST + ["c"]
    assert parity_gap(hits, users, groups) == 0.5
    assert parity_gap(hits[:LEAST], users[:LEAST], groups) is None


def test_drift_is_found_and_a_steady_stream_has_none() -> None:
    hits, users = drawn(5, 300, 40)
    order = np.random.default_rng(6).permutation(len(hits))
    hits, users = hits[order], users[order]
    steady = drift(outcomes(hits.tolist(), users))
    assert steady is not None and steady.change.low < 0 < steady.change.high
    assert len(steady.recall) == 10 and steady.events[-1] == len(hits)
    hits[-1200:] = 0
    fallen = drift(outcomes(hits.tolist(), users))
    assert fallen is not None and fallen.change.high < 0
    assert fallen.change.value == pytest.approx(-hits[:-1200].mean())
    assert drift(outcomes([1.0] * 299, [0] * 299)) is None


@given(st.integers(0, 2**32), st.integers(2, 30))
def test_a_change_is_of_the_same_tests(seed: int, n: int) -> None:
    random = np.random.default_rng(seed)
    before, after = random.integers(0, 2, (2, n)).astype(float)
    users = random.integers(0, 4, n)
    found = change(before, after, users)
    if before.sum():
        assert found.value == pytest.approx(after.sum() / before.sum() - 1)
        assert found.low <= found.value <= found.high
    same = change(before, before, users)
    assert (same.value, same.low, same.high) == pytest.approx((0, 0, 0))
    second = users > 1
    if 0 < second.sum() < n:
        turned = difference(after, users, ~second)
        assert difference(after, users, second).value == pytest.approx(-turned.value)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=60))
def test_tenths_are_in_the_order_of_activity(events: list[int]) -> None:
    found = tenths(np.array(events))
    for a, b in zip(found, events, strict=True):
        assert all(a >= c for c, d in zip(found, events, strict=True) if d < b)
    if len(events) % 10 == 0:
        assert {found.count(name) for name in found} == {len(events) // 10}
