"""What user learners know of an item's metadata: one entry for each item, as bytes.

In: the fields of an item. Out: `Described`, what ranking needs of them, packed for Redis and read
again by each user learner (docs/decisions/metadata-by-notice.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from udfs.errors import ServiceError
from udfs.memory.metadata import NEVER, Metadata
from udfs.models.content.features import WIDTH
from udfs.rules.rules import NO_RULES, Verdict

VERSION = 1
CATEGORIES = 3
"""So many of an item's categories count for lists."""


class Described(msgspec.Struct, frozen=True, array_like=True):
    """What ranking needs of the metadata of one item.

    Attributes:
        item: its id. at: the newest time of its fields, ms.
        shown: whether it may be shown between `published` and `expires`, ms since 1970.
        categories, provider: the first `CATEGORIES` of them; "": none.
        price: NaN: none.
        content: int8[WIDTH], see `udfs.models.content.features`; b"": none.
        boost: what its chance is multiplied by. bits: the rules that hold for it, bit by bit.
    """

    item: str
    at: int
    shown: bool = True
    published: int = 0
    expires: int = NEVER
    categories: list[str] = []
    provider: str = ""
    price: float = float("nan")
    content: bytes = b""
    boost: float = 1.0
    bits: int = 0

    def may_be_shown(self, now_ms: int) -> bool:
        """Whether lists may have the item now."""
        return self.shown and self.published <= now_ms < self.expires

    def changes_at(self, now_ms: int) -> int:
        """When that changes by itself, ms; `NEVER` if it does not."""
        if not self.shown:
            return NEVER
        if self.published > now_ms:
            return self.published
        return self.expires if self.expires > now_ms else NEVER


def described(
    item: str,
    at: int,
    fields: Mapping[str, Any],
    content: bytes,
    verdict: Verdict = NO_RULES,
) -> Described:
    """What is needed of the fields of an item, in the form of `udfs.events.item_changes.FIELDS`,
    and of what the rules say about it."""
    hidden = fields.get("hidden", False) or fields.get("deleted", False)
    return Described(
        item=item,
        at=at,
        shown=bool(fields.get("available", True)) and not hidden and not verdict.excluded,
        published=fields.get("published", 0),
        expires=fields.get("expires", NEVER),
        categories=fields.get("categories", [])[:CATEGORIES],
        provider=fields.get("provider", ""),
        price=fields.get("price", float("nan")),
        content=content,
        boost=verdict.boost,
        bits=verdict.bits,
    )


def put_described(
    metadata: Metadata, slots: NDArray[np.int32], entries: Sequence[Described]
) -> None:
    """Set the rows of n items in the replica of a user learner."""
    if not entries:
        return
    metadata.put(
        slots,
        at=[one.at for one in entries],
        allowed=[one.shown for one in entries],
        published=[one.published for one in entries],
        expires=[one.expires for one in entries],
        groups=[metadata.group(one.categories, one.provider) for one in entries],
        price=[one.price for one in entries],
        boost=[log(one.boost) for one in entries],
        bits=[one.bits for one in entries],
    )


def contents(entries: Sequence[Described]) -> NDArray[np.int8]:
    """The content of n entries, int8[n, WIDTH]; 0 where one has none, or one of another width."""
    nothing = bytes(WIDTH)
    data = [one.content if len(one.content) == WIDTH else nothing for one in entries]
    return np.frombuffer(bytearray().join(data), np.int8).reshape(len(entries), WIDTH)


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[int, Described]).decode


def pack(entry: Described) -> bytes:
    """The entry as bytes."""
    return _encode((VERSION, entry))


def unpack(data: bytes) -> Described:
    """The entry that `pack` wrote.

    Raises:
        ServiceError: it has another version, or is damaged.
    """
    try:
        version, entry = _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ServiceError(str(error)) from error
    if version != VERSION:
        raise ServiceError(f"it has form {version}, not {VERSION}")
    return entry
