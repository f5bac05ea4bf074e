"""A kernel called directly gives what it gives by Numba, whatever varies."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest

from udfs.compiling import njit
from udfs.direct import Direct


class View(NamedTuple):
    """Two arrays and a number."""

    a: Any
    b: Any
    factor: float


@njit()  # type: ignore[untyped-decorator]
def weighed(view: Any, rows: Any) -> Any:
    """A sum over some rows."""
    total = 0.0
    for row in rows:
        if row < 0:
            raise ValueError("no such row")
        total += view.factor * (view.a[row] + view.b[row])
    return total


VIEW = View(np.arange(9.0), np.arange(9), 0.5)


def test_a_second_call_reads_the_new_arrays() -> None:
    direct = Direct(weighed)
    rows = np.array([1, 2], np.int32)
    assert direct(VIEW, rows) == 3.0
    assert direct(VIEW._replace(a=np.ones(9)), rows[:1]) == 1.0
    assert direct(VIEW._replace(factor=2.0), rows) == 12.0


@pytest.mark.parametrize(
    "rows",
    [np.array([1, 2, 3]), np.arange(8, dtype=np.int32)[1:4], np.arange(8)[1:4:1][::-1][::-1]],
)
def test_what_varies_has_its_own_code(rows: Any) -> None:
    direct = Direct(weighed)
    for some in (np.array([4], np.int32), rows, np.arange(8)[::3], rows):
        assert direct(VIEW, some, varying=(some,)) == weighed(VIEW, some)


def test_rows_by_columns_are_not_taken_for_others() -> None:
    direct = Direct(njit()(lambda table: table[0, 1]))
    table = np.arange(12.0).reshape(3, 4)
    for some in (table.T, table[:, ::2], table, table[::2].T):
        assert direct(some, varying=(some,)) == some[0, 1]


def test_an_error_in_the_kernel_is_raised_each_time() -> None:
    direct = Direct(weighed)
    assert direct(VIEW, np.array([0])) == 0.0
    for _ in range(2):
        with pytest.raises(ValueError, match="no such row"):
            direct(VIEW, np.array([-1]))
