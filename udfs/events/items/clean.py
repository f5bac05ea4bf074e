"""Cleans what a line says of an item, field by field.

In: field → (value, place), raw. Out: field → value, as `ItemChange` promises; `Bad` if one cannot
be used, so that nothing of the line is.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from html import unescape
from typing import Any

from udfs.events.item_preset import ItemPreset
from udfs.events.items.attributes import attributes
from udfs.events.items.flags import flag
from udfs.events.items.prices import price
from udfs.events.items.row_values import day
from udfs.events.items.values import (
    MOST_IMAGE,
    MOST_TEXT,
    MOST_TITLE,
    Bad,
    moment,
    text,
    vector,
    whole_text,
    words,
)

Raw = dict[str, tuple[Any, str]]
_Clean = Callable[[Any, str, ItemPreset], Any]
_SAID = "the price's own currency"
_DAYS, _YEARS = 100_000, range(1000, 3000)  # since 1970, until 2243; and years by themselves


def plain(value: Any) -> Any:
    """A text without HTML's tags and entities; anything else as it is.

    >>> plain("<p>Tea &amp;<br>pots</p> 3 < 4")
    'Tea & pots 3 < 4'
    """
    if not isinstance(value, str) or ("<" not in value and "&" not in value):
        return value
    first, *others = value[: 8 * MOST_TEXT].split("<")
    parts = [first]
    for other in others:
        tag, end, rest = other.partition(">")
        known = end and (tag[:1].isalpha() or tag[:1] in ("/", "!"))
        parts.append(f" {rest}" if known else f"<{other}")
    return " ".join(unescape("".join(parts)).split())


def _text(value: Any, name: str, preset: ItemPreset) -> str | None:
    return text(plain(value) if preset.html else value, name)


def _title(value: Any, name: str, preset: ItemPreset) -> str | None:
    return text(plain(value) if preset.html else value, name, MOST_TITLE)


def _image(value: Any, name: str, preset: ItemPreset) -> str | None:
    if isinstance(value, str) and (mark := preset.split.get("image")):
        value = value.partition(mark)[0]
    return whole_text(value, name, MOST_IMAGE)


def _categories(value: Any, name: str, preset: ItemPreset) -> list[str] | None:
    found = words(value, name, preset.split.get("categories", ""))
    if found and preset.none:
        found = [word for word in found if word not in preset.none]
    return found or None


def _tags(value: Any, name: str, preset: ItemPreset) -> list[str] | None:
    return words(value, name, preset.split.get("tags", ""))


def _made(value: Any, name: str) -> list[float] | None:
    """A vector that an encoder made: whole numbers, which take one or two bytes instead of nine."""
    found = vector(value, name)
    return found and [int(one) if one.is_integer() else one for one in found]


def _moment(value: Any, name: str, preset: ItemPreset) -> int | None:
    """A time; in a change of a row without a schema, a number that small is a day."""
    if preset.shape == "change" and not preset.time_format and type(value) is int:
        value = value if abs(value) > _DAYS or value in _YEARS else day(value)
    return moment(value, name, preset.time_format)


def _deleted(value: Any, name: str, preset: ItemPreset) -> bool | None:
    """Whether an item is deleted, or since when: never since 1970, as what MySQL's zero dates are
    written as."""
    try:
        return flag(value, name)
    except Bad:
        with suppress(Bad):
            return moment(value, name, preset.time_format) not in (None, 0)
        raise


_CLEAN: dict[str, _Clean] = {
    "title": _title,
    "text": _text,
    "categories": _categories,
    "tags": _tags,
    "currency": _title,
    "provider": _title,
    "image": _image,
    "vector": lambda value, name, preset: vector(value, name),
    "text_vector": lambda value, name, preset: _made(value, name),
    "image_vector": lambda value, name, preset: _made(value, name),
    "available": lambda value, name, preset: flag(value, name),
    "hidden": lambda value, name, preset: flag(value, name),
    "deleted": _deleted,
    "published": _moment,
    "expires": _moment,
    "attributes": lambda value, name, preset: attributes(value, name),
}


def cleaned(raw: Raw, preset: ItemPreset, gone: bool | None = None) -> dict[str, Any]:
    """The fields of an item; None for one that is to go.

    Args:
        gone: whether the row that they are of has been deleted; None: that is not known.

    Raises:
        Bad: a value cannot be used; the sentence names its field.
    """
    if gone or ("deleted" in raw and _deleted(raw["deleted"][0], "the deleted", preset)):
        return {"deleted": True}
    if "tags" in raw and isinstance(raw["tags"][0], dict):  # labels by name
        raw.setdefault("attributes", raw.pop("tags"))
    found: dict[str, Any] = {}
    for field, (value, place) in raw.items():
        try:
            found |= _field(field, value, place, preset)
        except Bad:
            if field not in preset.loose:
                raise
    if gone is False:
        found["deleted"] = False
    if _SAID in found:
        currency = found.pop(_SAID)
        found["currency"] = found.get("currency") or currency
    return found


def _field(field: str, value: Any, place: str, preset: ItemPreset) -> dict[str, Any]:
    """One field, cleaned; and of a price the currency that stands with it."""
    at = place.removeprefix("!")
    name = f"the {field}" if at == field else f"the {field} ({at!r})"
    if value is None:
        return {field: None}
    if field == "price":
        amount, currency = price(value, name, preset.decimal)
        return {field: amount, _SAID: currency} if currency else {field: amount}
    clean = _CLEAN[field](value, name, preset)
    return {field: clean if clean is None or at == place else not clean}
