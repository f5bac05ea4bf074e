"""Where the fields of an item are on a line: what a preset and the configuration decide.

In: nothing. Out: `ItemPreset`, which `udfs.events.items.ItemReader` follows.
"""

from __future__ import annotations

from typing import Literal

import msgspec


class ItemPreset(msgspec.Struct, frozen=True, kw_only=True):
    """Where the fields of an item are on a line.

    Attributes:
        format: "json" (objects) or "csv" (cells between delimiters).
        fields: "item", "ts" or a name of `udfs.events.item_changes.FIELDS` → dotted path in the
            JSON object, or name of a CSV column; of several, with | between them, the first that
            has a value is read. `list[]` in a path is the first element of a list, `list[*]` each
            of them; ! before a place negates a flag.
        more: places whose values become attributes of the same name. None: everything else on the
            line is read, by the names and spellings of fields, or as an attribute.
        only: place → the values with which a line is about an item; others are ignored.
        filled: a place without whose value a line is ignored, such as a further row of the same
            product; with ! before it, one with whose value it is; "" if there is none.
        each: the list in an object whose elements are items, if the object has it; "".
        shape: "named": the list `fields` holds objects with a name and a value. "change": a row of
            a database before and after a change.
        split: field → the characters between the words of a text; a text of others is one word.
        flags: CSV columns that stand for a category each, which an item has where they are 1.
        none: words that stand for no category.
        html: whether texts may have tags and entities.
        loose: fields whose values are left out where they cannot be read, because the source is
            known for such.
        columns, delimiter, quote, header, encoding, decimal, time_format: see
            `udfs.events.preset.Preset`.
    """

    format: Literal["json", "csv"] = "json"
    fields: dict[str, str] = {}
    more: tuple[str, ...] | None = None
    only: dict[str, tuple[str, ...]] = {}
    filled: str = ""
    each: str = ""
    shape: Literal["", "named", "change"] = ""
    split: dict[str, str] = {}
    flags: tuple[str, ...] = ()
    none: tuple[str, ...] = ()
    html: bool = False
    loose: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    delimiter: str = ","
    quote: str = '"'
    header: Literal["auto", "yes", "no"] = "auto"
    encoding: str = ""
    decimal: str = "."
    time_format: str = ""


OWN = ItemPreset()
"""millirec's own lines about items."""
