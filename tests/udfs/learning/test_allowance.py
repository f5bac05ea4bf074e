"""The ranker's events a second."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from udfs.learning.allowance import AT_ONCE_S, HELD_S, Allowance


@given(
    st.floats(0, 1000),
    st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 100)), min_size=1, max_size=200),
)
def test_no_more_than_the_rate_and_what_was_saved(
    per_s: float, batches: list[tuple[int, int]]
) -> None:
    allowance, now, taken = Allowance(per_s), 1_700_000_000_000, 0
    began = now
    for pause, wanted in batches:
        now += pause
        some = min(allowance.most(now), wanted)
        assert 0 <= some <= max(per_s * AT_ONCE_S, 1)
        allowance.take(some)
        taken += some
    assert taken <= per_s * (HELD_S + (now - began) / 1000) + 1e-3


def test_a_rate_is_reached() -> None:
    allowance, taken = Allowance(20), 0
    for now in range(0, 100_000, 20):
        some = allowance.most(now)
        allowance.take(some)
        taken += some
    assert abs(taken - 20 * (100 + HELD_S)) < 2


def test_0_trains_nothing() -> None:
    assert Allowance(0).most(10**12) == 0
