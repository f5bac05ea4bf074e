"""What a CSV line means when a cell holds several items, or lines may be no interactions.

In: n lines. Out: `RawColumns`, with a row for each word of the column `Preset.each`. The lines
themselves are cut by `udfs.events.csv_files`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from udfs.events.csv_files import CsvFiles
from udfs.events.places import Only, expanded, is_plain, merged, slots
from udfs.events.preset import Preset
from udfs.events.raw_columns import RawColumns


class CsvElements:
    """Reads lines of CSV by one preset."""

    def __init__(self, preset: Preset, only: Only) -> None:
        """Prepare; `only` decides which lines count."""
        self._plain, self._only = is_plain(preset), only
        places = slots(preset)
        self._words = [
            slot for slot, place in places.items() if preset.each and place == preset.each
        ]
        self._reader = CsvFiles(expanded(preset))

    def read(self, lines: Sequence[str], files: Sequence[str] = ()) -> RawColumns:
        """The columns of n lines; neither a line nor a file ever makes it raise.

        Args:
            files: the path of each line's file, or ().
        """
        raw = self._reader.read(lines, files)
        return raw if self._plain else self._several(raw)

    def _several(self, raw: RawColumns) -> RawColumns:
        """The columns where lines may be about something else, or hold several items."""
        wanted = self._only.rows(raw.fields)
        if wanted is not None:
            raw.ignored += int((~wanted).sum())
            raw = raw.take(np.flatnonzero(wanted).tolist())
        if self._words and self._words[0] in raw.fields:
            raw = self._split(raw)
        raw.fields = merged({slot: raw.fields[slot] for slot in sorted(raw.fields)})
        return raw

    def _split(self, raw: RawColumns) -> RawColumns:
        """A row for each word; if the type is in the same cell, it is behind the word's last -."""
        of: list[int] = []
        words: list[str] = []
        elements: list[int] = []
        numbers: list[int] = []
        before, begin = -1, 0
        for row, cell in enumerate(raw.fields[self._words[0]]):
            if raw.rows[row] != before:
                before, begin = raw.rows[row], 0
            found = (cell or "").split()
            of += [row] * len(found)
            words += found
            elements += range(begin, begin + len(found))
            numbers += range(len(found))
            begin += len(found)
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
        raw.numbers = numbers
        return raw
