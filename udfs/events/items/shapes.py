"""Takes an item out of what others wrap around it: a list of named fields, a change of a row.

In: an object of JSON. Out: a `Row`, the item's fields side by side; None if it says nothing about
an item.
"""

from __future__ import annotations

from typing import Any

from udfs.events.items.row_changes import Row, row_of
from udfs.events.items.values import Bad

_WRAPPING = ("fields", "event", "id", "tenant")


def unwrapped(found: dict[str, Any], shape: str) -> Row | None:
    """The object without its wrapping, by `ItemPreset.shape`.

    Raises:
        Bad: it is wrapped otherwise.
    """
    if shape == "change":
        return row_of(found)
    return Row(_named(found) if shape == "named" else found, None)


def _named(found: dict[str, Any]) -> dict[str, Any]:
    """The fields in the list `fields`, beside the object's own.

    >>> _named({"item": "7", "fields": [{"name": "title", "value": "Tea"}]})
    {'item': '7', 'title': 'Tea'}
    """
    listed = found.get("fields") or []
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise Bad("wrong_type", "the fields are no list of objects with a name and a value")
    own = {key: value for key, value in found.items() if key not in _WRAPPING}
    return own | {
        str(one["name"]): one.get("value") for one in listed if one.get("name") is not None
    }
