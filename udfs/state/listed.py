"""The last lists of a user as they stand in Flink's state, with what became of each item.

In: lists as served; bytes. Out: `Listed`, and the versioned bytes of all that are kept of one user.
"""

from __future__ import annotations

import msgspec

from udfs.errors import ServiceError
from udfs.state.forms import read_form

VIEWED, CONVERTED, PAID = 1, 2, 4
"""Bits of a mark: the item was seen; it was put into the cart or bought; what it was worth has been
counted."""
_VERSION = 1


class Listed(msgspec.Struct, array_like=True):
    """A list of N items, best first.

    Attributes:
        at, number: of its id, see `udfs.lists.contract.list_id`.
        keys: uint64[N], the items by `item_key`. models: int8[N], positions in `SOURCES`.
        chances: float32[N], as in `Served.explored`; empty: nothing was explored.
        marks: uint8[N]. clicked: when each item was clicked first, event time in ms, by place
            from 0.
        teams: int8[N], as in `Served.teams`; empty: two orders were not interleaved.
    """

    at: int
    number: int
    keys: bytes
    models: bytes
    chances: bytes
    marks: bytes
    clicked: dict[int, int] = {}
    teams: bytes = b""

    @property
    def seen(self) -> bool:
        """Whether anything is known to have become of it."""
        return any(self.marks)

    def explored(self, place: int) -> bool:
        """Whether what stands at a place from 0 was drawn to become known."""
        return any(self.chances[4 * place : 4 * place + 4])

    def team(self, place: int) -> int:
        """Who put there what stands at a place from 0, see `udfs.ranking.interleaving`."""
        return self.teams[place] if self.teams else 0

    def find(self, key: bytes) -> int:
        """The place from 0 of an item, by the 8 bytes of its key; −1: it is not there."""
        at = self.keys.find(key)
        while at % 8 and at >= 0:
            at = self.keys.find(key, at + 1)
        return at // 8 if at >= 0 else -1

    def mark(self, place: int, bit: int) -> bool:
        """Set a bit of a mark; returns whether it was not set before."""
        if self.marks[place] & bit:
            return False
        marks = bytearray(self.marks)
        marks[place] |= bit
        self.marks = bytes(marks)
        return True


class _Row(msgspec.Struct, array_like=True):
    version: int
    lists: list[Listed]


_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(_Row)


def pack_listed(lists: list[Listed]) -> bytes:
    """What is kept of a user, oldest first."""
    return _encode(_Row(_VERSION, lists))


def unpack_listed(data: bytes | None) -> list[Listed]:
    """The lists that `pack_listed` wrote; none of None.

    Raises:
        ServiceError: they have another form, or are damaged.
    """
    if data is None:
        return []
    lists = read_form(_decoder, data, _VERSION, "what a user was served").lists
    for one in lists:
        n = len(one.marks)
        whole = len(one.keys) == 8 * n and len(one.models) == n
        if not whole or len(one.chances) not in (0, 4 * n) or len(one.teams) not in (0, n):
            raise ServiceError(
                "what a user was served is damaged: its parts have different lengths. Restore an "
                "earlier checkpoint."
            )
    return lists
