"""What the fields of an item are called on a line: a preset, overridden by the configuration.

In: the name of a preset and what the configuration says. Out: an `ItemPreset`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from udfs.errors import SourceError
from udfs.events.item_changes import FIELDS
from udfs.events.item_preset import ItemPreset
from udfs.events.items.presets import ITEM_PRESETS
from udfs.events.names import instead
from udfs.events.places import alternatives
from udfs.events.resolve import Form
from udfs.events.time_formats import check_form

if TYPE_CHECKING:
    from typing_extensions import Unpack

_OWN = "millirec"
_REPLACED = "format", "delimiter", "encoding", "decimal", "time_format"
_READ = ("item", "ts", *FIELDS)


def resolve_items(preset: str, events: str = "", **own: Unpack[Form]) -> ItemPreset:
    """The named preset, overridden by the configuration.

    Args:
        preset: a name in `ITEM_PRESETS`; "" is the one that belongs to the events' preset, else
            millirec's own. events: the name of the events' preset. own: what the configuration
            says.

    Raises:
        SourceError: an unknown name, or a mapping that cannot work, with what to write instead.

    >>> resolve_items("", "metarank").shape, resolve_items("", fields={"item": "sku"}).fields
    ('named', {'item': 'sku'})
    >>> resolve_items("shopfy")
    Traceback (most recent call last):
    udfs.errors.SourceError: there is no items.preset "shopfy": did you mean 'shopify'?
    """
    name = preset or (events if events in ITEM_PRESETS else _OWN)
    if name not in ITEM_PRESETS:
        raise SourceError(f'there is no items.preset "{preset}": {instead(preset, ITEM_PRESETS)}')
    base, fields = ITEM_PRESETS[name], own.get("fields", {})
    for field, place in fields.items():
        if field not in _READ:
            raise SourceError(f"an item has no field {field!r}: {instead(field, _READ)}")
        if place and not all(one.strip("!") for one in alternatives(place)):
            raise SourceError(f"items.fields.{field} is {place!r}, which has an empty place")
    given: dict[str, Any] = {key: own.get(key) for key in _REPLACED if own.get(key)}
    if (quote := own.get("quote", "auto")) != "auto":
        given["quote"] = quote
    if (header := own.get("header", "auto")) != "auto":
        given["header"] = header
    if columns := tuple(own.get("columns", ())):
        given["columns"] = columns
    if each := own.get("each", "").removesuffix("[]"):
        given["each"] = each
    merged = {field: place for field, place in {**base.fields, **fields}.items() if place}
    found = replace(base, fields=merged, **given)
    if found.format == "csv" and name == _OWN:
        split = {"categories": "|", "tags": "|"}
        mark = own.get("delimiter", "")
        found = replace(found, split=split, delimiter=mark)
    found = replace(found, delimiter=found.delimiter.replace("\\t", "\t"))
    _check(found)
    return found


def _check(preset: ItemPreset) -> None:
    if preset.time_format:
        try:
            check_form(preset.time_format)
        except SourceError as error:
            raise SourceError(str(error).replace("source.", "items.")) from None
    if len(preset.quote) > 1:
        raise SourceError(f"items.quote is {preset.quote!r}: write one character, or none")
    if preset.format == "csv" and preset.header == "no" and not preset.columns:
        raise SourceError(
            'items.header is "no", so that the columns have no names: name them all from left to '
            "right in items.columns"
        )
