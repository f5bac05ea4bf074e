"""Searches: lines that say what a user looks for in words, without an item.

In: n lines like `{"user":"ann","type":"search","query":"red kettle"}`. Out: `ReadSearches`: a
`Search` for each that can be used, as bytes for the user learners, and a `Rejected` for the others.

A search is no event: nothing is consumed, learned or counted, so that its accounts have it among
what is ignored. The reasons are those of `udfs.events.decode`, and `missing_query`, `empty_query`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from udfs.events.messages import Message
from udfs.events.raw_columns import (
    Problem,
    RawId,
    Rejected,
    clean_ids,
    clean_times,
    has_utf8,
    shown,
)
from udfs.events.sessions import users_of
from udfs.events.settings import DecodeSettings
from udfs.events.times import RawTime

TYPE = "search"
"""The type of these lines. A line of this type that names an item is an event like any other."""
MOST_CHARACTERS = 200
"""Of a query; what is longer is cut."""
_UNREADABLE = (msgspec.MsgspecError, UnicodeEncodeError, RecursionError)


class Search(msgspec.Struct, frozen=True, array_like=True):
    """What a user has looked for, and when: ms since 1970."""

    user: str
    query: str
    ts: int


class ReadSearches(msgspec.Struct, frozen=True):
    """The result for n lines; `rejected` by ascending index."""

    searches: list[Search]
    rejected: list[Rejected]

    @property
    def ignored(self) -> int:
        """How many are no events, which all are."""
        return len(self.searches)

    @property
    def received(self) -> int:
        """All of them."""
        return len(self.searches) + len(self.rejected)


class _Line(msgspec.Struct):
    user: RawId = None
    session: Any = None
    query: Any = None
    ts: RawTime = None


class _Head(msgspec.Struct):
    type: Any = None
    item: Any = None


_line = msgspec.json.Decoder(_Line).decode
_head = msgspec.json.Decoder(_Head).decode


def is_search(line: str) -> bool:
    """Whether a line of JSON is a search: of the type, and without an item.

    >>> is_search('{"user":"ann","type":"search","query":"tea"}'), is_search('{"type":"click"}')
    (True, False)
    """
    if '"search"' not in line:  # nearly all lines
        return False
    try:
        head = _head(line)
    except _UNREADABLE:
        return False
    return head.type == TYPE and head.item is None


class SearchReader:
    """Reads lines that `is_search` has found."""

    def __init__(self, settings: DecodeSettings) -> None:
        self._settings = settings

    def decode(self, lines: Sequence[str], now_ms: int, files: Sequence[str] = ()) -> ReadSearches:
        """The searches on n lines; the content of a line never makes it raise.

        Args:
            now_ms: the clock, ms since 1970, which is the time of a search without one.
        """
        settings, problems = self._settings, dict[int, Problem]()
        found = [_read(line, row, problems) for row, line in enumerate(lines)]
        whole = settings.ids == "integers"
        named, sessions = [one.user for one in found], [one.session for one in found]
        users = users_of(named, sessions, problems, integers=whole)
        for row, user in enumerate(users):
            if user is None:
                why = "the line has no 'user' or 'session'"
                problems.setdefault(row, ("missing_user", why))
        names = clean_ids(
            users, "user", settings.max_id_bytes, problems, required=True, integers=whole
        )
        queries = [_query(one.query, row, problems) for row, one in enumerate(found)]
        preset, said = settings.preset, [one.ts for one in found]
        # As of events in JSON, which between lines of CSV are in millirec's own form.
        form = (preset.time_format, "source.time_format") if preset.format == "json" else ("", "")
        times = clean_times(said, now_ms, settings.bounds, problems, *form)
        searches = [
            Search(user, query, int(ts))
            for row, (user, query, ts) in enumerate(zip(names, queries, times, strict=True))
            if row not in problems
        ]
        return ReadSearches(
            searches, [Rejected(*why, row) for row, why in sorted(problems.items())]
        )


def _read(line: str, row: int, problems: dict[int, Problem]) -> _Line:
    try:
        return _line(line)
    except _UNREADABLE as error:
        problems[row] = "wrong_type", f"the search cannot be read: {error}"
        return _Line()


def _query(query: Any, row: int, problems: dict[int, Problem]) -> str:
    """The words of a query without blanks around them, cut to `MOST_CHARACTERS`."""
    if query is None:
        problems.setdefault(row, ("missing_query", "the search has no 'query'"))
    elif not isinstance(query, str):
        problems.setdefault(row, ("wrong_type", f"the query {shown(query)} is not text"))
    elif "\ufffd" in query or not has_utf8(query):
        problems.setdefault(row, ("not_utf8", f"the query {shown(query)} was not UTF-8"))
    elif not query.strip():
        problems.setdefault(row, ("empty_query", "the query is empty"))
    else:
        return query.strip()[:MOST_CHARACTERS]
    return ""


_message: Message[list[Search]] = Message(b"Q", "what users search for", list[Search])


def pack_searches(searches: Sequence[Search]) -> bytes:
    """Searches as bytes, for the operator that owns their users."""
    return _message.pack(searches)


def is_searches(data: bytes) -> bool:
    """Whether these are packed searches."""
    return _message.holds(data)


def unpack_searches(data: bytes) -> list[Search]:
    """The searches that `pack_searches` wrote; errors as of `Message.unpack`."""
    return _message.unpack(data)
