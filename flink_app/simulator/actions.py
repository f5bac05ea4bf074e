"""The actions of simulated users as parallel arrays, and an event as a line of JSON.

In: arrays made by a world. Out: `Actions`, whole blocks of them; events, each a JSON object in
millirec's own format, as bytes without a newline.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

Self = TypeVar("Self", bound="Actions")


class Actions(msgspec.Struct, frozen=True):
    """n actions as parallel arrays, all (n,) int64. A world that tells more adds arrays.

    users, items: numbers in the world. kinds: positions in the world's `kinds`. sessions: numbers
    from 0.
    """

    users: NDArray[np.int64]
    items: NDArray[np.int64]
    kinds: NDArray[np.int64]
    sessions: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.users)

    def take(self: Self, rows: NDArray[np.int64] | slice) -> Self:
        """The actions of the rows given, in that order."""
        return type(self)(*(column[rows] for column in msgspec.structs.astuple(self)))


def joined(first: Self, second: Self) -> Self:
    """The actions of the first, then those of the second, of the same class."""
    pairs = zip(msgspec.structs.astuple(first), msgspec.structs.astuple(second), strict=True)
    return type(first)(*(np.concatenate(pair) for pair in pairs))


def encode_event(user: str, item: str, kind: str, ts: int, event: str, session: str) -> bytes:
    """One event as a line of JSON without its newline.

    kind: the event's type. ts: milliseconds since 1970. event: the event's own id. No argument may
    contain a character that JSON escapes; the simulator's ids never do.

    >>> encode_event("u1", "i2", "view", 1704067200000, "e0", "s0")
    b'{"user":"u1","item":"i2","type":"view","ts":1704067200000,"id":"e0","session":"s0"}'
    """
    return (
        f'{{"user":"{user}","item":"{item}","type":"{kind}","ts":{ts},'
        f'"id":"{event}","session":"{session}"}}'
    ).encode()
