"""The front end's contract: the form of a list as JSON, for writers and readers.

In: the list's owner, its time, its source and its items. Out: a JSON string `{"user"|"item"|
"category"|"segment", "id", "at", "v", "source", "items": [{"item", "score", "why"}], "consumed",
"explored": [{"item", "chance"}]}`, in fragments, of which `udfs.lists.lists_json` makes lists; and
back. This module needs neither NumPy nor kernels.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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


def with_explored(value: bytes, items: Iterable[tuple[str, float]]) -> bytes:
    """A list that names what stands in it to become known, and with which probability each of these
    items was chosen for it.

    >>> with_explored(b'{"items":[]}', [("mug", 0.25)])
    b'{"items":[],"explored":[{"item":"mug","chance":0.250000}]}'
    """
    told = [b'{"item":%b,"chance":%.6f}' % (_json(item), chance) for item, chance in items]
    return b'%b,"explored":[%b]}' % (value[:-1], b",".join(told))


def with_followed(value: bytes, names: Mapping[int, str]) -> bytes:
    """A list that says in `why` whom its user follows who took an item, by the item's place.

    >>> items = b'[{"item":"a","score":1,"why":{"model":"social"}}]'
    >>> value = b'{"id":"1","at":1,"v":1,"source":"mf","items":%b}' % items
    >>> with_followed(value, {0: "bob"})[45:]
    b'[{"item":"a","score":1,"why":{"model":"social","followed":"bob"}}]}'
    """
    found = read_items(value)
    for place, name in names.items():
        entry = found.items[place]
        if entry.why is not msgspec.UNSET:
            entry.why = msgspec.Raw(b'%b,"followed":%b}' % (bytes(entry.why)[:-1], _json(name)))
    return _json(found)


class Explored(msgspec.Struct, frozen=True):
    """An item that stands in a list to become known; `chance`: the probability that it was chosen,
    of all that might have been."""

    item: str
    chance: float


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
    category: str = ""
    segment: str = ""
    consumed: list[str] = []
    explored: list[Explored] = []


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
    category: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    segment: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    id: msgspec.Raw
    at: msgspec.Raw
    v: msgspec.Raw
    source: msgspec.Raw
    items: list[UnreadEntry]
    consumed: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    explored: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _Named(msgspec.Struct, gc=False):
    item: str


class _Items(msgspec.Struct, gc=False):
    items: list[_Named]


class _Head(msgspec.Struct):
    id: str = ""
    consumed: list[str] = []


read = msgspec.json.Decoder(RecommendationList).decode
"""The list in a JSON string; raises `msgspec.MsgspecError` if it is not one."""

read_items = msgspec.json.Decoder(UnreadList).decode
"""The same, of which only the items are decoded."""

_head = msgspec.json.Decoder(_Head).decode
_named = msgspec.json.Decoder(_Items).decode


def without(value: bytes, items: frozenset[str] | set[str]) -> bytes:
    """A list without some items: the same bytes if it holds none of them, or is no list. It takes
    as long for many items as for few.

    >>> without(b'{"id":"1","at":1,"v":1,"source":"mf","items":[{"item":"a","score":1}]}', {"a"})
    b'{"id":"1","at":1,"v":1,"source":"mf","items":[]}'
    """
    try:
        if items.isdisjoint([entry.item for entry in _named(value).items]):
            return value
        found = read_items(value)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return value
    found.items = [entry for entry in found.items if entry.item not in items]
    return _json(found)


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
