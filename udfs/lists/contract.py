"""The front end's contract: the form of a list as JSON, for writers and readers.

In: the list's owner, its time, its source and its items. Out: a JSON string
`{"user"|"item", "id", "at", "v", "source", "items": [{"item", "score", "why"}], "consumed"}`, in
fragments, of which `udfs.lists.lists_json` makes lists; and back. This module needs neither NumPy
nor kernels.
"""

from __future__ import annotations

from typing import Any

import msgspec

from udfs.lists.keys import Kind

CONTRACT = 1
"""The `v` of every list: raised when a field changes its meaning."""

EMPTY = b'{"id":"","at":0,"v":%d,"source":"popular","items":[]}' % CONTRACT
"""The list `popular` before a job has written one."""

_json = msgspec.json.Encoder().encode


def list_id(at_ms: int, number: int | None = None) -> str:
    """The `id` of a list: when it was made, and its number if it has one.

    >>> list_id(255, 16), list_id(255)
    ('ff-10', 'ff')
    """
    return f"{at_ms:x}" if number is None else f"{at_ms:x}-{number:x}"


def fragments(kind: Kind, at_ms: int, source: str, numbered: bool) -> tuple[bytes, bytes, bytes]:
    """What stands before the owner's name, between it and the number at the end of the id, and
    between that and the first item, in lists made at one moment from one source. After the items
    follows `]}`, or `],"consumed":[…]}`. A shared list has neither name nor number.

    >>> fragments(Kind("rec:", "user"), 255, "mf", True)
    (b'{"user":', b',"id":"ff-', b'","at":255,"v":1,"source":"mf","items":[')
    """
    head = b'{"%b":' % kind.owner.encode() if kind.owner else b"{"
    after = b'%b"id":"%x%b' % (b"," if kind.owner else b"", at_ms, b"-" if numbered else b"")
    return head, after, b'","at":%d,"v":%d,"source":%b,"items":[' % (at_ms, CONTRACT, _json(source))


class Entry(msgspec.Struct, frozen=True):
    """One recommended item; `score` is 0 to 1, `why` names where it comes from."""

    item: str
    score: float
    why: dict[str, Any] = {}


class RecommendationList(msgspec.Struct, frozen=True):
    """A list; `at` in ms since 1970. `consumed`: what its user has consumed of what was most
    popular then."""

    id: str
    at: int
    v: int
    source: str
    items: list[Entry]
    user: str = ""
    item: str = ""
    consumed: list[str] = []


class UnreadEntry(msgspec.Struct, gc=False):
    """An item whose score and reasons are passed on as they are."""

    item: str
    score: msgspec.Raw
    why: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class UnreadList(msgspec.Struct, gc=False, kw_only=True):
    """A list of which only the items are decoded; fields in the order in which they are written.

    `test_contract` checks that its fields are those of `RecommendationList`.
    """

    user: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    item: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    id: msgspec.Raw
    at: msgspec.Raw
    v: msgspec.Raw
    source: msgspec.Raw
    items: list[UnreadEntry]
    consumed: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _Head(msgspec.Struct):
    id: str = ""
    consumed: list[str] = []


read = msgspec.json.Decoder(RecommendationList).decode
"""The list in a JSON string; raises `msgspec.MsgspecError` if it is not one."""

read_items = msgspec.json.Decoder(UnreadList).decode
"""The same, of which only the items are decoded."""

_head = msgspec.json.Decoder(_Head).decode


def id_of(value: bytes) -> str:
    """The id of a list; "" if the value is not a list."""
    try:
        return _head(value).id
    except msgspec.MsgspecError:
        return ""


def consumed_of(value: bytes) -> list[str]:
    """The popular items that the user of a list has consumed; none if the value is not a list.

    >>> consumed_of(b'{"user":"al","id":"x","at":1,"v":1,"items":[],"consumed":["a"]}')
    ['a']
    """
    try:
        return _head(value).consumed
    except msgspec.MsgspecError:
        return []
