"""What of a user's events counts for what everybody may read, where `privacy.epsilon` is set: the
first item that the user takes on a day, and nothing else.

In: events as they are learned, on a day of the wall clock. Out: messages for the item learners, of
+1 and −1 for items; a row for each user of the day, in the shard's state. The row is written with
the message, and Flink restores both or neither, so that the bound holds through failures.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from udfs.events.item_changes import item_shards
from udfs.events.messages import Message
from udfs.learning.effects import Emit
from udfs.state.forms import read_form
from udfs.state.handles import Rows

_VERSION = 1
_SHARD = ""
"""The key of the row that has the last day of the whole shard: no user has an empty id."""


class _Row(msgspec.Struct, array_like=True):
    """What counts of a user. day: the last on which anything did. item: which; "": nothing, and
    nothing more may."""

    version: int
    day: int
    item: str


_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(_Row)
_message: Message[tuple[int, dict[str, int]]] = Message(
    b"C", "what counts for what is published", tuple[int, dict[str, int]]
)
is_contributions, unpack_contributions = _message.holds, _message.unpack


def pack_contributions(day: int, changes: Mapping[str, int]) -> bytes:
    """What to add to the counts of items on a day, for their owner.

    >>> unpack_contributions(pack_contributions(20_000, {"a": 1}))
    (20000, {'a': 1})
    """
    return _message.pack((day, changes))


class Contributions:
    """See the module; `rows` are scoped to the current shard.

    Args:
        item_shards: how many item shards there are.
    """

    def __init__(self, rows: Rows, item_shards: int) -> None:
        self._rows, self._item_shards = rows, item_shards

    def count(self, pairs: Iterable[tuple[str, str]], day: int) -> Iterator[Emit]:
        """Count the first item of each user on a day. A clock that goes backwards brings no day
        again, for anybody: not all who counted on it are known any more.

        Args:
            pairs: users, and the items that they took and that may be published, in order.
        """
        first, added = dict[str, str](), dict[str, int]()
        for user, item in pairs:
            first.setdefault(user, item)
        if not first or (begun := self._day(_SHARD)) > day:
            return
        fresh = {user: item for user, item in first.items() if self._day(user) < day}
        for item in fresh.values():
            added[item] = added.get(item, 0) + 1
        written = {user: _packed(day, item) for user, item in fresh.items()}
        if begun < day:
            written[_SHARD] = _packed(day, "")
        if written:
            self._rows.put_all(written)
            yield from self._tell(day, added)

    def take_back(self, user: str, day: int) -> Iterator[Emit]:
        """Let nothing of a user count on a day that goes on, and forget the user. What counted on
        one that is over stays, for it may be published before the next checkpoint: after a failure,
        it would be published once more with another count and the same noise. Such a day does not
        come again here, even if the clock goes back: nobody would know that the user counted."""
        if (row := self._row(user)) is None:
            return
        self._rows.remove(user)
        if row.day < day and self._day(_SHARD) < day:
            self._rows.put_all({_SHARD: _packed(day, "")})
        if row.item and row.day >= day:
            yield from self._tell(row.day, {row.item: -1})

    def spend(self, user: str, day: int) -> None:
        """Let nothing more of a user count on a day: what was counted under another id may have
        been this user's."""
        if self._day(user) < day:
            self._rows.put_all({user: _packed(day, "")})

    def sweep(self, day: int) -> None:
        """Remove the rows of days before the last one."""
        old = [user for user, data in self._rows.items() if _unpacked(data).day < day - 1]
        for user in old:
            self._rows.remove(user)

    def _day(self, user: str) -> int:
        """The last day of a user, or of the shard; −1: none is known."""
        row = self._row(user)
        return -1 if row is None else row.day

    def _row(self, user: str) -> _Row | None:
        stored = self._rows.get(user)
        return None if stored is None else _unpacked(stored)

    def _tell(self, day: int, changes: Mapping[str, int]) -> Iterator[Emit]:
        by_shard: dict[int, dict[str, int]] = {}
        for shard, item in zip(item_shards(changes, self._item_shards), changes, strict=True):
            by_shard.setdefault(shard, {})[item] = changes[item]
        for shard, some in by_shard.items():
            yield Emit(shard, pack_contributions(day, some))


def _packed(day: int, item: str) -> bytes:
    return _encode(_Row(_VERSION, day, item))


def _unpacked(data: bytes) -> _Row:
    return read_form(_decoder, data, _VERSION, "what counts of a user")
