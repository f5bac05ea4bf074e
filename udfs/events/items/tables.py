"""Rows of CSV about items: which cell is which column, by the header of each file.

In: a line, and the file that it is of. Out: column → cell for the cells that say something.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from functools import lru_cache
from shlex import quote as shell_word

import msgspec

from udfs.errors import SourceError
from udfs.events.csv_cells import cut
from udfs.events.first_lines import first_lines
from udfs.events.item_preset import ItemPreset
from udfs.events.items.mapping import Mapped
from udfs.events.items.values import Bad
from udfs.events.layout import listed
from udfs.events.names import fold, roles
from udfs.events.places import alternatives

_DELIMITERS = ",;\t|"
_NULL = r"\N"
_FILES = 10_000


class Table(msgspec.Struct, frozen=True):
    """How the lines below one header are read.

    Attributes:
        columns: the names of the cells from left to right. header: the cells of the header, which
            is skipped wherever it recurs. problem: why no line can be read, a sentence; "".
    """

    columns: tuple[str, ...]
    delimiter: str
    mapped: Mapped
    header: tuple[str, ...] = ()
    problem: str = ""

    def row(self, line: str, quote: str) -> dict[str, str] | None:
        """The cells of a line that are not empty; None for the header itself.

        Raises:
            Bad: the line cannot be read.
        """
        if self.problem:
            raise Bad("wrong_columns", self.problem)
        return self.named(cut(line, self.delimiter, quote))

    def named(self, cells: Sequence[str]) -> dict[str, str] | None:
        """As `row`, of a line that is cut into cells already."""
        if tuple(cells) == self.header:
            return None
        if len(cells) != len(self.columns):
            raise Bad(
                "wrong_columns",
                f"the line has {len(cells)} cells between {self.delimiter!r}, not the "
                f"{len(self.columns)} columns {listed(self.columns)}"
                if cells
                else "a quote on the line is not closed, or text follows it; where a cell goes on "
                "on the next line, `millirec items` reads the file",
            )
        pairs = zip(self.columns, cells, strict=True)
        return {name: cell for name, cell in pairs if cell and cell != _NULL and not cell.isspace()}


class Tables:
    """The tables of files, by one preset; lines of no file have the preset's columns."""

    def __init__(self, preset: ItemPreset) -> None:
        self._preset = preset
        self._plain = table_of(preset)
        self._known: dict[str, Table] = {}
        self._of_file = lru_cache(_FILES)(self._by_header)

    def begin(self, file: str, table: Table) -> None:
        """Read the lines of a file by a table that is known already."""
        self._known[file] = table

    def of(self, file: str) -> Table:
        """The table that a file is; "" stands for none. One that cannot be opened is tried again
        next time."""
        if not file:
            return self._plain
        if file in self._known:
            return self._known[file]
        try:
            return self._of_file(file)
        except SourceError as error:
            problem = f"the header of its file is not known: {error}"
            return Table((), ",", self._plain.mapped, problem=problem)

    def _by_header(self, file: str) -> Table:
        return table_of(self._preset, *first_lines(file, self._preset.encoding)[:1])


def table_of(preset: ItemPreset, first: str = "") -> Table:
    """The table whose first line is `first`, which is a header unless the preset says otherwise."""
    place = preset.fields.get("item", "item")
    wanted = {fold(one.removeprefix("!")) for one in alternatives(place)}
    columns, delimiter = _header(first, preset, wanted) if first else ((), preset.delimiter or ",")
    named = not wanted.isdisjoint(map(fold, columns))
    if preset.header == "no" or (preset.columns and not named and preset.header == "auto"):
        columns, named = (), False
    if preset.columns and not named:
        header = columns or preset.columns
        return Table(preset.columns, delimiter, Mapped(preset, preset.columns), header)
    if named:
        return Table(columns, delimiter, Mapped(preset, columns), columns)
    problem = (
        f"the header ({listed(columns)}) has no column {place!r}: name the one of the ids, "
        f"--set {shell_word(f'items.fields.item={_nearest(wanted, columns)}')}"
        if columns
        else f"the columns have no names, such as {place!r}: give the file a header, or name them "
        "all from left to right in items.columns"
    )
    return Table(columns, delimiter, Mapped(preset), columns, problem)


def _header(line: str, preset: ItemPreset, wanted: set[str]) -> tuple[tuple[str, ...], str]:
    """The names in a header and what is between them: the preset's delimiter, else that with which
    one is the column of the ids, else with which they are most."""
    text = line.strip("\ufeff\r\n")
    marks = [preset.delimiter] if preset.delimiter else list(_DELIMITERS)
    found = [(tuple(cut(text, mark, preset.quote)), mark) for mark in marks]
    return max(found, key=lambda one: (not wanted.isdisjoint(map(fold, one[0])), len(one[0])))


def _nearest(wanted: set[str], columns: Sequence[str]) -> str:
    if "item" in (found := roles(columns)):
        return found["item"]
    near = get_close_matches(next(iter(sorted(wanted))), columns, n=1, cutoff=0.3)
    return (near or list(columns))[0]
