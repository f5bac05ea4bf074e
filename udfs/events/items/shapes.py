"""Takes an item out of what others wrap around it: a list of named fields, a change of a row.

In: an object of JSON. Out: an object with the item's fields side by side; None if it says nothing
about an item.
"""

from __future__ import annotations

from typing import Any

from udfs.events.items.values import Bad
from udfs.events.json_problems import kind_of

DELETED = "deleted"
_WRAPPING = ("fields", "event", "id", "tenant")


def unwrapped(found: dict[str, Any], shape: str) -> dict[str, Any] | None:
    """The object without its wrapping, by `ItemPreset.shape`.

    Raises:
        Bad: it is wrapped otherwise.
    """
    if shape == "named":
        return _named(found)
    return _changed(found) if shape == "change" else found


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


def _changed(found: dict[str, Any]) -> dict[str, Any] | None:
    """The row after a change, with the time of the change; of one that was deleted, the row before
    it, marked as deleted.

    >>> _changed({"payload": {"op": "d", "before": {"id": 7}, "after": None, "ts_ms": 5}})
    {'id': 7, 'ts': 5, 'deleted': True}
    """
    change = found.get("payload", found)
    if change is None:
        return None
    if not isinstance(change, dict) or "op" not in change:
        raise Bad("wrong_type", "the line is no change of a row: it has no 'op' in its 'payload'")
    gone = change["op"] in ("d", "delete")
    row = change.get("before" if gone else "after")
    if not isinstance(row, dict):
        if change["op"] in ("t", "m"):  # a table was emptied; a message without a row
            return None
        side = "before" if gone else "after"
        hint = "; PostgreSQL sends it with REPLICA IDENTITY FULL or a primary key" if gone else ""
        raise Bad("wrong_type", f"the row {side!r} the change is {kind_of(row)}{hint}")
    source = change.get("source")
    when = source.get("ts_ms") if isinstance(source, dict) else None
    when = when or change.get("ts_ms")
    return row | ({"ts": when} if when else {}) | ({DELETED: True} if gone else {})
