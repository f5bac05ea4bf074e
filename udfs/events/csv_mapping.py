"""The columns of CSV: what the configuration's fields and names make of a preset's, and whether
lines can be read by that.

In: a `Preset` whose fields are overridden already. Out: the `Preset` that readers follow.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from udfs.errors import SourceError
from udfs.events.columns import REQUIRED
from udfs.events.names import fold, instead
from udfs.events.places import slots
from udfs.events.preset import Preset, is_number

NAME_THEM = (
    'name them all from left to right, --set \'source.columns=["…", "…"]\', or give the '
    "column's number from 1, --set source.fields.user=1 and so on"
)
"""What to do about columns that neither a header nor a preset names."""


def with_columns(preset: Preset, own: Mapping[str, str], columns: tuple[str, ...]) -> Preset:
    """The preset with its columns, and each field by the name of its column, or else its number.

    If there are no `columns` and `own` numbers the user and the item, its numbers are the whole
    mapping, whatever the preset's columns. If `own` names others than the preset's, only the
    header of a file says where they are.

    Args:
        own: the configuration's fields, which a header must have.
        columns: the configuration's names for columns from left to right.
    """
    if not columns and {*REQUIRED} <= set(own) and all(map(is_number, own.values())):
        return replace(preset, columns=(), fields=dict(own))
    named, columns = bool(columns), columns or preset.columns
    names = {fold(column): column for column in columns}
    fields = {field: names.get(fold(place), place) for field, place in preset.fields.items()}
    others = {fields[field] for field in own if not is_number(fields[field])} - {*columns}
    if others and not named:
        columns = ()
    numbers = {str(number): column for number, column in enumerate(columns, start=1)}
    return replace(
        preset,
        columns=columns,
        fields={f: p if p in columns else numbers.get(p, p) for f, p in fields.items()},
        named=named,
        required=tuple(dict.fromkeys((*REQUIRED, *own))),
    )


def needs_header(preset: Preset) -> bool:
    """Whether only the header of a file can say where the fields are."""
    numbered = all(map(is_number, slots(preset).values()))
    return preset.format == "csv" and not preset.columns and not numbered


def check_csv(preset: Preset) -> None:
    """Raise SourceError if lines of CSV cannot be read by this mapping."""
    _check_marks(preset.delimiter, preset.quote, preset.decimal)
    columns = preset.columns
    names = [fold(column) for column in columns if column]
    if len(set(names)) != len(names):
        raise SourceError(f"a name occurs twice in the columns {', '.join(columns)}")
    for field in preset.required:
        place = preset.fields[field]
        if columns and place not in columns:
            hint = instead(place, [column for column in columns if column])
            raise SourceError(f"the CSV has no column {place!r} for the field {field!r}: {hint}")
    if preset.header == "no":
        require_names(preset, 'source.header is "no"')


def require_names(preset: Preset, because: str) -> None:
    """Raise SourceError if only a header could name the columns, which there is none `because`."""
    if needs_header(preset):
        field, place = next((f, p) for f, p in slots(preset).items() if not is_number(p))
        raise SourceError(
            f"the field {field!r} is read from {place!r}, but the columns of the CSV have no "
            f"names, since {because}: {NAME_THEM}"
        )


def _check_marks(delimiter: str, quote: str, decimal: str) -> None:
    """Raise SourceError unless cells can be told apart."""
    if len(quote) > 1 or quote.isalnum() or quote.isspace() or quote == "\\":
        raise SourceError(
            f"the quote {quote!r} is not a mark around cells: write one character, such as ', or "
            "an empty text if quotes are ordinary characters"
        )
    if any(character in delimiter for character in f"\r\n{quote}"):
        raise SourceError(f"the delimiter {delimiter!r} has a quote or a line end in it")
    if decimal == delimiter and not quote:
        raise SourceError(
            f"the decimal mark and the delimiter are both {decimal!r}, and there are no quotes "
            "between which a cell could have it: correct source.decimal, source.delimiter or "
            "source.quote"
        )
