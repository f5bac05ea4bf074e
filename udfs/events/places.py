"""Where a field's values are on a line, when a mapping names several places or leaves lines out.

In: a `Preset`. Out: `slots`, the places one by one, which a reader reads into a column each;
`merged`, one column for each field again; `Only`, which of the rows are interactions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from udfs.events.columns import REQUIRED, Holds, fields
from udfs.events.preset import Preset
from udfs.events.raw_columns import Problem

OR = "|"
"""Between two places of a field: the second is read where the first has no value."""
_ONLY = "only"
CHANGED = "ts_ms"
"""When a row of a database was changed, as `in_changes` has it."""
_CHANGED = "source.ts_ms", "__source_ts_ms", CHANGED, f"__{CHANGED}"


def slots(preset: Preset) -> dict[str, str]:
    """The places to read, by a name of their own: a field's name for its first place, then
    "user|1" and so on; "only|event" for a place of `preset.only`.

    >>> from udfs.events.preset import Preset
    >>> fields = {"user": "userId|anonymousId", "item": "sku"}
    >>> slots(Preset(format="json", fields=fields, only={"type": ("track",)}))
    {'user': 'userId', 'user|1': 'anonymousId', 'item': 'sku', 'only|type': 'type'}
    """
    found = {}
    for field, places in preset.fields.items():
        for number, place in enumerate(alternatives(places)):
            found[f"{field}{OR}{number}" if number else field] = place
    return found | {f"{_ONLY}{OR}{place}": place for place in preset.only}


def in_changes(fields: Mapping[str, str]) -> dict[str, str]:
    """Where columns of a table are in the changes of its rows, as Debezium writes them: by
    themselves, in the envelope, or in either of these below `payload`. "ts_ms" is no column, but
    the time of the change.

    >>> in_changes({"item": "sku", "user": "@key"})
    {'item': 'sku|after.sku|payload.after.sku|payload.sku', 'user': '@key'}
    """
    found = {}
    for field, places in fields.items():
        some: list[str] = []
        for place in alternatives(places):
            if place == CHANGED:
                some += [f"{at}{one}" for one in _CHANGED for at in ("", "payload.")]
            elif place.startswith("@"):
                some.append(place)
            else:
                some += [place, f"after.{place}", f"payload.after.{place}", f"payload.{place}"]
        found[field] = OR.join(some)
    return found


def expanded(preset: Preset) -> Preset:
    """The preset with a field for each of `slots`."""
    return msgspec.structs.replace(preset, fields=slots(preset))


def only_place(slot: str) -> str:
    """The place of `Preset.only` that a slot is for; "" for a slot of a field."""
    return slot.removeprefix(f"{_ONLY}{OR}") if field_of(slot) == _ONLY else ""


def alternatives(places: str) -> list[str]:
    """The places that a mapping names for a field, the first choice first.

    >>> alternatives("userId | anonymousId")
    ['userId', 'anonymousId']
    """
    return [place.strip() for place in places.split(OR)]


def field_of(slot: str) -> str:
    """The field that a slot belongs to; "only" for one that decides whether a line counts."""
    return slot.partition(OR)[0]


def holds_of(slot: str) -> Holds:
    """What a slot may hold."""
    field = field_of(slot)
    return "word" if field == _ONLY else fields()[field]


def is_plain(preset: Preset) -> bool:
    """Whether each line is one event, with one place for each of its fields."""
    return not preset.each and len(slots(preset)) == len(preset.fields)


def merged(columns: Mapping[str, Any]) -> dict[str, Any]:
    """One column for each field: of several slots, the first value that is neither absent nor "".

    >>> merged({"user": [None, "", "a"], "user|1": ["x", "y", "z"]})
    {'user': ['x', 'y', 'a']}
    """
    found: dict[str, Any] = {}
    for slot, values in columns.items():
        field = field_of(slot)
        before = found.get(field)
        if before is None:
            found[field] = values
        elif isinstance(before, np.ndarray):
            found[field] = np.where(np.isnan(before), values, before)
        else:
            pairs = zip(before, values, strict=True)
            found[field] = [
                other if one is None or (one == "" and other is not None) else one
                for one, other in pairs
            ]
    return found


def needed(preset: Preset) -> tuple[str, ...]:
    """The fields without which a line cannot be an event, where it is known at once: each line is
    one event, with one place for each field. A session may stand for its user."""
    if not is_plain(preset):
        return ()
    return tuple(one for one in REQUIRED if one != "user" or "session" not in preset.fields)


def missing(
    columns: Mapping[str, Any], rows: int, preset: Preset, problems: dict[int, Problem]
) -> None:
    """Add those of so many rows that have no item, or neither a user nor a session, to
    `problems`."""
    sessions = columns.get("session")
    for field in REQUIRED:
        values = columns.get(field, [None] * rows)
        if None in values:
            names = " or ".join(map(repr, alternatives(preset.fields[field])))
            lost = [row for row, value in enumerate(values) if value is None]
            if field == "user" and sessions is not None:
                names += f" or {preset.fields['session']!r}"
                lost = [row for row in lost if sessions[row] in (None, "")]
            for row in lost:
                problems.setdefault(row, (f"missing_{field}", f"the line has no {names}"))


class Only:
    """Decides which lines are interactions, by `Preset.only`.

    At the place of the event's type, the words with a meaning count too: those of `Preset.types`,
    and those that have a weight.
    """

    def __init__(self, preset: Preset, weighed: Iterable[str]) -> None:
        words = {*preset.types, *weighed}
        self._wanted = {
            place: {fold(word) for word in values}
            | ({fold(word) for word in words} if place == preset.fields.get("type") else set())
            for place, values in preset.only.items()
        }

    def __bool__(self) -> bool:
        return bool(self._wanted)

    def places(self) -> list[str]:
        """The places that decide."""
        return list(self._wanted)

    def wants(self, place: str, value: object) -> bool:
        """Whether a line with this value may be an interaction; without one, nobody knows."""
        if value is None or value == "" or isinstance(value, dict | list):
            return True
        whole = isinstance(value, float) and value.is_integer()
        return fold(f"{value:.0f}" if whole else str(value)) in self._wanted[place]

    def rows(self, columns: dict[str, Any]) -> NDArray[np.bool_] | None:
        """Which rows are interactions, bool[n]; None: all. The columns that decide are removed."""
        found: NDArray[np.bool_] | None = None
        for place in self._wanted:
            values = columns.pop(f"{_ONLY}{OR}{place}", ())  # a file may not have the column
            known = {value: self.wants(place, value) for value in set(values)}
            if not all(known.values()):
                wanted = np.fromiter(map(known.__getitem__, values), np.bool_, len(values))
                found = wanted if found is None else found & wanted
        return found


def fold(word: str) -> str:
    """The form in which words are compared: upper and lower case, and outer blanks, do not
    matter."""
    return word.strip().lower()
