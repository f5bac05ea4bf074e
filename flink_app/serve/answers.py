"""Answers from lists: passed on unchanged, or cut to what was requested.

In: the JSON of a list, as the job wrote it (`bytes`). Out: the JSON of an answer, which begins with
`known` and `stale`. Items are decoded only if some are left out.
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from flink_app.serve.lists import Found
from flink_app.serve.problems import Problem
from udfs.lists.contract import EMPTY, UnreadList, read_items


class Wish(msgspec.Struct, frozen=True):
    """Which part of a list to return.

    Attributes:
        n: maximum number of items; None: all. exclude: items to leave out before counting.
        explain: whether items say why they are there. offset: how many of the others to skip.
    """

    n: int | None = None
    exclude: Collection[str] = ()
    explain: bool = True
    offset: int = 0

    @property
    def everything(self) -> bool:
        """Whether the list is returned unchanged."""
        return self.n is None and not self.exclude and self.explain and not self.offset


_encode = msgspec.json.Encoder().encode


def answer(
    found: Found, wish: Wish, user: str | None = None, own: bool = True, known: bool | None = None
) -> bytes:
    """The JSON of an answer.

    Args:
        user: who asked; None for lists that are nobody's. own: whether it is the user's own.
        known: whether the user has a list, if that is not this one.

    >>> value = b'{"id":"x","at":1,"v":1,"source":"popular","items":[{"item":"a","score":1}]}'
    >>> answer(Found(value, False), Wish(), "bob", own=False)[:45]
    b'{"known":false,"stale":false,"user":"bob","id'
    >>> answer(Found(value, True), Wish(exclude={"a"}))
    b'{"stale":true,"total":0,"id":"x","at":1,"v":1,"source":"popular","items":[]}'
    """
    value = found.value or EMPTY
    marks = b'{"stale":true,' if found.stale else b'{"stale":false,'
    if not wish.everything:
        value, total = _cut(value, wish)
        marks += b'"total":%d,' % total
    if user is not None:
        has_list = own if known is None else known
        marks = (b'{"known":true,' if has_list else b'{"known":false,') + marks[1:]
        if not own:
            marks += b'"user":' + _encode(user) + b","
    return marks + value[1:]


def items_of(value: bytes | None) -> list[tuple[str, float]]:
    """The items of a list with their scores, best first."""
    return [(entry.item, float(bytes(entry.score))) for entry in _read(value or EMPTY).items]


def _cut(value: bytes, wish: Wish) -> tuple[bytes, int]:
    """The list with the items that are wanted, and how many there are without `n` and `offset`."""
    found = _read(value)
    items = found.items
    if wish.exclude:
        items = [entry for entry in items if entry.item not in wish.exclude]
    found.items = items[wish.offset :][: wish.n]
    if not wish.explain:
        for entry in found.items:
            entry.why = msgspec.UNSET
    return _encode(found), len(items)


def _read(value: bytes) -> UnreadList:
    try:
        return read_items(value)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Problem(
            502, "not-a-list", f"Redis holds a value that is not a list of millirec: {error}"
        ) from error
