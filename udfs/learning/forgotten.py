"""Who was forgotten, or is not to be learned from: marks without the ids of these users.

In: ids of users with times. Out: which events of a batch may be learned. A mark is found by the
`digest` of the id, so that the id itself is nowhere; it is in the shard's rows of state, and all
marks of a shard are in memory too. Where nobody was forgotten, nothing is looked at.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from udfs.events.batch import EventBatch
from udfs.lists.keys import digest
from udfs.state.forms import read_form
from udfs.state.handles import Rows

_VERSION = 1


class Mark(msgspec.Struct, array_like=True, frozen=True):
    """What is kept of a user who was forgotten.

    Attributes:
        deleted: what is no later than this is not taken any more, ms.
        said: when the user last said whether lists may be personal, ms; 0: never.
        personalise: what was said.
    """

    deleted: int = 0
    said: int = 0
    personalise: bool = True
    version: int = _VERSION

    def takes(self, ts: int) -> bool:
        """Whether what is as of `ts` may be kept."""
        return self.personalise and ts > self.deleted


class Kept(NamedTuple):
    """Which of n events may be learned, bool[n]; how many are from before their user was
    forgotten, and how many are of users who do not want to be learned from."""

    chosen: NDArray[np.bool_]
    refused: int
    opted_out: int


_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(Mark)


class Forgotten:
    """The marks of one shard; `rows` is its part of the state."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._marks = {key: _read(data) for key, data in rows.items()}

    def __len__(self) -> int:
        return len(self._marks)

    def of(self, user: str) -> Mark | None:
        """The mark of a user; None: never forgotten, or long ago."""
        return self._marks.get(digest(user)) if self._marks else None

    def takes(self, user: str, ts: int) -> bool:
        """Whether what is said of a user, as of `ts`, may be kept."""
        mark = self.of(user)
        return mark is None or mark.takes(ts)

    def put(self, user: str, mark: Mark) -> None:
        """Set the mark of a user."""
        key = digest(user)
        self._marks[key] = mark
        self._rows.put_all({key: _encode(mark)})

    def keep(self, batch: EventBatch) -> Kept | None:
        """Which events of a batch may be learned; None: all."""
        if not self._marks:
            return None
        marks = {user: mark for user in {*batch.users} if (mark := self.of(user)) is not None}
        if not marks:
            return None
        chosen = np.ones(len(batch), np.bool_)
        refused = opted_out = 0
        for row, (user, ts) in enumerate(zip(batch.users, batch.ts.tolist(), strict=True)):
            mark = marks.get(user)
            if mark is None or mark.takes(ts):
                continue
            chosen[row] = False
            opted_out += not mark.personalise
            refused += mark.personalise
        return Kept(chosen, refused, opted_out) if refused or opted_out else None

    def expire(self, before_ms: int) -> None:
        """Drop the marks of deletions before `before_ms`: nothing older comes any more. Who does
        not want to be learned from stays marked."""
        old = [
            k for k, mark in self._marks.items() if mark.personalise and mark.deleted < before_ms
        ]
        for key in old:
            del self._marks[key]
            self._rows.remove(key)


def _read(data: bytes) -> Mark:
    return read_form(_decoder, data, _VERSION, "the mark of a forgotten user")
