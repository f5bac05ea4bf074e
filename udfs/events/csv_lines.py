"""Lines of CSV to columns: the first step of `udfs.events.decode` for CSV presets.

In: n lines of cells, of one layout. Out: `RawColumns`. Cells are split by `str.split`; only a line
that contains a quote goes through the csv module, one line at a time, so that an open quote cannot
swallow the next.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from udfs.events.columns import REQUIRED
from udfs.events.csv_cells import cut
from udfs.events.csv_messages import has_several, read_messages
from udfs.events.layout import Layout, listed
from udfs.events.names import fold
from udfs.events.places import field_of, holds_of
from udfs.events.preset import Preset
from udfs.events.raw_columns import Problem, RawColumns, Rejected, shown
from udfs.events.times import NUMBER

OTHER_ORDER = (
    "the line is a header with another order of the columns than the file's, so the lines after it "
    "would be misread: split the file before it"
)
_WHOLE = re.compile("[+-]?[0-9]+")
_COMMA = re.compile("[+-]?[0-9]*,[0-9]+")
_NULL = r"\N"
"""A missing value, as PostgreSQL, MySQL and Hive write it.
https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.9.2"""
_NOT_FINITE = frozenset({"nan", "inf", "infinity"})


class CsvReader:
    """Reads lines of CSV by one layout."""

    def __init__(self, preset: Preset, layout: Layout) -> None:
        """Prepare for lines that are written as `preset` says, with their cells as in `layout`."""
        self._delimiter, self._quote = preset.delimiter, preset.quote
        self._number = partial(_number, decimal=preset.decimal)
        self._commas = preset.decimal == ","
        self._odd = tuple(filter(None, ("\r", "\n", "\ufeff", preset.quote)))
        self._layout, self._at = layout, dict(layout.at) or dict.fromkeys(REQUIRED, 0)
        self._holds = {slot: holds_of(slot) for slot in self._at}
        self._header = list(map(fold, layout.header))
        required = {fold(preset.fields[field]) for field in REQUIRED}
        self._names = required if required <= {*self._header} else set()
        # What the user of a header may be, in this order of the columns or another.
        self._maybe = frozenset(
            case(name)
            for name in (*layout.header, *self._header)
            for case in (str, str.strip, str.lower, str.upper, str.title)
        )

    def read(self, lines: Sequence[str], *, are_cut: bool = False) -> RawColumns:
        """The columns of `lines`; the content of a line never makes it raise.

        Args:
            are_cut: whether each is one line, so that a line feed in it is within quotes.
        """
        rejected: list[Rejected] = []
        text = "".join(lines)
        delimiter, quote = self._delimiter, self._quote
        if any(character in text for character in self._odd):
            if not are_cut and "\n" in text and any(map(has_several, lines)):
                return read_messages(partial(self.read, are_cut=True), lines, quote)
            cells = [cut(line, delimiter, quote) for line in lines]
        else:
            cells = [line.split(delimiter) for line in lines]
        if _NULL in text:
            cells = [["" if cell == _NULL else cell for cell in row] for row in cells]
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
        if holds == "time" and self._commas:
            column = [c.replace(",", ".") if _COMMA.fullmatch(c.strip()) else c for c in column]
        if holds == "number":
            return np.array(_read(column, field, self._number, problems), np.float64)
        return _read(column, field, _whole, problems) if holds == "whole" else _or_none(column)

    def _all_events(self, cells: list[list[str]]) -> bool:
        """Whether each row has all its cells and none is a header, judging by its user."""
        if self._layout.problem or not all(map(self._fits, set(map(len, cells)))):
            return False
        at = self._at["user"]
        return not self._header or self._maybe.isdisjoint([row[at] for row in cells])

    def _fits(self, count: int) -> bool:
        width = self._layout.width
        return count == width or (count > width and not self._layout.exact)

    def _is_event(self, cells: list[str], index: int, rejected: list[Rejected]) -> bool:
        """Whether a row may be an event; if not, it is rejected unless it is blank or a header."""
        if len(cells) == 1 and not cells[0].strip():
            return False
        layout = self._layout
        if self._header and len(cells) == len(self._header):
            names = list(map(fold, cells))
            if names == self._header:
                return False
            if self._names and self._names <= {*names}:
                rejected.append(Rejected("wrong_columns", OTHER_ORDER, index))
                return False
        if not layout.problem and self._fits(len(cells)):
            return True
        rejected.append(Rejected("wrong_columns", layout.problem or self._misfit(cells), index))
        return False

    def _misfit(self, cells: list[str]) -> str:
        if not cells:
            return (
                "a quote on the line is not closed, or text follows it; if the cell goes on on the "
                "next line, export it without line feeds"
            )
        layout = self._layout
        wanted = (
            f"not the {layout.width} columns {listed(layout.names)}"
            if layout.names
            else f"fewer than the {layout.width} of the mapping"
        )
        return f"the line has {len(cells)} cells between {self._delimiter!r}, {wanted}"


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


def _number(cell: str, field: str, decimal: str) -> float | Problem | None:
    text = cell.strip()
    if not text:
        return None
    if decimal == ",":
        if "." in text:
            return "wrong_type", f"the {field} {shown(cell)} has a point; source.decimal is ','"
        text = text.replace(",", ".", 1)
    if NUMBER.fullmatch(text):
        number = float(text)
        if math.isfinite(number):
            return number
    elif text.lower().lstrip("+-") not in _NOT_FINITE:
        hint = ": --set source.decimal=, reads decimal commas" if _COMMA.fullmatch(text) else ""
        return "wrong_type", f"the {field} {shown(cell)} is not a number{hint}"
    return "not_finite", f"the {field} {shown(cell)} is not a finite number"


def _whole(cell: str, field: str) -> int | Problem | None:
    text = cell.strip()
    if not text:
        return None
    if not _WHOLE.fullmatch(text):
        return "wrong_type", f"the {field} {shown(cell)} is not a whole number"
    # More digits than any dtype holds; Python refuses to convert thousands of digits.
    return int(text) if len(text) < 100 else 10**99
