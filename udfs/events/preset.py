"""Where the fields of an event are on a line: what a preset and the configuration decide.

In: nothing. Out: `Preset`, which `udfs.events.decode.Decoder` follows line by line.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from udfs.events.columns import FIELDS as READ
from udfs.events.columns import REQUIRED

FIELDS = tuple(READ)
"""What millirec reads of an event, besides registered columns; the rest of a line is ignored."""


class Preset(msgspec.Struct, frozen=True, kw_only=True):
    """Where the fields of an event are on a line.

    Attributes:
        format: "json" (one object a line) or "csv" (cells between delimiters).
        fields: field of `FIELDS`, or of a registered column → dotted path in the JSON object, or
            name of a CSV column; if `columns` is empty, its number from 1.
        columns: the CSV columns from left to right, where no header names them; a line has exactly
            these. Empty: a line has at least the numbered ones, or only a header can tell.
        delimiter: what separates two CSV cells, one character or more.
        header: "auto" takes the first line of a CSV file for a header if it has the names of the
            user's and the item's column, "yes" in any case, "no" never. A header is ignored
            wherever it recurs, since files may have been joined.
        types: the source's word or code for an event type → millirec's; others are kept as they
            are.
        default_type: the type of an event that names none; "" leaves it to the configuration.
        rating_range: the source's lowest and highest rating; None accepts any finite number.
        each: the place of a list whose elements are events of their own: a dotted path that ends
            in "[]", or a CSV column; "" if a line is one event. A field whose path begins with it
            is read from the element, any other from the line.
        quote: the character around CSV cells; "" if quotes are ordinary characters.
        encoding: of the files, by Python's name, for their headers; "" is UTF-8.
        decimal: the decimal mark of numbers in CSV cells.
        time_format: how times are written, as for `datetime.strptime`; "" is what
            `udfs.events.times` recognises.
        required: the fields whose columns a CSV header must have.
        named: whether `columns` are the configuration's own: then a header of other names, which
            only `header` "yes" tells from an event, does not matter.
        kind: what names the kind of a line besides `kind`; "" if nothing does.
        only: place → the values with which a line is an interaction; others are ignored.
        shape: "change": lines are changes of rows of a database, and `fields` name columns, see
            `udfs.events.places.in_changes`.
    """

    format: Literal["json", "csv"]
    fields: dict[str, str]
    columns: tuple[str, ...] = ()
    delimiter: str = ","
    header: Literal["auto", "yes", "no"] = "auto"
    types: dict[str, str] = {}
    default_type: str = ""
    rating_range: tuple[float, float] | None = None
    each: str = ""
    quote: str = '"'
    encoding: str = ""
    decimal: str = "."
    time_format: str = ""
    required: tuple[str, ...] = REQUIRED
    named: bool = False
    kind: str = ""
    only: dict[str, tuple[str, ...]] = {}
    shape: Literal["", "change"] = ""


def is_number(place: str) -> bool:
    """Whether a place is the number of a CSV column, from 1."""
    return re.fullmatch("[1-9][0-9]{0,3}", place) is not None
