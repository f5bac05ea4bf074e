"""Lines about people: who they are, what they allow, which ids are theirs, and whom to forget.

In: n lines (`Sequence[str]`) like `{"kind":"profile","user":"ann","country":"DE"}`. Out:
`ReadPeople`: a `PersonChange` for each that can be used, as bytes for the operator that owns its
user, and a `Rejected` for the others.

The reasons are those of `udfs.events.decode`, and

    missing_to, empty_to       a link does not say to which id
    missing_item, empty_item   a question why does not say of which item
    missing_personalise        consent does not say whether lists may be personal
    no_identity                a link, in a job that does not resolve identities
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from udfs.events.items.attributes import attributes
from udfs.events.items.flags import flag
from udfs.events.items.objects import objects_of
from udfs.events.items.values import MOST_WORD, Bad, words
from udfs.events.items.values import word as one_word
from udfs.events.json_problems import kind_of
from udfs.events.messages import Message
from udfs.events.raw_columns import Problem, Rejected, clean_ids, clean_times, shown
from udfs.events.sessions import users_of
from udfs.events.settings import DecodeSettings

PROFILE, CONSENT, FORGET, EXPORT, LINK, UNLINK, WHY = KINDS = (
    "profile",
    "consent",
    "forget",
    "export",
    "link",
    "unlink",
    "why",
)
"""The kinds of these lines.

    profile   fields of `PROFILE_FIELDS`: absent ones stay, null deletes one, the newest ts wins
    consent   {"personalise": bool}
    forget    nothing more
    export    nothing more: what is known of the user is to be told
    link      {"to": another id of the same person}
    unlink    nothing more: from now on the id is a person of its own
    why       {"item": an item}: why it is in the user's list, or is not, is to be told
"""
GONE = "gone"
"""The kind of what all shards are told when a user was forgotten or opted out: nobody follows that
user any more. It is of no line."""
PERSONALISE = "personalise"
"""The field of consent, and of a record that has it."""
WORDS = ("country", "language", "age_band", "gender")
"""Fields of a profile that hold one word."""
LISTS = ("follows", "likes")
"""Fields of a profile that hold words: ids of users, or items and `category:…`, `provider:…`."""
NO_USERS = ("author:", "category:", "provider:")
"""How words in `follows` begin that are no users."""
PROFILE_FIELDS = (*WORDS, *LISTS, "attributes")


class PersonChange(msgspec.Struct, frozen=True, array_like=True):
    """What a line says of a user.

    Attributes:
        kind: one of `KINDS`, or `GONE`. ts: ms since 1970.
        fields: see `KINDS`; words are text, lists are lists of text, attributes are as in
            `udfs.events.items.attributes`.
    """

    kind: str
    user: str
    ts: int
    fields: dict[str, Any] = {}


class ReadPeople(msgspec.Struct, frozen=True):
    """The result for n lines.

    Attributes:
        changes: in the order of the lines. rejected: by ascending index of their lines.
        ignored: how many lines hold nothing.
    """

    changes: list[PersonChange]
    rejected: list[Rejected]
    ignored: int

    @property
    def received(self) -> int:
        """How many the lines held, usable or not, and what is ignored."""
        return len(self.changes) + len(self.rejected) + self.ignored


class PeopleReader:
    """Reads lines about people, objects of JSON in any job."""

    def __init__(self, settings: DecodeSettings) -> None:
        self._settings = settings

    def decode(self, lines: Sequence[str], now_ms: int, files: Sequence[str] = ()) -> ReadPeople:
        """What n lines say; the content of a line never makes it raise.

        Args:
            now_ms: the clock, ms since 1970, which is the time of what says none.
        """
        problems: dict[int, Problem] = {}
        objects: list[dict[str, Any]] = []
        places: list[tuple[int, int]] = []
        ignored = 0
        for index, line in enumerate(lines):
            found = objects_of(line)
            ignored += not found
            for element, one in enumerate(found):
                if not isinstance(one, dict):
                    problems[len(objects)] = one or ("not_an_object", "the line is null")
                objects.append(one if isinstance(one, dict) else {})
                places.append((index, element if len(found) > 1 else -1))
        changes = self._changes(objects, now_ms, problems)
        rejected = [Rejected(*why, *places[row]) for row, why in sorted(problems.items())]
        return ReadPeople(changes, rejected, ignored)

    def _changes(
        self, objects: list[dict[str, Any]], now_ms: int, problems: dict[int, Problem]
    ) -> list[PersonChange]:
        fields = [self._fields(one, row, problems) for row, one in enumerate(objects)]
        given, sessions = ([one.get(name) for one in objects] for name in ("user", "session"))
        whole = self._settings.ids == "integers"
        users = self._ids(users_of(given, sessions, problems, integers=whole), "user", problems)
        for kind, name in ((LINK, "to"), (WHY, "item")):
            rows = [row for row, one in enumerate(objects) if one.get("kind") == kind]
            wrong: dict[int, Problem] = {}
            others = self._ids([objects[row].get(name) for row in rows], name, wrong)
            for row, other in zip(rows, others, strict=True):
                fields[row][name] = other
            for at, why in wrong.items():
                problems.setdefault(rows[at], why)
        times = self._times([one.get("ts") for one in objects], now_ms, problems)
        return [
            PersonChange(str(one["kind"]), user, ts, own)
            for row, (one, user, ts, own) in enumerate(
                zip(objects, users, times, fields, strict=True)
            )
            if row not in problems
        ]

    def _fields(
        self, one: Mapping[str, Any], row: int, problems: dict[int, Problem]
    ) -> dict[str, Any]:
        kind = one.get("kind")
        if row in problems:
            return {}
        try:
            if kind == PROFILE:
                return profile_fields(one)
            if kind == CONSENT:
                said = flag(one.get(PERSONALISE), "the personalise")
                if said is None:
                    raise Bad("missing_personalise", "the line has no 'personalise'")
                return {PERSONALISE: said}
            if kind in (LINK, UNLINK) and not self._settings.identity:
                raise Bad(
                    "no_identity",
                    f"the job does not resolve ids of one person, as lines of kind {kind!r} ask "
                    "for: set identity.enabled = true",
                )
            if kind not in KINDS:
                raise Bad("wrong_type", f"the kind {shown(kind)} is none of {', '.join(KINDS)}")
        except Bad as bad:
            problems[row] = bad.reason, str(bad)
        return {}

    def _ids(self, given: list[Any], name: str, problems: dict[int, Problem]) -> list[str]:
        for row, value in enumerate(given):
            if value is None:
                problems.setdefault(row, (f"missing_{name}", f"the line has no {name!r}"))
            elif isinstance(value, bool | list | dict):
                what = f"the {name} is {kind_of(value)}, neither text nor a whole number"
                problems.setdefault(row, ("wrong_type", what))
        most, whole = self._settings.max_id_bytes, self._settings.ids == "integers"
        usable = [None if row in problems else value for row, value in enumerate(given)]
        return clean_ids(usable, name, most, problems, required=True, integers=whole)

    def _times(self, given: list[Any], now_ms: int, problems: dict[int, Problem]) -> list[int]:
        for row, value in enumerate(given):
            if isinstance(value, bool | list | dict):
                what = f"the ts is {kind_of(value)}, not a time"
                problems.setdefault(row, ("wrong_type", what))
        raw = [None if row in problems or one == "" else one for row, one in enumerate(given)]
        times = clean_times(raw, now_ms, self._settings.bounds, problems, option="")
        return list(map(int, times.tolist()))


def profile_fields(one: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a profile, cleaned; None for one that is to go.

    Raises:
        Bad: a value cannot be used; the sentence names its field.

    >>> profile_fields({"country": " DE ", "follows": "bob", "attributes": {"job": "nurse"}})
    {'country': 'DE', 'follows': ['bob'], 'attributes': {'job': 'nurse'}}
    """
    found: dict[str, Any] = {}
    for field in PROFILE_FIELDS:
        if field not in one:
            continue
        value, name = one[field], f"the {field}"
        if value is None:
            found[field] = None
        elif field in WORDS:
            found[field] = _short(one_word(value, name), name)
        elif field in LISTS:
            found[field] = words(value, name)
        else:
            found[field] = attributes(value)
    return found


