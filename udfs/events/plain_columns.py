"""Columns that are read from one field of a line: checked and converted by their kind.

In: `RawColumns` of m rows and a `Column` with a field among them. Out: `list[str]`, or an array of
shape (m,); rows with an unusable value are added to `raw.problems`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from udfs.events.columns import IDS, Column
from udfs.events.raw_columns import Problem, RawColumns, clean_ids, shown


def read_column(column: Column, raw: RawColumns, max_bytes: int, *, integers: bool = False) -> Any:
    """The column of all rows of `raw`, whose fields include the column's.

    Args:
        max_bytes: the longest UTF-8 form of a string.
        integers: whether ids are whole numbers in any notation.
    """
    field = column.source or ""
    values, dtype = raw.fields[field], column.dtype
    if dtype is None:
        required = column.fill is None
        if not required and values.count(None) == len(values):  # quicker than one by one
            return column.filled(len(values))
        whole = integers and field in IDS
        texts = clean_ids(values, field, max_bytes, raw.problems, required=required, integers=whole)
        return [text or column.fill for text in texts] if column.fill else texts
    if dtype.kind == "f":
        return _floats(column, dtype, values, raw.problems)
    return _integers(column, dtype, values, raw.problems)


def _floats(
    column: Column,
    dtype: np.dtype[Any],
    values: NDArray[np.float64],
    problems: dict[int, Problem],
) -> NDArray[Any]:
    """Finite numbers, NaN where absent, as `dtype`."""
    most = float(np.finfo(dtype).max)
    for row in np.flatnonzero(np.abs(values) > most).tolist():
        _too_much(column, row, float(values[row]), problems)
    return np.where(np.isnan(values), column.fill, np.clip(values, -most, most)).astype(dtype)


def _integers(
    column: Column,
    dtype: np.dtype[Any],
    values: Sequence[int | None],
    problems: dict[int, Problem],
) -> NDArray[Any]:
    """Integers of any size, None where absent, as `dtype`."""
    filled = [column.fill if value is None else value for value in values]
    low, high = int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
    if filled and not (low <= min(filled) and max(filled) <= high):
        for row, value in enumerate(filled):
            if not low <= value <= high:
                _too_much(column, row, value, problems)
                filled[row] = column.fill
    return np.array(filled, dtype)


def _too_much(column: Column, row: int, value: float, problems: dict[int, Problem]) -> None:
    detail = f"the {column.source} {shown(value)} is more than {column.dtype} can hold"
    problems.setdefault(row, ("value_out_of_range", detail))
