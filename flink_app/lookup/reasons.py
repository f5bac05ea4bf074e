"""Why an item is in a list, in the words of a language.

In: the `why` of an entry of a list (docs/redis.md), and what is known of items. Out: a sentence of
plain text, which whoever shows it escapes as any other text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from flink_app.lookup.words import CATALOGUE, DEFAULT, text
from udfs.lists.contract import UnreadEntry
from udfs.options.sources import SOURCES

_PLACES = ("city", "town", "region", "state", "country")
"""Segments that one is in; one is with people of the others."""
_MOST_WORDS = 3
_SEPARATORS = {"zh": "\u3001"}
_decode, _encode = msgspec.json.Decoder().decode, msgspec.json.Encoder().encode


class Said(NamedTuple):
    """What is known for sentences.

    Attributes:
        language: of `CATALOGUE`. items: what is said of items, as under `item:<id>`, by id.
        segments: those of the user of a list that is not the user's own, the nearest first.
    """

    language: str = DEFAULT
    items: Mapping[str, Mapping[str, Any]] = {}
    segments: Sequence[str] = ()

    def text(self, name: str, /, **places: Any) -> str:
        """A text of the catalogue with its places; "" if there is none."""
        found = text(self.language, name) or ""
        return found.format(**places) if places else found

    def title(self, item: str) -> str:
        """What an item is called: its title, or its id."""
        found = self.items.get(item, {}).get("title")
        return found if isinstance(found, str) and found else item

    @property
    def titles(self) -> dict[str, str]:
        """The titles of those items that have one."""
        return {item: self.title(item) for item in self.items if self.items[item].get("title")}

    def listed(self, names: Iterable[str]) -> str:
        """Names after one another."""
        return _SEPARATORS.get(self.language, ", ").join(names)

    def in_common(self, one: str, other: str) -> list[str]:
        """Up to three words that are said of both items."""
        said, others = (_words(self.items.get(item, {})) for item in (one, other))
        return [word for word in said if word in others][:_MOST_WORDS]


def languages() -> str:
    """The languages, as in a sentence.

    >>> languages()
    'en, zh or de'
    """
    *others, last = CATALOGUE
    return f"{', '.join(others)} or {last}"


def sentence(item: str, why: Mapping[str, Any], said: Said) -> str:
    """The reason of an entry.

    >>> sentence("mug", {"model": "item-cf", "because": ["kettle", "pot"]}, Said())
    'because you looked at kettle, pot'
    >>> sentence("mug", {"model": "social", "followed": "bob"}, Said("de"))
    'gefällt bob (du folgst)'
    >>> sentence("mug", {"model": "segments"}, Said(segments=["city:Berlin"]))
    'popular in Berlin'
    """
    model, followed = str(why.get("model", "")), why.get("followed")
    because = [str(one) for one in why.get("because") or ()]
    if isinstance(followed, str):
        return _followed(followed, said)
    if model == "content" and because:
        return _like(item, because[0], said)
    if because:
        return said.text("because", items=said.listed(map(said.title, because)))
    if model == "segments" and said.segments:
        return _popular(said)
    if found := text(said.language, f"model.{model}"):
        return found
    source = SOURCES.get(model)
    return source.shown if source else said.text("model.")


def _followed(followed: str, said: Said) -> str:
    kind, colon, name = followed.partition(":")
    if colon and text(DEFAULT, f"followed.{kind}"):
        return said.text(f"followed.{kind}", name=name)
    return said.text("followed", name=followed)


def _like(item: str, other: str, said: Said) -> str:
    words, name = said.in_common(item, other), said.title(other)
    if words:
        return said.text("like_in", item=name, words=said.listed(words))
    return said.text("like", item=name)


def _popular(said: Said) -> str:
    pairs = [one.partition(":")[::2] for one in said.segments]
    for wanted in _PLACES:
        for name, value in pairs:
            if name == wanted and value:
                return said.text("popular_in", place=value)
    return said.text("popular_with", place=pairs[0][1] or pairs[0][0])


def _words(said: Mapping[str, Any]) -> list[str]:
    found: dict[str, None] = {}
    for field in ("tags", "categories"):
        some = said.get(field)
        if isinstance(some, list):
            found.update(dict.fromkeys(one for one in some if isinstance(one, str)))
    return [*found]


def language_of(asked: str) -> str | None:
    """The language of the catalogue that is asked for; None: it has no such.

    >>> language_of("de-AT"), language_of("ZH"), language_of("tlh")
    ('de', 'zh', None)
    """
    found = asked.replace("_", "-").partition("-")[0].lower()
    return found if found in CATALOGUE else None


def named_in(entries: Iterable[UnreadEntry]) -> list[str]:
    """The items that the sentences of a list may name."""
    named: dict[str, None] = {}
    for entry in entries:
        if entry.why is msgspec.UNSET:
            continue
        because = _why(entry.why).get("because")
        if isinstance(because, list):
            named.update(dict.fromkeys([entry.item, *map(str, because)]))
    return [*named]


def worded(entries: Iterable[UnreadEntry], said: Said) -> None:
    """Add to each `why` of a list its sentence, as `text`."""
    for entry in entries:
        if entry.why is not msgspec.UNSET:
            why = _why(entry.why)
            entry.why = msgspec.Raw(_encode({**why, "text": sentence(entry.item, why, said)}))


def _why(raw: msgspec.Raw) -> dict[str, Any]:
    found = _decode(bytes(raw))
    return found if isinstance(found, dict) else {}


def read_items_said(values: Mapping[str, bytes | None]) -> dict[str, Mapping[str, Any]]:
    """What is said of items, from the values under `item:<id>`; what is no object says nothing."""
    found: dict[str, Mapping[str, Any]] = {}
    for item, value in values.items():
        try:
            said = _decode(value) if value else None
        except (msgspec.MsgspecError, UnicodeDecodeError):
            continue
        if isinstance(said, dict):
            found[item] = said
    return found
