"""Answers whose reasons are also said in words: in a language, with the titles of items.

In: the JSON of an answer with a list (`bytes`). Out: the same with a `text` in each `why`, which is
plain text: whoever shows it escapes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from flink_app.lookup.reasons import (
    Said,
    language_of,
    languages,
    named_in,
    read_items_said,
    worded,
)
from flink_app.serve.item_fields import ItemFields
from flink_app.serve.problems import Problem
from flink_app.serve.reader import Away
from udfs.lists.contract import UnreadEntry

_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_entries = msgspec.json.Decoder(list[UnreadEntry]).decode
_encode = msgspec.json.Encoder().encode


def required(asked: str) -> str:
    """The language that a request asks for; "": none.

    Raises:
        Problem: 400, there is no such language.
    """
    found = language_of(asked) if asked else ""
    if found is None:
        detail = f"There are no words in the language {asked[:40]!r}: ask for {languages()}."
        raise Problem(400, "unknown-language", detail)
    return found


class Wording:
    """Says reasons; use it in one event loop."""

    def __init__(self, fields: ItemFields) -> None:
        self._fields = fields

    async def of(self, body: bytes, language: str, segments: Sequence[str] = ()) -> bytes:
        """An answer with sentences; as it is if no language is asked for.

        Args:
            segments: those of a user without a list.
        """
        if not language:
            return body
        members = _members(body)
        entries = _entries(bytes(members["items"]))
        worded(entries, await self.said(named_in(entries), language, segments))
        return _encode({**members, "items": entries})

    async def said(self, items: Iterable[str], language: str, segments: Sequence[str] = ()) -> Said:
        """What is known for sentences about these items; while Redis is away, ids alone."""
        names = list(dict.fromkeys(items))
        try:
            known = await self._fields.of(names) if names else {}
        except Away:
            known = {}
        return Said(language, read_items_said({one: known.get(one) for one in names}), segments)
