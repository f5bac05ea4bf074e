from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flink_app.simulator.social import interest
from flink_app.simulator.truth import click_probability

CHANCES = (
    interest.like_probability,
    interest.comment_probability,
    interest.share_probability,
)


@given(st.floats(0, 20), st.floats(0, 20))
def test_posts_lose_with_age_and_never_more_than_all(one: float, other: float) -> None:
    young, old = interest.faded(sorted([one, other]))
    assert 0.0 <= young <= old <= interest.FADE


def test_half_is_lost_after_the_half_life() -> None:
    assert interest.faded(interest.HALF) == pytest.approx(interest.FADE / 2)


@given(st.integers(0, 10**9))
def test_cascades_stay_small(shares: int) -> None:
    assert interest.spread(shares) <= interest.spread(shares + 1) <= interest.MOST_SHARED


def test_nobody_takes_what_is_gone() -> None:
    assert click_probability(interest.GONE) == 0.0


@pytest.mark.parametrize("chance", CHANCES)
def test_each_deed_is_a_part_of_the_views(chance: object) -> None:
    affinity = np.linspace(-1, 1.5, 20)
    part = chance(affinity) / click_probability(affinity)  # type: ignore[operator]
    np.testing.assert_allclose(part, part[0])
    assert 0 < part[0] < 1
