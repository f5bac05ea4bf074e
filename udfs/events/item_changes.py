"""Changes of items' metadata, as they travel from `parse` to the learners.

In: fields of items with their times, read from lines. Out: `ItemChange`s as bytes for the item
learner, and a notice of them, without the fields, for the user learners.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import msgspec

from udfs.events.messages import Message

Holds = Literal["text", "texts", "number", "numbers", "flag", "time", "map"]

FIELDS: dict[str, Holds] = {
    "title": "text",
    "text": "text",
    "categories": "texts",
    "tags": "texts",
    "price": "number",
    "currency": "text",
    "provider": "text",
    "image": "text",
    "vector": "numbers",
    "text_vector": "numbers",
    "image_vector": "numbers",
    "available": "flag",
    "hidden": "flag",
    "published": "time",
    "expires": "time",
    "attributes": "map",
    "deleted": "flag",
}
"""The fields of an item and what they hold: text is `str`, texts `list[str]`, a number `float`,
numbers `list[float]`, a flag `bool`, a time `int`, ms since 1970; a map has texts, numbers, flags
or lists of texts by name. `vector` is the shop's own; the other two are the encoders'."""


class ItemChange(msgspec.Struct, frozen=True, array_like=True):
    """What one line says about an item.

    Attributes:
        item: its id. ts: when that was so, ms since 1970.
        fields: values as in `FIELDS`; None: the item has no such field any more. Fields that are
            absent stay as they are. Of `attributes`, too, those stay that are absent, and None
            stands for one that is gone.
    """

    item: str
    ts: int
    fields: dict[str, Any]


_changes: Message[list[ItemChange]] = Message(b"I", "changes of items", list[ItemChange])
_notice: Message[list[tuple[str, int]]] = Message(
    b"N", "a notice of changed items", list[tuple[str, int]]
)


def item_shards(items: Iterable[str], count: int) -> list[int]:
    """The item shard of each item, of `count`: the same as of `Catalogue.shards`."""
    return [zlib.crc32(item.encode()) % count for item in items]


def pack_changes(changes: Sequence[ItemChange]) -> bytes:
    """The changes for the operator that owns the items."""
    return _changes.pack(changes)


def pack_notice(changes: Sequence[ItemChange]) -> bytes:
    """What those need to know who follow the items: which ones change, and as of when."""
    return _notice.pack([(change.item, change.ts) for change in changes])


def is_changes(data: bytes) -> bool:
    """Whether these are packed changes.

    >>> is_changes(pack_changes([])), is_changes(pack_notice([]))
    (True, False)
    """
    return _changes.holds(data)


def is_notice(data: bytes) -> bool:
    """Whether this is a packed notice."""
    return _notice.holds(data)


def unpack_changes(data: bytes) -> list[ItemChange]:
    """The changes that `pack_changes` wrote; errors as of `Message.unpack`."""
    return _changes.unpack(data)


def unpack_notice(data: bytes) -> list[tuple[str, int]]:
    """The items and times, ms, that `pack_notice` wrote; errors as of `Message.unpack`."""
    return _notice.unpack(data)
