"""Cleans an item's attributes: what a shop says of it besides the fields with a meaning.

In: names and values of JSON or of cells. Out: name → text, number, flag or list of texts; None
deletes one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from udfs.events.items.values import MOST_TITLE, MOST_WORD, Bad, number, text, words
from udfs.events.json_problems import kind_of
from udfs.events.raw_columns import has_utf8, shown

Attribute = str | float | bool | list[str]

MOST = 64
"""Attributes of one line."""
_DEPTH = 4


def attributes(value: Any, name: str = "the attributes") -> dict[str, Attribute | None]:
    """The attributes of an object; those of objects in it get names with dots.

    >>> attributes({"colour": "red", "size": {"w": 3}, "old": None})
    {'colour': 'red', 'size.w': 3.0, 'old': None}
    """
    if not isinstance(value, dict):
        raise Bad("wrong_type", f"{name} are {kind_of(value)}, not an object")
    found: dict[str, Attribute | None] = {}
    _add(found, value, "", _DEPTH)
    if len(found) > MOST:
        raise Bad("too_large", f"{name} are {len(found):,}, {MOST} are allowed")
    return found


def _add(
    found: dict[str, Attribute | None], values: Mapping[str, Any], prefix: str, depth: int
) -> None:
    for key, value in values.items():
        name = f"{prefix}{key}"
        if not name.strip() or not has_utf8(name) or len(name.encode()) > MOST_WORD:
            raise Bad(
                "too_large" if name.strip() and has_utf8(name) else "wrong_type",
                f"the attribute {shown(name)} has no usable name: it has from 1 to {MOST_WORD} "
                "bytes of UTF-8",
            )
        if isinstance(value, dict):
            if not depth:
                raise Bad("too_large", f"the attribute {shown(name)} is too deep in other ones")
            _add(found, value, f"{name}.", depth - 1)
        else:
            found[name] = _clean(value, f"the attribute {shown(name)}")


def _clean(value: Any, name: str) -> Attribute | None:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return text(value, name, MOST_TITLE)
    if isinstance(value, list):
        return words(value, f"the words of {name}")
    return number(value, name)
