"""Lines of CSV to columns: the first step of `udfs.events.decode` for CSV presets.

In: n lines of cells. Out: `RawColumns`. Cells are split by `str.split`; only a line that contains a
quote goes through the csv module, one line at a time, so that an open quote cannot swallow the
next.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from udfs.events.places import field_of, holds_of
from udfs.events.preset import Preset
from udfs.events.raw_columns import Problem, RawColumns, Rejected, shown
from udfs.events.times import NUMBER

_ODD = ('"', "\r", "\n", "\ufeff")
_WHOLE = re.compile("[+-]?[0-9]+")
_NOT_FINITE = frozenset({"nan", "inf", "infinity"})


class CsvReader:
    """Reads lines of CSV by one preset."""

    def __init__(self, preset: Preset) -> None:
        """Look up which cells `preset.fields` names."""
        self._delimiter = preset.delimiter
        self._columns = list(preset.columns)
        self._header = preset.header != "no"
        if self._columns:
            self._at = {field: self._columns.index(name) for field, name in preset.fields.items()}
        else:
            self._at = {field: int(number) - 1 for field, number in preset.fields.items()}
        self._holds = {slot: holds_of(slot) for slot in preset.fields}
        self._least = max(self._at.values()) + 1  # cells of a line if columns have no names

    def read(self, lines: Sequence[str]) -> RawColumns:
        """The columns of `lines`; the content of a line never makes it raise."""
        rejected: list[Rejected] = []
        text = "".join(lines)
        if any(character in text for character in _ODD):
            cells = [self._cut(line) for line in lines]
        else:
            delimiter = self._delimiter
            cells = [line.split(delimiter) for line in lines]
        rows: Sequence[int] = range(len(lines))
        if not self._all_events(cells):
            rows = [row for row in rows if self._is_event(cells[row], row, rejected)]
            cells = [cells[row] for row in rows]
        problems: dict[int, Problem] = {}
        return RawColumns(
            rows=rows,
            fields={slot: self._field(slot, cells, problems) for slot in self._at},
            problems=problems,
            rejected=rejected,
            ignored=len(lines) - len(rows) - len(rejected),
        )

    def _field(self, slot: str, cells: list[list[str]], problems: dict[int, Problem]) -> Any:
        at, holds, field = self._at[slot], self._holds[slot], field_of(slot)
        column = [row[at] for row in cells]
        if holds == "text":
            return column
        if holds == "number":
            return np.array(_read(column, field, _number, problems), np.float64)
        return _read(column, field, _whole, problems) if holds == "whole" else _or_none(column)

    def _cut(self, line: str) -> list[str]:
        """The cells of a line, which may have a byte order mark, a line end or quotes."""
        line = line.lstrip("\ufeff").rstrip("\r\n")
        if '"' not in line or len(self._delimiter) > 1:
            return line.split(self._delimiter)
        try:
            return next(csv.reader([line], delimiter=self._delimiter, strict=True))
        except (csv.Error, StopIteration):
            return []

    def _all_events(self, cells: list[list[str]]) -> bool:
        """Whether each row has all its cells and none is a header, judging by its user."""
        if not all(map(self._fits, set(map(len, cells)))):
            return False
        at = self._at["user"]
        name = self._columns[at] if self._columns and self._header else None
        return name is None or name not in [row[at] for row in cells]

    def _fits(self, count: int) -> bool:
        return count == len(self._columns) if self._columns else count >= self._least

    def _is_event(self, cells: list[str], index: int, rejected: list[Rejected]) -> bool:
        """Whether a row may be an event; if not, it is rejected unless it is blank or a header."""
        if self._fits(len(cells)):
            return not (self._header and cells == self._columns)
        if not cells:
            detail = "a quote on the line is not closed, or text follows it"
        elif len(cells) == 1 and not cells[0].strip():
            return False
        else:
            names = ", ".join(self._columns)
            wanted = (
                f"not the {len(self._columns)} columns {names}"
                if names
                else f"fewer than the {self._least} of the mapping"
            )
            detail = f"the line has {len(cells)} cells between {self._delimiter!r}, {wanted}"
        rejected.append(Rejected("wrong_columns", detail, index))
        return False


def _or_none(column: list[str]) -> Sequence[str | None]:
    return [cell if cell.strip() else None for cell in column] if "" in column else column


def _read(
    column: list[str],
    field: str,
    read: Callable[[str, str], float | Problem | None],
    problems: dict[int, Problem],
) -> list[Any]:
    """The cells converted by `read`, None where empty; bad cells are added to `problems`."""
    known: dict[str, Any] = {cell: read(cell, field) for cell in set(column)}  # ratings are few
    bad = {cell for cell, number in known.items() if isinstance(number, tuple)}
    if bad:
        for row, cell in enumerate(column):
            if cell in bad:
                problems.setdefault(row, known[cell])
        known.update(dict.fromkeys(bad))
    return [known[cell] for cell in column]


def _number(cell: str, field: str) -> float | Problem | None:
    text = cell.strip()
    if not text:
        return None
    if NUMBER.fullmatch(text):
        number = float(text)
        if math.isfinite(number):
            return number
    elif text.lower().lstrip("+-") not in _NOT_FINITE:
        return "wrong_type", f"the {field} {shown(cell)} is not a number"
    return "not_finite", f"the {field} {shown(cell)} is not a finite number"


def _whole(cell: str, field: str) -> int | Problem | None:
    text = cell.strip()
    if not text:
        return None
    if not _WHOLE.fullmatch(text):
        return "wrong_type", f"the {field} {shown(cell)} is not a whole number"
    # More digits than any dtype holds; Python refuses to convert thousands of digits.
    return int(text) if len(text) < 100 else 10**99
