"""Answers from lists: passed on unchanged, or cut to what was requested.

In: the JSON of a list, as the job wrote it (`bytes`). Out: the JSON of an answer, which begins with
`known` and `stale`. Items are decoded only if some are left out.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import msgspec

from flink_app.serve.lists import Found
from flink_app.serve.problems import Problem
from udfs.lists.contract import EMPTY, UnreadList, read_items


class Wish(msgspec.Struct, frozen=True):
    """Which part of a list to return.

    Attributes:
        n: maximum number of items; None: all. exclude: items to leave out before counting.
        explain: whether items say why they are there. offset: how many of the others to skip.
        filter: a condition on items, for `filters`; "": none.
        words: the language in which the reasons are said, too, for `wording`; "": in none.
    """

    n: int | None = None
    exclude: Collection[str] = ()
    explain: bool = True
    offset: int = 0
    filter: str = ""
    words: str = ""

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
    value, about = found.value or EMPTY, About(found.stale, user, own, known, found.store)
    return about.marked(value) if wish.everything else cut(read(value), wish, about)


class About(NamedTuple):
    """What an answer says of the list in it, as of `answer`; stale, store: as of `Found`."""

    stale: bool
    user: str | None = None
    own: bool = True
    known: bool | None = None
    store: str = ""

    def marked(self, value: bytes, total: int | None = None) -> bytes:
        """The answer with a list; `total`: how many items there are without `n` and `offset`."""
        marks = b'"stale":true,' if self.stale else b'"stale":false,'
        if self.store:
            marks += b'"store":%b,' % _encode(self.store)
        if total is not None:
            marks += b'"total":%d,' % total
        if self.user is not None:
            has_list = self.own if self.known is None else self.known
            marks = (b'"known":true,' if has_list else b'"known":false,') + marks
            if not self.own:
                marks += b'"user":' + _encode(self.user) + b","
        return b"{" + marks + value[1:]


def cut(found: UnreadList, wish: Wish, about: About) -> bytes:
    """The answer with those items of a list that are wanted; the list is changed."""
    items = found.items
    if wish.exclude:
        items = [entry for entry in items if entry.item not in wish.exclude]
    found.items = items[wish.offset :][: wish.n]
    if not wish.explain:
        for entry in found.items:
            entry.why = msgspec.UNSET
    return about.marked(_encode(found), len(items))


def items_of(value: bytes | None) -> list[tuple[str, float]]:
    """The items of a list with their scores, best first."""
    return [(entry.item, float(bytes(entry.score))) for entry in read(value or EMPTY).items]


def read(value: bytes) -> UnreadList:
    """A list with its items.

    Raises:
        Problem: 502, it is none.
    """
    try:
        return read_items(value)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise not_a_list(error) from error


def not_a_list(error: Exception) -> Problem:
    """The problem of a key under which something else than a list stands."""
    detail = f"Redis holds a value that is not a list of millirec: {error}"
    return Problem(502, "not-a-list", detail)
