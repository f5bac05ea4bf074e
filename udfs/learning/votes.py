"""What a user shard keeps against bots and crowds: a record of each user, and how all users act.

In: the shard's rows of state. Out: records by user, and the votes from which limits follow. The
rows are empty unless `crowd.guard` is on.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from udfs.errors import ServiceError
from udfs.learning import guard_kernels
from udfs.learning.guard_kernels import BINS
from udfs.state.handles import Rows

VERSION = 1
RECORD = np.dtype(
    [
        ("version", "u1"),
        ("bins", "i1", (3,)),
        ("rate", "<f4"),
        ("breadth", "<f4"),
        ("gaps", "<f4"),
        ("mean", "<f4"),
        ("square", "<f4"),
        ("at", "<i8"),
        ("until", "<i8"),
    ]
)
"""A user, see `guard_kernels.Watched`."""
_ALL = ""
"""The key of the votes: no user has an empty id."""


class Votes:
    """The votes of one shard's users; `rows` are scoped to the shard.

    Attributes:
        counts: int32[3, BINS], changed by the kernel.
    """

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self.counts = np.zeros((3, BINS), np.int32)
        if (stored := rows.get(_ALL)) is not None:
            _check(stored, 1 + self.counts.nbytes, "how the users of a shard act")
            self.counts[:] = np.frombuffer(stored, "<i4", offset=1).reshape(3, BINS)

    def record(self, user: str) -> Any:
        """The record of a user, of `RECORD`; None if there is none.

        Raises:
            ServiceError: a newer release wrote it, or it is damaged.
        """
        stored = self._rows.get(user)
        if stored is None:
            return None
        _check(stored, RECORD.itemsize, "how a user acts")
        return np.frombuffer(stored, RECORD)[0]

    def put(self, users: list[str], records: NDArray[np.void]) -> None:
        """Write users' records, and the votes, to the state."""
        data, size = records.tobytes(), RECORD.itemsize
        found = {user: data[k * size : (k + 1) * size] for k, user in enumerate(users)}
        self._rows.put_all(found | {_ALL: self._packed()})

    def forget(self, *users: str) -> None:
        """Remove users, with their votes."""
        for user in users:
            if (record := self.record(user)) is not None:
                guard_kernels.forget_votes(np.array(record["bins"]), self.counts)
                self._rows.remove(user)
        if users:
            self._rows.put_all({_ALL: self._packed()})

    def _packed(self) -> bytes:
        return bytes([VERSION]) + self.counts.astype("<i4").tobytes()


def _check(stored: bytes, size: int, what: str) -> None:
    if stored[:1] != bytes([VERSION]) or len(stored) != size:
        raise ServiceError(
            f"{what} is stored in form {stored[0] if stored else 'none'} with {len(stored)} bytes; "
            f"this millirec reads form {VERSION} with {size}: restore with the release that wrote "
            "it, or start without the old state."
        )
