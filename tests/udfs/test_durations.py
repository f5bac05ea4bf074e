"""Durations by bins: their quantiles, and one count like many."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from udfs.durations import EDGES, add, histogram, quantile


@given(st.lists(st.integers(0, 4_000_000), max_size=90))
def test_durations_are_counted_as_one_or_many(ms: list[int]) -> None:
    once, each = dict[int, int](), dict[int, int]()
    add(once, ms)
    for one in ms:
        add(each, [one])
    assert once == each == histogram(ms)


@given(st.lists(st.floats(0, 3e6), min_size=1), st.sampled_from([0.01, 0.5, 0.99, 1.0]))
def test_a_quantile_is_at_most_a_tenth_above_the_true_one(ms: list[float], share: float) -> None:
    true = float(np.quantile(ms, share, method="inverted_cdf"))
    found = quantile(histogram(ms), share)
    assert true <= found * (1 + 1e-12)
    assert found <= max(1.0, true * 1.1) * (1 + 1e-9)


def test_quantiles_at_the_ends() -> None:
    assert quantile({}, 0.5) == 0.0
    assert quantile(histogram([1e12]), 0.5) == EDGES[-1]
    assert histogram([]) == {}
