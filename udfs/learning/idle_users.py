"""Users who have been idle longer than a limit, found without looking at all the others.

In: the users of each batch. Out: the ids of those to forget. Each user is recorded in the log of
the shard once per bucket of time (an eighth of the limit); when a bucket is older than the limit,
only the users in it are checked.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import numpy as np
from numpy.typing import NDArray

from udfs.memory.users import Users
from udfs.state.handles import Rows
from udfs.state.records import read_rows
from udfs.state.time_log import TimeLog

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[str]).decode


class IdleUsers:
    """The log of one shard; `limit_ms` is how long a user may be idle."""

    def __init__(self, rows: Rows, limit_ms: int) -> None:
        self._log = TimeLog(rows, limit_ms)
        self.sweep_ms = max(1_000, min(limit_ms // 16, 3_600_000))

    def mark(self, users: Users, slots: NDArray[np.int32], now_ms: int) -> None:
        """Record the users in `slots` (distinct) as seen at `now_ms`."""
        bucket = self._log.begin(now_ms)
        if len(slots) == 1 and users.marked[slots[0]] == bucket:
            return  # the usual case where few events come
        fresh = slots[users.marked[slots] != bucket]
        if len(fresh):
            users.marked[fresh] = bucket
            self._log.append(bucket, _encode([users.names[slot] for slot in fresh.tolist()]))

    def names(self) -> Iterator[str]:
        """Every user in the log once, newest buckets first; read lazily, and the log may change
        meanwhile."""
        met: set[str] = set()
        for start in sorted(self._log.buckets, reverse=True):
            for chunk in self._log.read(start):
                fresh = dict.fromkeys(_decode(chunk)).keys() - met
                met |= fresh
                yield from fresh

    def sweep(self, rows: Rows, history: Rows, dtype: np.dtype[np.void], now_ms: int) -> list[str]:
        """Remove the idle users from state and return their ids."""
        idle = []
        for bucket in self._log.expired(now_ms):
            for user in (user for chunk in self._log.drop(bucket) for user in _decode(chunk)):
                stored = rows.get(user)
                if stored is None:
                    continue
                row = read_rows(stored, dtype, f"user {user!r}")[0]
                if now_ms - int(row["seen"]) > self._log.span_ms:
                    for number in range(int(row["first"]), int(row["sealed"])):
                        history.remove(f"{number}:{user}")
                    rows.remove(user)
                    idle.append(user)
        return idle