def _short(value: str | None, name: str) -> str | None:
    if value is not None and (size := len(value.encode())) > MOST_WORD:
        raise Bad("too_large", f"{name} has {size:,} bytes, {MOST_WORD} are allowed")
    return value


_message: Message[list[PersonChange]] = Message(b"H", "what is said of users", list[PersonChange])


def pack_people(changes: Sequence[PersonChange]) -> bytes:
    """The changes as bytes, for the operator that owns their users."""
    return _message.pack(changes)


def is_people(data: bytes) -> bool:
    """Whether these are packed changes of people.

    >>> is_people(pack_people([])), is_people(b"")
    (True, False)
    """
    return _message.holds(data)


def unpack_people(data: bytes) -> list[PersonChange]:
    """The changes that `pack_people` wrote; errors as of `Message.unpack`."""
    return _message.unpack(data)


def leaves(change: PersonChange) -> bool:
    """Whether the user is to be known no more, to others either.

    >>> leaves(PersonChange(CONSENT, "ann", 5, {"personalise": False}))
    True
    """
    opts_out = change.kind == CONSENT and change.fields.get(PERSONALISE) is False
    return change.kind == FORGET or opts_out


def pack_gone(forgotten: Iterable[PersonChange]) -> bytes:
    """What every shard is told of the users who are forgotten."""
    return pack_people([replace(one, kind=GONE, fields={}) for one in forgotten])


def renamed(
    changes: Sequence[PersonChange], rename: Callable[[Iterable[str]], list[str]]
) -> list[PersonChange]:
    """The changes with another id for each user in them: whom they are about, whom they link to,
    and whom they follow. What begins with one of `NO_USERS` is no user."""
    users = rename(one.user for one in changes)
    return [
        replace(one, user=user, fields=_renamed(one.fields, rename))
        for one, user in zip(changes, users, strict=True)
    ]


def _renamed(
    fields: dict[str, Any], rename: Callable[[Iterable[str]], list[str]]
) -> dict[str, Any]:
    found = dict(fields)
    if "to" in fields:
        found["to"] = rename([fields["to"]])[0]
    if fields.get("follows"):
        found["follows"] = [
            one if one.startswith(NO_USERS) else rename([one])[0] for one in fields["follows"]
        ]
    return found
