"""Lines of JSON to columns: the first step of `udfs.events.decode` for JSON presets.

In: n lines, usually one object each. Out: `RawColumns`. A good line costs one typed msgspec decode;
only a line that fails is read again, by `udfs.events.json_again`, which finds the objects in
arrays, several on a line, and the actual reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import compress
from typing import Any

import msgspec
import numpy as np

from udfs.events.columns import REQUIRED
from udfs.events.json_again import UNREADABLE, Again
from udfs.events.json_problems import Where
from udfs.events.json_types import Getter, shape, values_of
from udfs.events.places import Only, field_of, holds_of, is_plain, merged, missing, needed, slots
from udfs.events.preset import Preset
from udfs.events.raw_columns import RawColumns, Rejected


class _Objects(msgspec.Struct):
    """Decoded objects, in the order of the lines.

    Attributes:
        rows: the index of each object's line.
        first: which event of its line its first one is; −1: it is the whole line. Empty: all are.
        number: which element of its own list its first one is. Empty: 0 for all.
    """

    events: list[Any]
    rows: Sequence[int]
    rejected: list[Rejected] = []
    ignored: int = 0
    first: Sequence[int] = ()
    number: Sequence[int] = ()

    def keep(self, wanted: Any) -> _Objects:
        """Only those objects; the others are ignored."""
        events, rows, first, number = (
            list(compress(values, wanted))
            for values in (self.events, self.rows, self.first, self.number)
        )
        ignored = self.ignored + len(self.events) - len(events)
        return _Objects(events, rows, self.rejected, ignored, first, number)


class JsonReader:
    """Reads lines of JSON by one mapping."""

    def __init__(self, preset: Preset, only: Only, *, floats: bool = False) -> None:
        """Compile a decoder for the paths of `preset`.

        Args:
            only: decides which lines count. floats: whether ids may be floats.
        """
        self._preset, self._only, self._plain = preset, only, is_plain(preset)
        places = self._slots = slots(preset)
        required = needed(preset)
        self._shape = shape(places, preset.each, required=required, floats=floats)
        self._decode: Callable[[str], Any] = msgspec.json.Decoder(self._shape.event).decode
        where = [
            Where(*slot, required=slot[0] in required, floats=floats) for slot in places.items()
        ]
        self._again = Again(self._shape, where, preset.each, only)
        self._deciding = [f"only|{place}" for place in only.places()]
        self._numeric = {slot for slot in places if holds_of(slot) == "number"}
        self._ids = [slot for slot in places if field_of(slot) == "id"]
        outside = set(map(field_of, self._shape.outer))
        self._alone = "item" in outside
        self._inside = [field for field in REQUIRED if field not in outside]

    def read(self, lines: Sequence[str]) -> RawColumns:
        """The columns of `lines`; the content of a line never makes it raise."""
        decode = self._decode
        events: list[Any] = []
        failed: list[tuple[int, str, Exception]] = []
        for line in lines:
            try:
                events.append(decode(line))
            except UNREADABLE as error:
                failed.append((len(events), line, error))
        found = self._with(events, failed) if failed else _Objects(events, range(len(lines)))
        if self._plain:
            columns = self._columns(self._shape.outer, found)
            raw = RawColumns(found.rows, columns, {}, found.rejected, found.ignored, found.first)
            if "session" in columns:
                if None in columns["user"]:
                    missing(columns, len(raw.rows), self._preset, raw.problems)
                if columns["session"].count(None) == len(raw.rows):  # as usual: nothing to carry
                    del columns["session"]
            return raw
        return self._several(found)

    def _columns(self, getters: Mapping[str, Getter], found: _Objects) -> dict[str, Any]:
        columns: dict[str, Any] = {}
        for slot, getter in getters.items():
            values = values_of(getter, found.events)
            # None becomes NaN
            columns[slot] = np.array(values, np.float64) if slot in self._numeric else values
        return columns

    def _with(self, events: list[Any], failed: list[tuple[int, str, Exception]]) -> _Objects:
        """The objects of all lines, those that failed read again, each at its place."""
        whole = _Objects([], [], [], 0, [], [])
        rows: list[int] = []
        first: list[int] = []
        number: list[int] = []
        done = 0
        for before, (at, line, error) in enumerate(failed):
            index = at + before
            whole.events += events[done:at]
            rows += range(done + before, index)
            first += [-1] * (at - done)
            number += [0] * (at - done)
            done = at
            found = self._again.read(line, error)
            for event, element, of_list in found.events:
                whole.events.append(event)
                rows.append(index)
                first.append(element)
                number.append(of_list)
            whole.rejected += [Rejected(*why, index, element) for why, element in found.rejected]
            whole.ignored += found.ignored
        left = len(events) - done
        whole.events += events[done:]
        rows += range(done + len(failed), done + len(failed) + left)
        whole.rows, whole.first, whole.number = rows, first + [-1] * left, number + [0] * left
        return whole

    def _several(self, found: _Objects) -> RawColumns:
        """The columns where lines may be about something else, or hold a list of events."""
        outer = self._shape.outer
        deciding = {slot: outer[slot] for slot in self._deciding}
        wanted = self._only.rows(self._columns(deciding, found))
        if wanted is not None:
            found = found.keep(wanted)
        reading = {slot: get for slot, get in outer.items() if slot not in deciding}
        columns = self._columns(reading, found)
        raw = RawColumns(found.rows, columns, {}, found.rejected, found.ignored, found.first)
        if self._shape.each:
            raw = self._elements(found, raw)
        raw.fields = merged(_in_order(raw.fields, self._slots))
        missing(raw.fields, len(raw.rows), self._preset, raw.problems)
        return raw

    def _elements(self, found: _Objects, raw: RawColumns) -> RawColumns:
        """A row for each element of an object's list, or for the object if it has none."""
        each = self._shape.each
        assert each is not None
        lists = values_of(each, found.events)
        if self._alone and not any(lists):
            raw.fields |= {field: [None] * len(raw.rows) for field in self._inside}
            return raw
        n, blank = len(found.events), self._shape.blank
        first, number = found.first or [-1] * n, found.number or [0] * n
        of: list[int] = []
        elements: list[Any] = []
        places: list[int] = []
        numbers: list[int] = []  # within the object's own list; −1: it has none
        for at, items in enumerate(lists):
            if items:
                count, begin = len(items), max(first[at], 0)
                of += [at] * count
                elements += items
                places += range(begin, begin + count)
                numbers += range(number[at], number[at] + count)
            elif items is None or self._alone:
                of.append(at)
                elements.append(blank)
                places.append(first[at])
                numbers.append(-1)
            else:
                raw.ignored += 1
        if None in elements:
            elements = [blank if element is None else element for element in elements]
        raw = raw.take(of)
        raw.elements = places
        rows = _Objects(elements, raw.rows)
        raw.fields |= self._columns(self._shape.inner, rows)
        raw.numbers = self._numbers(raw, numbers)
        return raw

    def _numbers(self, raw: RawColumns, numbers: list[int]) -> list[int]:
        """The number of each element among those that share its id; −1 if it has its own."""
        if not any(slot in self._shape.inner for slot in self._ids):
            return numbers
        found = [-1] * len(numbers)
        for slot in reversed(self._ids):
            own = numbers if slot in self._shape.outer else [-1] * len(numbers)
            values = zip(raw.fields[slot], own, found, strict=True)
            found = [later if value in (None, "") else at for value, at, later in values]
        return found


def _in_order(columns: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {slot: columns[slot] for slot in names if slot in columns}
