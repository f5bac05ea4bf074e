"""How other systems write an event: a table of field names, read once when a job is built.

In: the name of a preset and what the configuration overrides. Out: a `Preset`, which
`udfs.events.decode.Decoder` follows line by line.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches
from types import MappingProxyType
from typing import Literal

import msgspec

from udfs.errors import SourceError
from udfs.events.columns import FIELDS as READ
from udfs.events.columns import registered

FIELDS = tuple(READ)
"""What millirec reads of an event, besides registered columns; the rest of a line is ignored."""

CARRIED = ("session", "rec")
"""Fields that an event may also have: a mapping may name them, decoding leaves them on the line."""


class Preset(msgspec.Struct, frozen=True, kw_only=True):
    """Where the fields of an event are on a line.

    Attributes:
        format: "json" (one object a line) or "csv" (cells between delimiters).
        fields: field of `FIELDS`, or of a registered column → dotted path in the JSON object, or
            name of a CSV column; if `columns` is empty, its number from 1.
        columns: the CSV columns from left to right; a line has exactly these. Empty: a line has
            at least the numbered ones.
        delimiter: what separates two CSV cells, one character or more.
        header: "auto" and "yes" ignore a CSV line whose cells are the column names, anywhere in
            the input, since many files may follow one another; "no" reads it like any other line.
        types: the source's word or code for an event type → millirec's; others are kept as they
            are.
        default_type: the type of an event that names none; "" leaves it to the configuration.
        rating_range: the source's lowest and highest rating; None accepts any finite number.
    """

    format: Literal["json", "csv"]
    fields: dict[str, str]
    columns: tuple[str, ...] = ()
    delimiter: str = ","
    header: Literal["auto", "yes", "no"] = "auto"
    types: dict[str, str] = {}
    default_type: str = ""
    rating_range: tuple[float, float] | None = None


def _movielens(delimiter: str, *columns: str) -> Preset:
    """MovieLens: user, item, rating from half a star to five, seconds since 1970."""
    return Preset(
        format="csv",
        delimiter=delimiter,
        columns=columns,
        fields=dict(zip(("user", "item", "value", "ts"), columns, strict=True)),
        default_type="rating",
        rating_range=(0.5, 5.0),
    )


PRESETS: dict[str, Preset] = {
    "millirec": Preset(
        format="json",
        columns=FIELDS,  # for the same events as CSV
        fields={field: field for field in FIELDS},
    ),
    # https://grouplens.org/datasets/movielens/: u.data of 100K, ratings.csv, ratings.dat of 1M
    "movielens": _movielens("\t", "user", "item", "rating", "ts"),
    "movielens-csv": _movielens(",", "userId", "movieId", "rating", "timestamp"),
    "movielens-dat": _movielens("::", "UserID", "MovieID", "Rating", "Timestamp"),
    # https://gorse.io/docs/concepts/data-source: feedback
    "gorse": Preset(
        format="json",
        fields={"user": "UserId", "item": "ItemId", "type": "FeedbackType", "ts": "Timestamp"},
        types={"read": "view", "star": "like"},
    ),
    # https://github.com/metarank/metarank/blob/master/doc/event-schema.md: interaction events
    "metarank": Preset(
        format="json",
        fields={"user": "user", "item": "item", "type": "type", "ts": "timestamp", "id": "id"},
        types={"add-to-cart": "cart"},
    ),
    # https://segment.com/docs/connections/spec/ecommerce/v2/: track calls about one product
    "segment": Preset(
        format="json",
        fields={
            "user": "userId",
            "item": "properties.product_id",
            "type": "event",
            "ts": "timestamp",
            "id": "messageId",
        },
        types={
            "Product Viewed": "view",
            "Product Clicked": "click",
            "Product Added": "cart",
            "Product Added to Wishlist": "favourite",
            "Order Completed": "purchase",  # of one product; without product_id it is rejected
        },
    ),
    # https://docs.aws.amazon.com/personalize/latest/dg/interactions-datasets.html
    "personalize": Preset(
        format="csv",
        columns=("USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE", "EVENT_VALUE"),
        fields={
            "user": "USER_ID",
            "item": "ITEM_ID",
            "type": "EVENT_TYPE",
            "ts": "TIMESTAMP",
            "value": "EVENT_VALUE",
        },
    ),
    # https://www.kaggle.com/datasets/retailrocket/ecommerce-dataset: events.csv. A transaction
    # has a row per item, all with its number: that is no id of an event.
    "retail": Preset(
        format="csv",
        columns=("timestamp", "visitorid", "event", "itemid", "transactionid"),
        fields={"user": "visitorid", "item": "itemid", "type": "event", "ts": "timestamp"},
        types={"addtocart": "cart", "transaction": "purchase"},
    ),
    # https://tianchi.aliyun.com/dataset/46: user behaviour, to the hour
    "tianchi": Preset(
        format="csv",
        columns=("user_id", "item_id", "behavior_type", "user_geohash", "item_category", "time"),
        fields={"user": "user_id", "item": "item_id", "type": "behavior_type", "ts": "time"},
        types={"1": "view", "2": "favourite", "3": "cart", "4": "purchase"},
    ),
}

_OWN = "millirec", "json"
_NONE: Mapping[str, str] = MappingProxyType({})


def resolve(
    preset: str,
    *,
    format: str = "",
    delimiter: str = "",
    header: str = "auto",
    columns: Sequence[str] = (),
    fields: Mapping[str, str] = _NONE,
    types: Mapping[str, str] = _NONE,
) -> Preset:
    """The named preset, overridden by the configuration.

    Args:
        preset: a name in `PRESETS`.
        format, delimiter, columns: replace the preset's unless empty.
        header: "auto", "yes" or "no", see `Preset`.
        fields, types: replace single entries; an empty string removes an entry. A CSV column
            may be given by its number from 1. If `columns` is empty and `fields` numbers the
            user and the item, its numbers are the whole mapping, whatever the preset's columns.

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
    for field in fields:
        if field not in (*FIELDS, *registered(), *CARRIED):
            known = (*FIELDS, *registered())
            raise SourceError(f"an event has no field {field!r}: {_instead(field, known)}")
    if format not in ("", "json", "csv"):
        raise SourceError(f"the format {format!r} is unknown: write 'json' or 'csv'")
    if header not in ("auto", "yes", "no"):
        raise SourceError(f"the header {header!r} is unknown: write 'auto', 'yes' or 'no'")
    base = PRESETS[preset]
    resolved = msgspec.structs.replace(
        base,
        format=format or base.format,
        delimiter=delimiter or base.delimiter,
        header=header,
        columns=tuple(columns) or base.columns,
        fields=_over(base.fields | _own(preset, format or base.format), fields),
        types=_over(base.types, types),
    )
    if resolved.format == "csv":
        resolved = _numbered(resolved, _over(fields, {}), named=bool(columns))
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
