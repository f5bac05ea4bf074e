"""Reads lines about items: what `parse` makes of lines of the kind "item".

In: n lines (`Sequence[str]`) and the clock. Out: `ReadItems`: an `ItemChange` for each item on
them, a `Rejected` for each that cannot be used, and how many lines say nothing about an item.

A line is read as a whole or not at all. The reasons are those of `udfs.events.decode`, and
`too_large`: a list, a vector or a name is longer than allowed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from udfs.events.item_changes import ItemChange
from udfs.events.item_preset import OWN
from udfs.events.items.clean import cleaned
from udfs.events.items.mapping import Mapped
from udfs.events.items.objects import objects_of
from udfs.events.items.row_changes import TIME, is_change
from udfs.events.items.shapes import unwrapped
from udfs.events.items.tables import Table, Tables
from udfs.events.items.values import Bad
from udfs.events.json_problems import kind_of
from udfs.events.raw_columns import Problem, Rejected, clean_ids, clean_times
from udfs.events.settings import DecodeSettings
from udfs.events.times import RawTime


class ReadItems(msgspec.Struct, frozen=True):
    """The result for n lines.

    Attributes:
        changes: in the order of the lines. rejected: by ascending index of their lines.
        ignored: how many lines, or elements of lines, say nothing about an item.
    """

    changes: list[ItemChange]
    rejected: list[Rejected]
    ignored: int

    @property
    def received(self) -> int:
        """How many items the lines held, usable or not, and what is ignored."""
        return len(self.changes) + len(self.rejected) + self.ignored


class _Rows(msgspec.Struct):
    """Items whose fields are clean, and whose ids and times are not looked at yet."""

    ids: list[Any] = []
    times: list[RawTime] = []
    fields: list[dict[str, Any]] = []
    places: list[tuple[int, int]] = []
    rejected: list[Rejected] = []
    ignored: int = 0


class ItemReader:
    """Reads lines by the settings' `items`; JSON objects of the kind "item" are always read as
    millirec's own."""

    def __init__(self, settings: DecodeSettings) -> None:
        self._settings, self._preset = settings, settings.items
        self._own, self._mapped = Mapped(OWN), Mapped(settings.items)
        self._tables = Tables(settings.items) if settings.items.format == "csv" else None

    def begin(self, file: str, table: Table) -> None:
        """Read the lines of a CSV file by a table whose header is known already."""
        assert self._tables is not None
        self._tables.begin(file, table)

    def decode(self, lines: Sequence[str], now_ms: int, files: Sequence[str] = ()) -> ReadItems:
        """The items on `lines`; the content of a line never makes it raise.

        Args:
            lines: n lines as they come from the source.
            now_ms: the clock, ms since 1970, which is the time of what says none.
            files: the path of each line's file, "" if it is of none; or ().
        """
        rows = _Rows()
        for index, line in enumerate(lines):
            count = 0
            for element, found in enumerate(self._found(line, files[index] if files else "")):
                count += 1
                self._add(rows, found, index, element)
            if count == 0:
                rows.ignored += 1
            elif count == 1:
                _whole(rows, index)
        return self._checked(rows, now_ms)

    def _found(self, line: str, file: str) -> Iterator[tuple[Mapped, Any]]:
        """What is on a line: objects or rows, problems, None for what says nothing."""
        text = line.lstrip("\ufeff \t")
        if self._tables is None:
            for one in objects_of(line):
                own = isinstance(one, dict) and one.get("kind") == "item"
                listed = one.get(self._preset.each) if isinstance(one, dict) and not own else None
                for each in listed if isinstance(listed, list) else [one]:
                    yield (self._own if own else self._mapped), each
        elif text.startswith(("{", "[")) and '"kind"' in text:
            yield from ((self._own, one) for one in objects_of(line))
        elif text.strip():
            table = self._tables.of(file)
            try:
                yield table.mapped, table.row(line, self._preset.quote)
            except Bad as bad:
                yield table.mapped, (bad.reason, str(bad))

    def _add(self, rows: _Rows, found: tuple[Mapped, Any], index: int, element: int) -> None:
        """Add one object or row."""
        mapped, one = found
        try:
            read = self._read(mapped, one) if isinstance(one, dict) else _problem(one)
        except Bad as bad:
            read = bad.reason, str(bad)
        if read is None:
            rows.ignored += 1
        elif len(read) == 2:
            rows.rejected.append(Rejected(*read, index, element))
        else:
            item, time, fields = read
            rows.ids.append(item)
            rows.times.append(time)
            rows.fields.append(fields)
            rows.places.append((index, element))

    def _read(self, mapped: Mapped, one: dict[str, Any]) -> tuple[Any, ...] | None:
        """The id, the time and the fields of an object; a problem; or None."""
        preset = OWN if mapped is self._own else self._preset
        if not mapped.wants(one):
            return None
        row = unwrapped(one, preset.shape)
        if row is None:
            return None
        raw = mapped.raw(row.columns)
        if row.gone and TIME in row.columns:  # other columns of a deleted row may be made up
            raw["ts"] = row.columns[TIME], TIME
        item, place = raw.pop("item", (None, "item"))
        time, at = raw.pop("ts", (None, "ts"))
        if item is None:
            names = preset.fields.get("item", "item").replace("|", "' or '")
            return "missing_item", f"the line has no '{names}'{_instead(row.columns)}"
        if isinstance(item, bool | list | dict):
            what = f"the item ({place!r}) is {kind_of(item)}"
            return "wrong_type", f"{what}, neither text nor a whole number"
        if isinstance(time, bool | list | dict):
            return "wrong_type", f"the ts ({at!r}) is {kind_of(time)}, not a time"
        return item, time, cleaned(raw, preset, row.gone)

    def _checked(self, rows: _Rows, now_ms: int) -> ReadItems:
        """The changes among the rows whose ids and times can be used."""
        problems: dict[int, Problem] = {}
        settings = self._settings
        integers = settings.ids == "integers"
        ids = clean_ids(
            rows.ids, "item", settings.max_id_bytes, problems, required=True, integers=integers
        )
        given = [None if time == "" else time for time in rows.times]
        form, option = self._preset.time_format, "items.time_format"
        times = clean_times(given, now_ms, settings.bounds, problems, form, option)
        changes = [
            ItemChange(item, int(time), fields)
            for row, (item, time, fields) in enumerate(zip(ids, times, rows.fields, strict=True))
            if row not in problems
        ]
        rows.rejected += [Rejected(*why, *rows.places[row]) for row, why in problems.items()]
        rows.rejected.sort(key=lambda bad: (bad.index, bad.element))
        return ReadItems(changes, rows.rejected, rows.ignored)


def _problem(one: Any) -> Problem | None:
    """What is no object: a problem already, nothing, or an element of another kind."""
    if one is None or isinstance(one, tuple):
        return one
    return "not_an_object", f"an element of the line is {kind_of(one)}, not an object"


def _whole(rows: _Rows, index: int) -> None:
    """Mark the only thing on a line as the whole line."""
    if rows.places and rows.places[-1][0] == index:
        rows.places[-1] = index, -1
    elif rows.rejected and rows.rejected[-1].index == index:
        rows.rejected[-1] = msgspec.structs.replace(rows.rejected[-1], element=-1)


def _instead(one: dict[str, Any]) -> str:
    """What the line has that may be the id, or what it is."""
    if is_change(one):
        return ', but a change of a row of a database: set items.preset = "debezium"'
    names = ("id", "item_id", "itemId", "ItemId", "product_id", "sku", "asin", "parent_asin")
    found = next((name for name in names if name in one), None)
    return f', but {found!r}: set items.fields.item = "{found}"' if found else ""
