"""The table of kinds of lines: how each is read, and which operators get what of it.

In: nothing; a row is one `Kind`, added by `register`. Out: `KINDS`, by which
`udfs.operators.parse` reads and routes lines, and `by_kind`, which sorts them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Protocol

import msgspec
from msgspec.structs import replace

from udfs.accounts import Account
from udfs.errors import ConfigError
from udfs.events.batch import pack, split, user_shards
from udfs.events.columns import COLUMNS
from udfs.events.decode import Decoded, Decoder
from udfs.events.experiments import KIND as EXPERIMENT_KIND
from udfs.events.experiments import ExperimentReader, ReadExperiments, pack_words
from udfs.events.item_changes import ItemChange, item_shards, pack_changes, pack_notice
from udfs.events.items import ItemReader, ReadItems
from udfs.events.messages import by_user
from udfs.events.own_form import KIND, own_form
from udfs.events.people import KINDS as ABOUT_PEOPLE
from udfs.events.people import PeopleReader, ReadPeople, leaves, pack_gone, pack_people
from udfs.events.people import renamed as people_renamed
from udfs.events.raw_columns import Rejected
from udfs.events.searches import TYPE, ReadSearches, SearchReader, is_search, pack_searches
from udfs.events.settings import DecodeSettings

USER_LEARNER, ITEM_LEARNER = "user learner", "item learner"


class Read(Protocol):
    """What a reader found on n lines: rows, what is unusable, and what is ignored."""

    @property
    def rejected(self) -> list[Rejected]:
        """The unusable lines or elements, by the positions of their lines among the n lines."""

    @property
    def ignored(self) -> int:
        """How many lines or elements are ignored."""

    @property
    def received(self) -> int:
        """All of them: usable, unusable and ignored; n if each line holds one."""


class Reader(Protocol):
    """Reads the lines of one kind; the content of a line never makes it raise."""

    def decode(self, lines: Sequence[str], now_ms: int, files: Sequence[str] = ()) -> Read:
        """The content of `lines`; `now_ms` is the clock, milliseconds since 1970; `files` are the
        paths of the lines' files, one for each, if they are of files."""


class Route(msgspec.Struct, frozen=True):
    """What of the lines of a kind goes to one operator.

    Attributes:
        operator: its name.
        parts: (shard, bytes) for each shard that gets any, given what was read, the number of
            shards of the operator, and when the micro-batch opened, milliseconds since 1970.
    """

    operator: str
    parts: Callable[[Any, int, int], Iterable[tuple[int, bytes]]]


Rename = Callable[[Iterable[str]], list[str]]
"""Another id for each of some users."""


class Kind(msgspec.Struct, frozen=True):
    """One kind of line.

    Attributes:
        name: the value of "kind" on a JSON line. others: more such values.
        reader: makes the reader of its lines.
        routes: where what was read goes.
        renamed: what was read, with another id for each user; None: its lines name no users.
        told: adds to the account of a micro-batch what `stats` is to know of it besides numbers.
    """

    name: str
    reader: Callable[[DecodeSettings], Reader]
    routes: tuple[Route, ...]
    others: tuple[str, ...] = ()
    renamed: Callable[[Any, Rename], Any] | None = None
    told: Callable[[Any, Account], None] | None = None


def _events(events: Decoded, shards: int, opened: int) -> Iterable[tuple[int, bytes]]:
    parts = split(events.batch(opened), user_shards(events.users, shards))
    return ((shard, pack(batch)) for shard, batch in parts.items())


def _events_renamed(events: Decoded, rename: Rename) -> Decoded:
    columns = {
        name: rename(values) if COLUMNS[name].personal else values
        for name, values in events.columns.items()
    }
    return replace(events, columns=columns)


INTERACTION = Kind("interaction", Decoder, (Route(USER_LEARNER, _events),), renamed=_events_renamed)
"""A user did something with an item; the kind of a line that names none of the table."""


EVENT = Kind(
    KIND,
    lambda settings: Decoder(own_form(settings)),
    INTERACTION.routes,
    renamed=_events_renamed,
)
"""The same in millirec's own JSON, also between lines of CSV."""


def _changes(found: ReadItems, shards: int, opened: int) -> Iterable[tuple[int, bytes]]:
    owned: dict[int, list[ItemChange]] = {}
    of = item_shards([change.item for change in found.changes], shards)
    for shard, change in zip(of, found.changes, strict=True):
        owned.setdefault(shard, []).append(change)
    return ((shard, pack_changes(changes)) for shard, changes in owned.items())


def _notices(found: ReadItems, shards: int, opened: int) -> Iterable[tuple[int, bytes]]:
    if not found.changes:
        return ()
    notice = pack_notice(found.changes)
    return ((shard, notice) for shard in range(shards))


ITEM = Kind("item", ItemReader, (Route(ITEM_LEARNER, _changes), Route(USER_LEARNER, _notices)))
"""What an item is: its owner gets it, and every user learner a notice."""


