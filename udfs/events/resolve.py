"""What a line's fields are called: a preset, overridden by the configuration, and checked.

In: the name of a preset and what the configuration says. Out: a `Preset`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, TypedDict

import msgspec

from udfs.errors import SourceError
from udfs.events.columns import registered
from udfs.events.preset import CARRIED, FIELDS, Preset
from udfs.events.presets import PRESETS
from udfs.events.time_formats import check_form

if TYPE_CHECKING:
    from typing_extensions import Unpack

_OWN = "millirec", "json"
_REPLACED = "format", "delimiter", "decimal", "time_format", "each"


class Own(TypedDict, total=False):
    """What the configuration changes of a preset.

    Attributes:
        format, delimiter, columns, decimal, time_format, each: replace the preset's unless empty.
        header: "auto", "yes" or "no", see `Preset`.
        quote: replaces the preset's unless it is "auto".
        fields, types: replace single entries; an empty string removes an entry.
    """

    format: str
    delimiter: str
    header: str
    columns: Sequence[str]
    quote: str
    decimal: str
    time_format: str
    each: str
    fields: Mapping[str, str]
    types: Mapping[str, str]


def resolve(preset: str, **own: Unpack[Own]) -> Preset:
    """The named preset, overridden by the configuration.

    Args:
        preset: a name in `PRESETS`.
        own: what the configuration says, see `Own`. A CSV column may be given by its number
            from 1. If there are no `columns` and `fields` numbers the user and the item, its
            numbers are the whole mapping, whatever the preset's columns.

    Raises:
        SourceError: an unknown name, or a mapping that cannot work, with what to write instead.

    >>> resolve("movielens-dat", delimiter="|").delimiter
    '|'
    >>> resolve("movielense")
    Traceback (most recent call last):
    udfs.errors.SourceError: there is no preset 'movielense': did you mean 'movielens'?
    """
    if preset not in PRESETS:
        raise SourceError(f"there is no preset {preset!r}: {_instead(preset, PRESETS)}")
    fields, header = own.get("fields", {}), own.get("header", "auto")
    for field in fields:
        if field not in (*FIELDS, *registered(), *CARRIED):
            known = (*FIELDS, *registered())
            raise SourceError(f"an event has no field {field!r}: {_instead(field, known)}")
    if own.get("format", "") not in ("", "json", "csv"):
        raise SourceError(f"the format {own['format']!r} is unknown: write 'json' or 'csv'")
    if header not in ("auto", "yes", "no"):
        raise SourceError(f"the header {header!r} is unknown: write 'auto', 'yes' or 'no'")
    base = PRESETS[preset]
    given = {name: value for name, value in own.items() if name in _REPLACED and value}
    if (quote := own.get("quote", "auto")) != "auto":
        given["quote"] = quote
    given["columns"] = tuple(own.get("columns", ())) or base.columns
    resolved = msgspec.structs.replace(base, header=header, **given)
    resolved = msgspec.structs.replace(
        resolved,
        fields=_over(base.fields | _own(preset, resolved.format), fields),
        types=_over(base.types, own.get("types", {})),
    )
    if resolved.format == "csv":
        resolved = _numbered(resolved, _over(fields, {}), named=bool(own.get("columns")))
    _check(preset, resolved)
    return resolved


def _numbered(preset: Preset, own: Mapping[str, str], *, named: bool) -> Preset:
    """The preset with column numbers resolved: to names, or to a layout without names."""
    if not named and {"user", "item"} <= set(own) and all(map(_is_number, own.values())):
        return msgspec.structs.replace(preset, columns=(), fields=dict(own))
    names = {str(number): column for number, column in enumerate(preset.columns, start=1)}
    fields = {
        field: place if place in preset.columns else names.get(place, place)
        for field, place in preset.fields.items()
    }
    return msgspec.structs.replace(preset, fields=fields)


def _own(preset: str, format: str) -> dict[str, str]:
    """The fields of registered columns, which millirec's own JSON format has under their own
    names."""
    return {field: field for field in registered()} if (preset, format) == _OWN else {}


def _is_number(place: str) -> bool:
    return re.fullmatch("[1-9][0-9]{0,3}", place) is not None


def _over(base: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    both = {**base, **own}
    unread = {*CARRIED} - registered().keys()
    return {key: value for key, value in both.items() if value and key not in unread}


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
        if other != field:
            raise SourceError(f"the fields {other!r} and {field!r} are both read from {place!r}")
    if preset.format == "json":
        _check_paths(places)
        return
    if any(character in preset.delimiter for character in '"\r\n'):
        raise SourceError(f"the delimiter {preset.delimiter!r} has a quote or a line end in it")
    if len(set(preset.columns)) != len(preset.columns):
        raise SourceError(f"a name occurs twice in the columns {', '.join(preset.columns)}")
    for field, column in places.items():
        if not preset.columns and not _is_number(column):
            raise SourceError(
                f"the field {field!r} is read from {column!r}, but the columns of the CSV have "
                "no names: name them all, or give the column's number from 1"
            )
        if preset.columns and column not in preset.columns:
            hint = _instead(column, preset.columns)
            raise SourceError(f"the CSV has no column {column!r} for the field {field!r}: {hint}")


def _check_paths(paths: Mapping[str, str]) -> None:
    for field, path in paths.items():
        if not all(path.split(".")):
            raise SourceError(f"the path {path!r} of the field {field!r} has an empty part")
        for other, longer in paths.items():
            if longer.startswith(path + "."):
                raise SourceError(
                    f"the field {other!r} is read from {longer!r}, inside {path!r} "
                    f"of the field {field!r}: give each field a value of its own"
                )


def _instead(word: str, known: Collection[str]) -> str:
    """The nearest known word as a question, or all of them."""
    near = get_close_matches(word, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"choose one of {', '.join(known)}"
