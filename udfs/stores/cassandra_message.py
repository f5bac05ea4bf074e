"""What a user learner's batch leaves for Cassandra, as one packed message.

In: lists, events and users to be forgotten, in the order in which the batch makes them. Out: bytes,
and a `Kept` from them. Of several lists of a user only the last is in it, and nothing of a user
from before the user is forgotten.

Each part has a stamp, by which Cassandra decides which of two writes is newer: µs since 1970, at
least its time, and larger with each part, since a list, its user's forgetting and the next list may
all come in one millisecond.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from udfs.events.batch import EventBatch
from udfs.lists.keys import USER
from udfs.lists.update import ListUpdates


class KeptList(msgspec.Struct, array_like=True):
    """A user's list: its time, ms, and the JSON that Redis has too."""

    user: str
    at_ms: int
    json: bytes
    stamp: int


class KeptEvent(msgspec.Struct, array_like=True):
    """An event; `ts` in ms, `id` is "" if it has none."""

    user: str
    ts: int
    item: str
    type: str
    weight: float
    id: str
    stamp: int


class Kept(msgspec.Struct, array_like=True):
    """A message; `erased`: users who are forgotten, and the stamps up to which all goes."""

    version: int = 1
    lists: list[KeptList] = []
    events: list[KeptEvent] = []
    erased: dict[str, int] = {}


_pack = msgspec.msgpack.Encoder().encode
unpack = msgspec.msgpack.Decoder(Kept).decode
"""The message in bytes of `Collected.message`."""


class Collected:
    """Collects what one batch leaves; used by one subtask.

    Args:
        lists: whether lists are kept.
    """

    def __init__(self, lists: bool) -> None:
        self._wanted, self._stamp = lists, 0
        self._lists: dict[str, KeptList] = {}
        self._events: list[KeptEvent] = []
        self._erased: dict[str, int] = {}

    def written(self, updates: Sequence[ListUpdates]) -> None:
        """Take lists; those of users count."""
        for some in updates if self._wanted else ():
            if some.kind == USER:
                stamp = self._next(some.at_ms)
                for name, value in zip(some.names, some.json, strict=True):
                    self._lists[name] = KeptList(name, some.at_ms, value, stamp)

    def learned(self, batch: EventBatch, now_ms: int) -> None:
        """Take events."""
        stamp = self._next(now_ms)
        rows = zip(
            batch.users,
            batch.ts.tolist(),
            batch.items,
            batch.column("types"),
            batch.weights.tolist(),
            batch.ids,
            strict=True,
        )
        self._events += [
            KeptEvent(user, ts, item, str(kind), weight, event_id, stamp)
            for user, ts, item, kind, weight, event_id in rows
        ]

    def erased(self, users: Sequence[str], now_ms: int) -> None:
        """Take users who are to be forgotten."""
        stamp, gone = self._next(now_ms), set(users)
        self._erased |= dict.fromkeys(users, stamp)
        for user in gone:
            self._lists.pop(user, None)
        self._events = [event for event in self._events if event.user not in gone]

    def message(self) -> bytes | None:
        """What was collected since the last call; None: nothing."""
        if not (self._lists or self._events or self._erased):
            return None
        packed = _pack(Kept(1, list(self._lists.values()), self._events, self._erased))
        self._lists, self._events, self._erased = {}, [], {}
        return packed

    def _next(self, at_ms: int) -> int:
        self._stamp = max(self._stamp + 1, at_ms * 1000)
        return self._stamp
