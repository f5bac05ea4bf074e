"""Messages of CSV to columns: several lines in one, and cells that hold several items.

In: n messages, usually one line each. Out: `RawColumns`, with a row for each word of the column
`Preset.each`. The lines themselves are cut by `udfs.events.csv_lines`.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from udfs.events.csv_lines import CsvReader
from udfs.events.places import Only, is_plain, merged, slots
from udfs.events.preset import Preset
from udfs.events.raw_columns import RawColumns


class CsvElements:
    """Reads messages of CSV by one preset."""

    def __init__(self, preset: Preset, only: Only) -> None:
        """Prepare; `only` decides which lines count."""
        self._plain, self._only, self._quote = is_plain(preset), only, preset.quote
        places = slots(preset)
        self._words = [
            slot for slot, place in places.items() if preset.each and place == preset.each
        ]
        self._reader = CsvReader(msgspec.structs.replace(preset, fields=places))

    def read(self, lines: Sequence[str]) -> RawColumns:
        """The columns of `lines`; the content of a line never makes it raise."""
        if "\n" in "".join(lines) and any("\n" in line.strip("\r\n") for line in lines):
            raw = self._of_messages(lines)
        else:
            raw = self._reader.read(lines)
        return raw if self._plain else self._several(raw)

    def _of_messages(self, messages: Sequence[str]) -> RawColumns:
        """Cut each message into its lines, and read those."""
        lines: list[str] = []
        message_of: list[int] = []
        elements: list[int] = []
        for index, message in enumerate(messages):
            parts = self._lines(message)
            lines += parts
            message_of += [index] * len(parts)
            elements += range(len(parts)) if len(parts) > 1 else [-1]
        raw = self._reader.read(lines)
        raw.elements = [elements[line] for line in raw.rows]
        raw.rows = [message_of[line] for line in raw.rows]
        replace = msgspec.structs.replace
        raw.rejected = [
            replace(bad, index=message_of[bad.index], element=elements[bad.index])
            for bad in raw.rejected
        ]
        return raw

    def _lines(self, message: str) -> list[str]:
        """The lines of a message, which end where no quote is open; blank ones inside are left
        out."""
        lines: list[str] = []
        for part in message.strip("\r\n").split("\n"):
            if lines and self._quote and lines[-1].count(self._quote) % 2:
                lines[-1] += "\n" + part
            else:
                lines.append(part)
        return [line for line in lines if line.strip()] or [""]

    def _several(self, raw: RawColumns) -> RawColumns:
        """The columns where lines may be about something else, or hold several items."""
        wanted = self._only.rows(raw.fields)
        if wanted is not None:
            raw.ignored += int((~wanted).sum())
            raw = raw.take(np.flatnonzero(wanted).tolist())
        if self._words:
            raw = self._split(raw)
        raw.fields = merged({slot: raw.fields[slot] for slot in sorted(raw.fields)})
        return raw

    def _split(self, raw: RawColumns) -> RawColumns:
        """A row for each word; if the type is in the same cell, it is behind the word's last -."""
        of: list[int] = []
        words: list[str] = []
        elements: list[int] = []
        for row, cell in enumerate(raw.fields[self._words[0]]):
            found = (cell or "").split()
            of += [row] * len(found)
            words += found
            elements += range(len(found))
            raw.ignored += not found
        raw = raw.take(of)
        raw.elements = elements
        types: list[str | None] = [None] * len(words)
        if "type" in self._words:
            for at, word in enumerate(words):
                item, dash, kind = word.rpartition("-")
                if dash:
                    words[at], types[at] = item, kind
        for slot in self._words:
            raw.fields[slot] = types if slot == "type" else words
        raw.numbers = elements
        return raw
