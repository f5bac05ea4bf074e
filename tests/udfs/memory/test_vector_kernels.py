"""The compiled arithmetic of factors against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from udfs.memory import vector_kernels


@pytest.mark.parametrize(("low", "high"), [(0.04, 1.31), (1e-30, 1e-20), (1.0, 1e30)])
def test_logarithms_are_right_to_the_last_digits(low: float, high: float) -> None:
    x = np.geomspace(low, high, 10_000).astype(np.float32)
    found = np.concatenate([x, x[:3]])
    vector_kernels.logarithms(found, len(x))
    right = np.log(x.astype(np.float64))
    np.testing.assert_allclose(found[: len(x)], right, rtol=2e-7, atol=3e-7)
    assert np.array_equal(found[len(x) :], x[:3]), "no further than asked"
