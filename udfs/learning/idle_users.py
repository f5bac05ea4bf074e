"""Users who have been idle longer than a limit, found without looking at all the others.

In: the users of each batch. Out: the ids of those to forget. Each user is recorded in the log of
the shard once per bucket of time (an eighth of the limit); when a bucket is older than the limit,
only the users in it are checked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

import msgspec
import numpy as np
from numpy.typing import NDArray

from udfs.memory.users import Users
from udfs.state.handles import Rows
from udfs.state.item_records import as_of, unpack_record
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

    def sweep(
        self,
        rows: Rows,
        history: Rows,
        people: Rows,
        dtype: np.dtype[np.void],
        now_ms: int,
        *,
        elsewhere: bool = False,
    ) -> list[str]:
        """Remove the idle users from state and return their ids; what is said of users goes with
        their rows, or when it is as old. Users without a row, who only searched or of whom
        something was said, are idle when nothing of them is left.

        Args:
            elsewhere: whether an id that has nothing here may be that of a person in another place.
        """
        idle, absent = dict[str, None](), dict[str, None]()
        for bucket in self._log.expired(now_ms):
            for user in (user for chunk in self._log.drop(bucket) for user in _decode(chunk)):
                if (row := _row_of(user, rows, dtype)) is not None:
                    if now_ms - int(row["seen"]) <= self._log.span_ms:
                        continue
                    _remove(user, row, rows, history)
                    idle[user] = None
                record = unpack_record(people.get(user), "what is said of a user")
                old = bool(record) and now_ms - as_of(record) > self._log.span_ms
                if old:
                    people.remove(user)
                if row is None and (old or not (record or elsewhere)):
                    absent[user] = None
        if absent:
            self._leave_out_later(absent)
        return [*(idle | absent)]

    def _leave_out_later(self, users: dict[str, None]) -> None:
        """Leave out of `users` those who were seen later."""
        for bucket in self._log.buckets:
            for chunk in self._log.read(bucket):
                for user in _decode(chunk):
                    users.pop(user, None)

    def forget(self, users: Collection[str]) -> None:
        """Remove users from the log."""
        for bucket, number, chunk in self._log.chunks():
            names = _decode(chunk)
            if not set(names).isdisjoint(users):
                left = [name for name in names if name not in users]
                self._log.replace(bucket, number, _encode(left))


def remove_user(user: str, rows: Rows, history: Rows, dtype: np.dtype[np.void]) -> None:
    """Remove a user's row and history pages from state, if there is a row.

    Args:
        dtype: of the row.

    Raises:
        ServiceError: the row has another version or is damaged.
    """
    if (row := _row_of(user, rows, dtype)) is not None:
        _remove(user, row, rows, history)


def _remove(user: str, row: np.void, rows: Rows, history: Rows) -> None:
    for number in range(int(row["first"]), int(row["sealed"])):
        history.remove(f"{number}:{user}")
    rows.remove(user)


def _row_of(user: str, rows: Rows, dtype: np.dtype[np.void]) -> np.void | None:
    stored = rows.get(user)
    return None if stored is None else read_rows(stored, dtype, "the row of a user")[0]