def _searches(found: ReadSearches, shards: int, opened: int) -> Iterable[tuple[int, bytes]]:
    return by_user(found.searches, shards, pack_searches)


def _searches_renamed(found: ReadSearches, rename: Rename) -> ReadSearches:
    users = rename(one.user for one in found.searches)
    pairs = zip(found.searches, users, strict=True)
    return replace(found, searches=[replace(one, user=user) for one, user in pairs])


SEARCH = Kind(TYPE, SearchReader, (Route(USER_LEARNER, _searches),), renamed=_searches_renamed)
"""What a user looks for, in words; such a line is known by its type, see `is_search`."""


def _people(found: ReadPeople, shards: int, opened: int) -> Iterable[tuple[int, bytes]]:
    told = by_user(found.changes, shards, pack_people)
    if forgotten := [one for one in found.changes if leaves(one)]:
        gone = pack_gone(forgotten)
        told += [(shard, gone) for shard in range(shards)]
    return told


def _people_renamed(found: ReadPeople, rename: Rename) -> ReadPeople:
    return replace(found, changes=people_renamed(found.changes, rename))


PEOPLE = Kind(
    "people", PeopleReader, (Route(USER_LEARNER, _people),), ABOUT_PEOPLE, _people_renamed
)
"""What is said of a user, see `udfs.events.people`."""


def _words(found: ReadExperiments, shards: int, opened: int) -> Iterable[tuple[int, bytes]]:
    if not found.words:
        return ()
    words = pack_words(found.words)
    return ((shard, words) for shard in range(shards))


def _words_told(found: ReadExperiments, account: Account) -> None:
    account.add(Account(started=found.words))


EXPERIMENT = Kind(
    EXPERIMENT_KIND, ExperimentReader, (Route(USER_LEARNER, _words),), told=_words_told
)
"""An experiment starts, or ends: every user learner gets it, and `stats`."""

KINDS: dict[str, Kind] = {
    kind.name: kind for kind in (INTERACTION, EVENT, ITEM, SEARCH, PEOPLE, EXPERIMENT)
}
"""The kinds by name."""


def register(kind: Kind) -> None:
    """Add a kind: from then on its reader reads the lines that name it.

    Call it while modules are imported, since every process of a job must know the kind.

    Raises:
        ConfigError: a kind of that name exists already.
    """
    if not {kind.name, *kind.others}.isdisjoint(_named()):
        raise ConfigError(f"there is a kind of lines {kind.name!r} already: choose another name")
    KINDS[kind.name] = kind


def _named() -> dict[str, str]:
    """The kind's name behind each value of "kind"."""
    return {name: kind.name for kind in KINDS.values() for name in (kind.name, *kind.others)}


def by_kind(lines: Sequence[str], field: str = "") -> dict[str, Sequence[int]]:
    """The positions of the lines by kind, ascending, for each kind of the table that occurs.

    What is said of users comes first: events that were written after a user was forgotten must not
    be learned before that, while older ones are refused by their times.

    Args:
        field: what names the kind of a line besides `kind`; "" if nothing does.

    >>> by_kind(['{"user": "ann", "item": "7"}', '{"kind": "another"}'])
    {'interaction': [0, 1]}
    """
    places = [n for n, line in enumerate(lines) if '"kind"' in line or '"search"' in line]
    if field:
        other = f'"{field}"'
        known = {*places}
        places = [n for n, line in enumerate(lines) if n in known or other in line]
    known_kinds = _named() if places else {}
    named = {place: _kind_of(lines[place], field, known_kinds) for place in places}
    if not named:
        return {INTERACTION.name: range(len(lines))}
    found: dict[str, list[int]] = {}
    for place in range(len(lines)):
        found.setdefault(named.get(place, INTERACTION.name), []).append(place)
    if PEOPLE.name in found:
        found = {PEOPLE.name: found.pop(PEOPLE.name), **found}
    return dict(found)


def _kind_of(line: str, field: str, known: Mapping[str, str]) -> str:
    """The kind of all objects on a line; `known`: see `_named`."""
    if is_search(line):
        return SEARCH.name
    try:
        named = _decoder(field)(line)
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        return INTERACTION.name  # its reader reports what is wrong with the line
    said = (one.kind or (one.other if field else "") for one in named)
    names = {known.get(name, INTERACTION.name) for name in said}
    return names.pop() if len(names) == 1 else INTERACTION.name


@lru_cache
def _decoder(field: str) -> Callable[[str], Sequence[Any]]:
    """Reads what kinds the objects on a line have."""
    fields = [("kind", str, "")] + [("other", str, "")] * bool(field)
    named: Any = msgspec.defstruct("Named", fields, rename={"other": field})
    one, many = msgspec.json.Decoder(named).decode, msgspec.json.Decoder(list[named]).decode
    return lambda line: many(line) if line.lstrip()[:1] == "[" else [one(line)]
