"""Gorse's own paths for items, so that its SDKs keep an item's fields in millirec.

In: Gorse's `Item` objects. Out: lines about items for the job, and items in Gorse's form, as read
from Redis. What Gorse calls labels are tags, a comment is the text, the timestamp is when the item
was published (https://gorse.io/docs/api/restful-api.html).
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any
from urllib.parse import unquote

import msgspec
from starlette.requests import Request

from flink_app.serve.told import line

_BRIEFLY_S = 10.0  # how long this server remembers categories that the job has not written yet
_MOST = 1000


class Item(msgspec.Struct, forbid_unknown_fields=False, kw_only=True):
    """An item of Gorse; what is missing it does not have."""

    ItemId: str
    IsHidden: bool = False
    Categories: list[str] | None = None
    Timestamp: str | None = None
    Labels: Any = None
    Comment: str | None = None


class Patch(msgspec.Struct, forbid_unknown_fields=False, kw_only=True):
    """Changes of an item; null changes nothing, as in Gorse."""

    IsHidden: bool | None = None
    Categories: list[str] | None = None
    Timestamp: str | None = None
    Labels: Any = None
    Comment: str | None = None


def whole(item: Item) -> bytes:
    """An item as a line about it, which replaces all that Gorse knows of items."""
    gone = {"categories": None, "tags": None, "attributes": None, "text": None, "published": None}
    return line(item.ItemId, gone | {"hidden": item.IsHidden} | _fields(item))


def changed(item: str, patch: Patch) -> bytes:
    """Changes of an item as a line about it."""
    hidden = {} if patch.IsHidden is None else {"hidden": patch.IsHidden}
    return line(item, hidden | _fields(patch))


def _fields(given: Item | Patch) -> dict[str, Any]:
    labels = given.Labels
    named = isinstance(labels, dict)
    found = {
        "categories": given.Categories,
        "tags": None if named else labels,
        "attributes": labels if named else None,
        "text": given.Comment,
        "published": given.Timestamp or None,
    }
    return {name: value for name, value in found.items() if value is not None}


def shown(item: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """An item in Gorse's form, from its fields in Redis."""
    labels = fields.get("attributes") or fields.get("tags") or []
    return {
        "ItemId": item,
        "IsHidden": bool(fields.get("hidden", False)),
        "Categories": fields.get("categories") or [],
        "Timestamp": _iso(fields.get("published")),
        "Labels": labels,
        "Comment": fields.get("text") or fields.get("title", ""),
    }


def _iso(published_ms: Any) -> str:
    """A time as Gorse writes it, and what it writes where there is none.

    >>> _iso(1714564800000), _iso(None)
    ('2024-05-01T12:00:00Z', '0001-01-01T00:00:00Z')
    """
    try:
        at = datetime.fromtimestamp(published_ms / 1000, timezone.utc)
    except (TypeError, OverflowError, OSError, ValueError):
        return "0001-01-01T00:00:00Z"
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


class Categories:
    """The categories that requests have just set, which the job may not have written yet.

    One category is added to those that an item has: without this, a second request that comes
    before the job has learned of the first would undo it.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[float, list[str]]] = OrderedDict()

    def of(self, item: str, fields: Mapping[str, Any]) -> list[str]:
        """The categories of an item, whose fields in Redis are these."""
        at, found = self._known.get(item, (0.0, []))
        if time.monotonic() - at < _BRIEFLY_S and at:
            return found
        given = fields.get("categories")
        return list(given) if isinstance(given, list) else []

    def set(self, item: str, categories: list[str]) -> None:
        """Remember what was written."""
        self._known[item] = time.monotonic(), categories
        self._known.move_to_end(item)
        while len(self._known) > _MOST:
            self._known.popitem(last=False)

    def forget(self, item: str) -> None:
        """Go by Redis again."""
        self._known.pop(item, None)


def parts(request: Request, before: str) -> list[str]:
    """The parts of the path after `before`, each decoded: an id may hold slashes, encoded."""
    path: bytes = request.scope["raw_path"]
    rest = path.decode("ascii", "replace").removeprefix(before)
    return [unquote(part) for part in rest.split("/")]
