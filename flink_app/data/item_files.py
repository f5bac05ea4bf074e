"""Reads files about items, of any form: for `millirec items` and whatever looks into such files.

In: files of JSON, CSV with a header, or the films of MovieLens, packed or not. Out: blocks of
`ItemChange`s, with the place and the fault of each line that cannot be used.
"""

from __future__ import annotations

import shlex
from collections import deque
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from flink_app.config import Config
from flink_app.data.recorded import BLOCK, files_of, read_blocks
from flink_app.graph.event_settings import decode_settings, form_of
from udfs.errors import SourceError
from udfs.events.item_changes import ItemChange
from udfs.events.item_preset import ItemPreset
from udfs.events.items import ItemReader
from udfs.events.items.resolve import resolve_items
from udfs.events.items.tables import Table, table_of

ITEM = "item"
_PACKED = (".gz", ".bz2", ".xz", ".zst")
_FILMS = {"u.item": "movielens", "movies.dat": "movielens-dat", "movies.csv": "movielens-csv"}
"""Files that are known by their names, and their presets."""
_MOST_JOINED = 1000
"""Lines that one row of CSV may go over; a quote that is still open then is a mistake."""


_Line = tuple[int, str]


class Block(NamedTuple):
    """What some lines of a file say; `faults` are the places of unusable lines, and why."""

    changes: list[ItemChange]
    faults: list[tuple[str, str]]


def read_items(
    config: Config, files: Sequence[Path], column: str = ITEM, preset: str = "", now_ms: int = 0
) -> Iterator[Block]:
    """The items in files, some at a time.

    Args:
        column: the field of the id in JSON and CSV, unless a preset names it. preset: the name of
            one; "" is `items.preset`, or what the file shows. now_ms: the time of lines without
            one, ms since 1970.

    Raises:
        SourceError: a file cannot be read, has no such column, or there is no such preset.
    """
    settings = decode_settings(config)
    encoding = config.items.encoding or config.source.encoding
    errors = "replace" if encoding else "surrogateescape"
    for file in files_of(files):
        blocks = read_blocks([file], encoding=encoding, errors=errors)
        lines = (
            (number, _text(line))
            for block in blocks
            for number, line in enumerate(block.lines, start=block.first)
            if line.strip()
        )
        first = next(lines, None)
        if first is None:
            continue
        form = _form(config, file, first[1], column, preset)
        reader = ItemReader(replace(settings, items=form))
        if form.format == "csv":
            reader.begin(str(file), _table(form, file, first[1], column))
        rows = _rows(chain([first], lines), form.quote if form.format == "csv" else "")
        while some := list(islice(rows, BLOCK)):
            yield _block(reader, file, some, now_ms)


def _block(reader: ItemReader, file: Path, rows: Sequence[_Line], now_ms: int) -> Block:
    found = reader.decode([row for _, row in rows], now_ms, [str(file)] * len(rows))
    faults = [
        (f"{file}, line {rows[bad.index][0]}{_of_several(bad.element)}", bad.detail)
        for bad in found.rejected
    ]
    return Block(found.changes, faults)


def _of_several(element: int) -> str:
    return f", item {element + 1} on it" if element >= 0 else ""


def _form(config: Config, file: Path, head: str, column: str, preset: str) -> ItemPreset:
    """How a file is read: by the preset that is given, else by its name or its first line."""
    items = config.items
    own = {} if column == ITEM else {"item": column}
    name = file.with_suffix("").name if file.suffix.lower() in _PACKED else file.name
    if not preset and not items.preset:
        film = _FILMS.get(name, "")
        if film and (name != "movies.csv" or "movieId" in head):
            return resolve_items(film, fields=own)
    is_json = head.lstrip("\ufeff \t").startswith(("{", "["))
    form = form_of(items)
    form["format"] = "" if preset or items.preset else "json" if is_json else "csv"
    form["encoding"] = ""  # the files have been read
    form["fields"] = items.fields | own
    return resolve_items(preset or items.preset or "millirec", **form)


def _table(form: ItemPreset, file: Path, head: str, column: str) -> Table:
    """The table that a file is, by its first line."""
    table = table_of(form, head)
    if table.problem and (other := _no_table(head)):
        raise SourceError(
            f"{file} {other}: items are read from JSON, CSV with a header, and the forms that "
            "--preset names; export them as one of these"
        )
    if table.problem:
        near = get_close_matches(column, table.columns, n=1, cutoff=0.3) or table.columns[:1]
        hint = f"--item {shlex.quote(near[0])}" if near else "--set items.columns='[…]'"
        raise SourceError(
            f"{file} has no column {form.fields.get(ITEM, ITEM)!r}, but "
            f"{', '.join(map(repr, table.columns))}: name the column of ids, such as {hint}"
        )
    return table


def _no_table(head: str) -> str:
    """What a file is whose first line is no header; "" if it may be one."""
    if head.lstrip("\ufeff \t").startswith("<"):
        return "is XML or HTML"
    return "" if head.replace("\t", "").isprintable() else "is not text"


def _rows(lines: Iterator[_Line], quote: str) -> Iterator[_Line]:
    """Lines with their numbers, joined where a cell between quotes goes over several."""
    ahead: deque[_Line] = deque()
    while line := ahead.popleft() if ahead else next(lines, None):
        number, row = line
        if quote and row.count(quote) % 2:
            while len(ahead) < _MOST_JOINED and (another := next(lines, None)):
                ahead.append(another)
            closed = (n for n, (_, text) in enumerate(ahead) if text.count(quote) % 2)
            for _ in range(next(closed, -1) + 1):
                row += "\n" + ahead.popleft()[1]
        yield number, row


def _text(line: str) -> str:
    """A line as UTF-8 or else, as in older files of MovieLens, as Latin-1."""
    try:
        line.encode()
    except UnicodeEncodeError:
        return line.encode(errors="surrogateescape").decode("latin-1")
    return line
