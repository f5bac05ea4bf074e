from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from udfs.ranking.steps.rerank_kernels import LOWEST, arrange, begin


@given(st.lists(st.floats(0.0, 1.0, width=32), max_size=6))
def test_values_are_logarithms_of_scores(scores: list[float]) -> None:
    items, given_scores = np.full((1, 7), -1, np.int32), np.full((1, 7), -np.inf, np.float32)
    items[0, : len(scores)], given_scores[0, : len(scores)] = range(len(scores)), scores
    values = np.empty((1, 7), np.float32)
    begin(items, given_scores, values)
    expected = np.log(np.maximum(scores, LOWEST))
    np.testing.assert_allclose(values[0, : len(scores)], expected, rtol=1e-5, atol=1e-6)
    assert (values[0, len(scores) :] == -np.inf).all()


@given(st.lists(st.integers(-5, 0), min_size=1, max_size=9), st.integers(1, 9))
def test_lists_are_in_the_order_of_values_and_equal_ones_as_they_stood(
    numbers: list[int], keep: int
) -> None:
    m = len(numbers)
    keep = min(keep, m)
    items = np.arange(10, 10 + m, dtype=np.int32)[None]
    values = np.array([numbers], np.float32)
    scores = np.linspace(0.8, 0.1, m, dtype=np.float32)[None]
    models, reasons = np.arange(m, dtype=np.int8)[None], np.repeat(items, 2).reshape(1, m, 2)
    out = (
        np.empty((1, keep), np.int32),
        np.empty((1, keep), np.float32),
        np.empty((1, keep), np.int8),
        np.empty((1, keep, 2), np.int32),
    )
    arrange(values, (items, scores, models, reasons), out)
    order = sorted(range(m), key=lambda k: -numbers[k])[:keep]
    assert out[0][0].tolist() == [10 + k for k in order]
    assert out[2][0].tolist() == order and out[3][0, :, 1].tolist() == out[0][0].tolist()
    expected = [0.8 * np.exp(numbers[k] - max(numbers)) for k in order]
    np.testing.assert_allclose(out[1][0], expected, rtol=1e-5)
