"""Lines of CSV files to columns, each file by its own header.

In: n lines and the files that they are of. Out: `RawColumns`. A header cannot be expected among the
lines of a micro-batch, since Flink divides files among subtasks and goes on in the middle of one
after a failure; so the first line of each file is read from the file itself, once.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from msgspec.structs import replace

from udfs.errors import SourceError
from udfs.events.csv_lines import OTHER_ORDER, CsvReader
from udfs.events.first_lines import first_lines
from udfs.events.layout import Layout, layout_of
from udfs.events.places import holds_of
from udfs.events.preset import Preset
from udfs.events.raw_columns import Problem, RawColumns, Rejected

_FILES = 10_000
"""Files whose layout is remembered; a watched folder may have had any number."""
_BEHIND = (
    "the line is behind a header with another order of the columns than the file's: split the file "
    "before that header"
)


class CsvFiles:
    """Reads lines of CSV by one preset, whatever the order of the columns in each file."""

    def __init__(self, preset: Preset) -> None:
        self._preset = preset
        self._readers: dict[Layout, CsvReader] = {}
        self._plain = self._reader(layout_of(preset))
        self._behind = CsvReader(preset, Layout(problem=_BEHIND))
        self._misread: set[str] = set()
        self._of_file = lru_cache(_FILES)(self._by_header)

    def read(self, lines: Sequence[str], files: Sequence[str] = ()) -> RawColumns:
        """The columns of n lines; neither a line nor a file ever makes it raise.

        Args:
            files: the path of each line's file, or ().
        """
        if not files:
            return self._plain.read(lines)
        raw = self._read(lines, files)
        if raw.rejected and any(bad.detail is OTHER_ORDER for bad in raw.rejected):
            return self._until_misread(raw, files)
        return raw

    def _until_misread(self, raw: RawColumns, files: Sequence[str]) -> RawColumns:
        """Rejects what follows a header of another order in its file, now and from now on. Only
        where Flink divides the file among subtasks, others may not see the header."""
        begin: dict[str, int] = {}
        for bad in raw.rejected:
            if bad.detail is OTHER_ORDER:
                begin.setdefault(files[bad.index], bad.index)
        self._misread.update(begin)
        after = [n > begin.get(files[n], len(files)) for n in raw.rows]
        behind = [Rejected("wrong_columns", _BEHIND, raw.rows[n]) for n in np.flatnonzero(after)]
        raw = raw.take(np.flatnonzero(~np.asarray(after, np.bool_)).tolist())
        raw.rejected = sorted([*raw.rejected, *behind], key=lambda bad: bad.index)
        return raw

    def _read(self, lines: Sequence[str], files: Sequence[str]) -> RawColumns:
        """The columns of n lines, each read by the header of its file."""
        if files.count(files[0]) == len(files):
            return self.reader(files[0]).read(lines)
        places: dict[CsvReader, list[int]] = {}
        for place, file in enumerate(files):
            places.setdefault(self.reader(file), []).append(place)
        if len(places) == 1:
            return next(iter(places)).read(lines)
        return _joined(
            [(own, reader.read([lines[n] for n in own])) for reader, own in places.items()]
        )

    def reader(self, file: str) -> CsvReader:
        """What reads the lines of a file. A file that cannot be opened is tried again next time."""
        if file in self._misread:
            return self._behind
        try:
            return self._of_file(file)
        except SourceError as error:
            problem = f"the header of its file is not known: {error}"
            return CsvReader(self._preset, Layout(problem=problem))

    def _by_header(self, file: str) -> CsvReader:
        return self._reader(layout_of(self._preset, first_lines(file, self._preset.encoding)))

    def _reader(self, layout: Layout) -> CsvReader:
        """Equal layouts share a reader, so that their lines are read together."""
        return self._readers.setdefault(layout, CsvReader(self._preset, layout))


def _joined(parts: Sequence[tuple[Sequence[int], RawColumns]]) -> RawColumns:
    """What was read of some lines each, as if of all lines at once, in their order.

    Args:
        parts: the places of lines among all, ascending, and what was read of these lines.
    """
    rows = [place[row] for place, part in parts for row in part.rows]
    order = np.argsort(rows, kind="stable")
    place_of = np.argsort(order, kind="stable").tolist()
    problems: dict[int, Problem] = {}
    before = 0
    for _, part in parts:
        problems |= {place_of[before + row]: found for row, found in part.problems.items()}
        before += len(part.rows)
    names = dict.fromkeys(field for _, part in parts for field in part.fields)
    rejected = [replace(bad, index=p[bad.index]) for p, part in parts for bad in part.rejected]
    return RawColumns(
        rows=sorted(rows),
        fields={field: _column(field, [part for _, part in parts], order) for field in names},
        problems=problems,
        rejected=sorted(rejected, key=lambda bad: bad.index),
        ignored=sum(part.ignored for _, part in parts),
    )


def _column(field: str, parts: Sequence[RawColumns], order: Any) -> Any:
    """The values of all parts in the given order, absent ones where a part has no such field."""
    absent = np.nan if holds_of(field) == "number" else None
    found = [part.fields.get(field, [absent] * len(part.rows)) for part in parts]
    if absent is not None:
        return np.concatenate([np.asarray(values, np.float64) for values in found])[order]
    values = [value for column in found for value in column]
    return [values[n] for n in order.tolist()]
