"""A hint to the processor changes nothing, wherever it points."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from udfs.memory.prefetch import prefetch


@njit(_nrt=False)  # type: ignore[untyped-decorator]
def total(table, column, row):  # type: ignore[no-untyped-def]
    """The sum of a table, after a hint at a row of it and of a column."""
    prefetch(table, row, 0)
    prefetch(column, row, 0)
    found = 0.0
    for n in range(table.shape[0]):
        for k in range(table.shape[1]):
            found += table[n, k]
    return found


@pytest.mark.parametrize("row", [0, 2, -1, 10**6])
def test_a_hint_changes_nothing(row: int) -> None:
    table = np.arange(12, dtype=np.float32).reshape(3, 4)
    assert total(table, table[:, 0], row) == 66.0
    assert "prefetch" in next(iter(total.inspect_asm().values()))
