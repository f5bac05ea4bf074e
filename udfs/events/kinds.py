"""The table of kinds of lines: how each is read, which shard it belongs to, and who gets it.

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
    """What a reader found on n lines: rows, lines that cannot be used, and some to be ignored."""

    @property
    def rejected(self) -> list[Rejected]:
        """The lines that cannot be used, by their positions among the n."""

    @property
    def ignored(self) -> int:
        """How many lines say nothing."""


class Reader(Protocol):
    """Reads the lines of one kind; nothing on a line makes it raise."""

    def decode(self, lines: Sequence[str], now_ms: int) -> Read:
        """What is on `lines`; `now_ms` is the clock, milliseconds since 1970."""


class Kind(msgspec.Struct, frozen=True):
    """One kind of line.

    Attributes:
        name: what a line of JSON has as its "kind".
        reader: makes the reader of its lines.
        key: the shard of each row of what was read, among so many shards of `operator`.
        packed: what was read, by those shards: the shard and bytes for `operator`, of each that
            occurs; the last argument is when the micro-batch opened, milliseconds since 1970.
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
"""A user did something with an item: what a line is that names no kind of the table."""

KINDS: dict[str, Kind] = {INTERACTION.name: INTERACTION}
"""The kinds by name."""


def register(kind: Kind) -> None:
    """Add a kind: from then on lines that name it are read by its reader.

    To be called while modules are imported, as every process of a job must know the kind.

    Raises:
        ConfigError: there is one of that name.
    """
    if kind.name in KINDS:
        raise ConfigError(
            f"there is a kind of lines {kind.name!r} already: name this one otherwise"
        )
    KINDS[kind.name] = kind


class _Named(msgspec.Struct):
    kind: str = ""


_name = msgspec.json.Decoder(_Named).decode


def by_kind(lines: Sequence[str]) -> dict[str, Sequence[int]]:
    """The positions of the lines of each kind of the table that occurs, ascending.

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
        return INTERACTION.name  # whose reader says what is wrong with the line
    return name if name in KINDS else INTERACTION.name
