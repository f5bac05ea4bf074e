"""The table of kinds of lines: how each is read, its shard, and the operator that gets it.

In: nothing; a row is one `Kind`, added by `register`. Out: `KINDS`, by which
`udfs.operators.parse` reads and routes lines, and `by_kind`, which sorts them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from udfs.errors import ConfigError
from udfs.events.batch import pack, split, user_shards
from udfs.events.decode import Decoded, Decoder
from udfs.events.raw_columns import Rejected
from udfs.events.settings import DecodeSettings

Shards = NDArray[np.int64]
USER_LEARNER = "user learner"


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


class Kind(msgspec.Struct, frozen=True):
    """One kind of line.

    Attributes:
        name: the value of "kind" on a JSON line.
        reader: makes the reader of its lines.
        key: the shard of each row that was read, given the number of shards of `operator`.
        packed: (shard, bytes for `operator`) for each shard that occurs, given what was read and
            the shard of each row; the last argument is when the micro-batch opened, milliseconds
            since 1970.
        operator: the name of the operator that gets them.
    """

    name: str
    reader: Callable[[DecodeSettings], Reader]
    key: Callable[[Any, int], Shards]
    packed: Callable[[Any, Shards, int], Iterable[tuple[int, bytes]]]
    operator: str


def _user_shards(events: Decoded, shards: int) -> Shards:
    return user_shards(events.users, shards)


def _packed(events: Decoded, shard_of: Shards, opened: int) -> Iterable[tuple[int, bytes]]:
    parts = split(events.batch(opened), shard_of)
    return ((shard, pack(batch)) for shard, batch in parts.items())


INTERACTION = Kind("interaction", Decoder, _user_shards, _packed, USER_LEARNER)
"""A user did something with an item; the kind of a line that names none of the table."""

KINDS: dict[str, Kind] = {INTERACTION.name: INTERACTION}
"""The kinds by name."""


def register(kind: Kind) -> None:
    """Add a kind: from then on its reader reads the lines that name it.

    Call it while modules are imported, since every process of a job must know the kind.

    Raises:
        ConfigError: a kind of that name exists already.
    """
    if kind.name in KINDS:
        raise ConfigError(f"there is a kind of lines {kind.name!r} already: choose another name")
    KINDS[kind.name] = kind


class _Named(msgspec.Struct):
    kind: str = ""


_name = msgspec.json.Decoder(_Named).decode


def by_kind(lines: Sequence[str]) -> dict[str, Sequence[int]]:
    """The positions of the lines by kind, ascending, for each kind of the table that occurs.

    >>> by_kind(['{"user": "ann", "item": "7"}', '{"kind": "another"}'])
    {'interaction': range(0, 2)}
    """
    if len(KINDS) == 1:
        return {INTERACTION.name: range(len(lines))}
    found: dict[str, list[int]] = {}
    for place, line in enumerate(lines):
        name = _kind_of(line) if '"kind"' in line else INTERACTION.name
        found.setdefault(name, []).append(place)
    return dict(found)


def _kind_of(line: str) -> str:
    try:
        name = _name(line).kind
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        return INTERACTION.name  # its reader reports what is wrong with the line
    return name if name in KINDS else INTERACTION.name
