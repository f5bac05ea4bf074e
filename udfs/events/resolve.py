"""What a line's fields are called: a preset, overridden by the configuration, and checked.

In: the name of a preset and what the configuration says. Out: a `Preset`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypedDict

import msgspec

from udfs.errors import SourceError
from udfs.events.columns import CONTEXT, registered
from udfs.events.columns import fields as read_fields
from udfs.events.csv_mapping import check_csv, with_columns
from udfs.events.names import instead
from udfs.events.paths import check_paths, check_reads_each, reads_each
from udfs.events.places import OR, expanded, field_of, in_changes, only_place
from udfs.events.preset import Preset
from udfs.events.presets import PRESETS
from udfs.events.time_formats import check_form

if TYPE_CHECKING:
    from typing_extensions import Unpack

_OWN = "millirec", "json"
_REPLACED = "format", "delimiter", "encoding", "decimal", "time_format", "each"


class Form(TypedDict, total=False):
    """What the configuration changes of a preset, of events or of items.

    Attributes:
        format, delimiter, encoding, columns, decimal, time_format, each: replace the preset's
            unless empty.
        header: "auto", "yes" or "no", see `Preset`.
        quote: replaces the preset's unless it is "auto".
        fields: replace single entries; an empty string removes an entry.
    """

    format: str
    delimiter: str
    encoding: str
    header: str
    columns: Sequence[str]
    quote: str
    decimal: str
    time_format: str
    each: str
    fields: Mapping[str, str]


class Own(Form, total=False):
    """The same of events, with `types`, which replace single entries as `fields` do."""

    types: Mapping[str, str]


def resolve(preset: str, **own: Unpack[Own]) -> Preset:
    """The named preset, overridden by the configuration.

    Args:
        preset: a name in `PRESETS`.
        own: what the configuration says, see `Own`; of CSV columns see `csv_mapping`.

    Raises:
        SourceError: an unknown name, or a mapping that cannot work, with what to write instead.

    >>> resolve("movielens-dat", delimiter="|").delimiter
    '|'
    >>> resolve("movielense")
    Traceback (most recent call last):
    udfs.errors.SourceError: there is no preset 'movielense': did you mean 'movielens'?
    """
    if preset not in PRESETS:
        raise SourceError(f"there is no preset {preset!r}: {instead(preset, PRESETS)}")
    fields, header = own.get("fields", {}), own.get("header", "auto")
    for field in fields:
        if field not in (known := tuple(read_fields())):
            raise SourceError(f"an event has no field {field!r}: {instead(field, known)}")
    if own.get("format", "") not in ("", "json", "csv"):
        raise SourceError(f"the format {own['format']!r} is unknown: write 'json' or 'csv'")
    if header not in ("auto", "yes", "no"):
        raise SourceError(f"the header {header!r} is unknown: write 'auto', 'yes' or 'no'")
    base = PRESETS[preset]
    given = {name: value for name, value in own.items() if name in _REPLACED and value}
    if (quote := own.get("quote", "auto")) != "auto":
        given["quote"] = quote
    resolved = msgspec.structs.replace(base, header=header, **given)
    named = _over(base.fields | _own(preset, resolved.format), fields)
    if "session" not in fields and list(named.values()).count(named.get("session", "")) > 1:
        del named["session"]  # the configuration reads a user or an id from there
    resolved = msgspec.structs.replace(
        resolved,
        delimiter=resolved.delimiter.replace("\\t", "\t"),  # as a shell or a variable has it
        fields=named,
        types=_over(base.types, own.get("types", {})),
    )
    if resolved.format == "csv":
        resolved = _with_columns(resolved, _over(fields, {}), tuple(own.get("columns", ())))
    if not own.get("each") and not reads_each(resolved):
        resolved = msgspec.structs.replace(resolved, each="")  # own fields stand elsewhere
    _check(preset, resolved)
    if base.shape == "change" and resolved.format == "json":
        resolved = msgspec.structs.replace(resolved, fields=in_changes(named))
        check_paths(resolved)
    return resolved


def _with_columns(preset: Preset, own: Mapping[str, str], columns: tuple[str, ...]) -> Preset:
    """See `csv_mapping.with_columns`; here a field may have several places."""
    slots = expanded(preset).fields
    found = with_columns(
        msgspec.structs.replace(preset, fields=slots),
        {slot: place for slot, place in slots.items() if field_of(slot) in own},
        columns,
    )
    fields: dict[str, str] = {}
    each, only = "", {}
    for slot, place in found.fields.items():
        field = field_of(slot)
        if place_of_only := only_place(slot):
            only[place] = preset.only[place_of_only]
            continue
        fields[field] = OR.join(filter(None, (fields.get(field), place)))
        if preset.each and slots[slot] == preset.each:
            each = place
    required = tuple(field for field in found.required if OR not in field)
    return msgspec.structs.replace(
        found, fields=fields, each=each or preset.each, only=only, required=required
    )


def _own(preset: str, format: str) -> dict[str, str]:
    """The fields of registered columns, which millirec's own JSON format has under their own
    names."""
    if (preset, format) != _OWN:
        return {}
    return {field: field for field in registered() if field not in CONTEXT}


def _over(base: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    both = {**base, **own}
    return {key: value for key, value in both.items() if value}


def _check(name: str, preset: Preset) -> None:
    """Raise SourceError if lines cannot be read by this mapping."""
    places = preset.fields
    for field in ("user", "item"):
        if field not in places:
            raise SourceError(
                f"the mapping of {name!r} has no field {field!r}: every event needs it"
            )
    if preset.time_format:
        check_form(preset.time_format)
    taken: dict[str, str] = {}
    for field, place in places.items():
        other = taken.setdefault(place, field)
        # A cell may hold several words, or be both: 0 of Book-Crossing is a view, 7 a rating.
        shared = place == preset.each or {field, other} == {"type", "value"}
        if other != field and not (preset.format == "csv" and shared):
            raise SourceError(f"the fields {other!r} and {field!r} are both read from {place!r}")
    if preset.format == "json":
        check_paths(preset)
        return
    check_csv(expanded(preset))
    check_reads_each(preset)
