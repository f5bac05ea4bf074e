"""Who is in which variant: evenly drawn, independent between experiments, and stable."""

from __future__ import annotations

from hashlib import blake2b
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.experiments.assignment import OUTSIDE, Assignment, shares
from udfs.options.experiments import Experiment, Variant

names = st.from_regex("[a-z0-9][a-z0-9_-]{0,62}", fullmatch=True)
users = st.text(max_size=30)
some_shares = st.floats(0.001, 1.0)
weights = st.lists(st.floats(0.01, 100), min_size=2, max_size=8)


def made(name: str, of: list[float], share: float = 1.0) -> Experiment:
    variants = [Variant(name=f"v{k}", weight=weight) for k, weight in enumerate(of)]
    return Experiment(name=name, variants=variants, share=share)


@given(names, weights, users, some_shares, some_shares)
def test_whoever_is_in_a_variant_stays_when_the_share_grows(
    name: str, of: list[float], user: str, one: float, other: float
) -> None:
    few = Assignment(made(name, of, min(one, other))).of(user)
    many = Assignment(made(name, of, max(one, other))).of(user)
    assert few in (OUTSIDE, many)
    assert 0 <= Assignment(made(name, of)).of(user) < len(of)


@given(names, weights, users, some_shares)
def test_a_plain_twin_assigns_the_same(name: str, of: list[float], user: str, share: float) -> None:
    digest = blake2b(user.encode(), digest_size=16, key=name.encode()).digest()
    taken, which = (int.from_bytes(half, "little") / 2**64 for half in (digest[:8], digest[8:]))
    ends = [sum(of[: k + 1]) / sum(of) for k in range(len(of))]
    found = Assignment(made(name, of, share)).of(user)
    if abs(taken - share) > 1e-9 and min(abs(which - end) for end in ends) > 1e-9:
        wanted = next(k for k, end in enumerate(ends) if which < end)
        assert found == (wanted if taken < share else OUTSIDE)


@pytest.mark.parametrize("of", [[1, 1], [1, 2, 5]])
@pytest.mark.parametrize("share", [0.1, 1.0])
def test_variants_get_their_shares(of: list[float], share: float) -> None:
    n, experiment = 20_000, made("even", of, share)
    found = [*map(Assignment(experiment).of, (f"user-{k}" for k in range(n)))]
    for place, wanted in enumerate(shares(experiment)):
        p = wanted * share
        assert abs(found.count(place) - n * p) < 4.5 * sqrt(n * p * (1 - p))


def test_experiments_are_independent() -> None:
    n = 20_000
    one, other = (Assignment(made(name, [1, 1])) for name in ("one", "other"))
    same = sum(one.of(f"user-{k}") == other.of(f"user-{k}") for k in range(n))
    assert abs(same - n / 2) < 4.5 * sqrt(n / 4)


def test_the_share_and_the_variant_are_independent() -> None:
    half = Assignment(made("ramp", [1, 1], 0.5))
    found = [place for k in range(20_000) if (place := half.of(f"user-{k}")) != OUTSIDE]
    assert abs(sum(found) - len(found) / 2) < 4.5 * sqrt(len(found) / 4)
