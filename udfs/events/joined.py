"""What the operator `identity` tells the user learner of a person whose ids have changed.

In: the ids of a person, and what each of them did. Out: `Joined`, as bytes for the shard that holds
the person's row, and `NOTED`, the form of an event that can be learned again.

A person is one or more ids that are linked. Its row is kept under one of them, its place, and is
learned from the events of all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from udfs.events.batch import EventBatch, item_key
from udfs.events.messages import Message
from udfs.events.people import PersonChange

NOTED = np.dtype(
    [
        ("order", "<i8"),
        ("item", "<u8"),
        ("ts", "<i8"),
        ("weight", "<f4"),
        ("rating", "<f4"),
        ("flags", "u1"),
    ]
)
"""An event as it is remembered: its place in the order of arrival, the `item_key`, the time in ms,
the weight, the rating or NaN, and the flags of a batch."""


class Joined(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """A person, as of now.

    Attributes:
        place: the id that the row is kept under.
        ids: all of the person, `place` among them; none: the row has gone to another place.
        events: `NOTED`, what the ids did, in order of arrival; empty if the row has it already.
        moved: a byte for each of the events, 1 if the row has not learned it.
        gone: uint64, the `item_key`s of events that do not belong to the person any more.
        more: how many more events the person has than the row counts, may be negative.
        said: what the ids said of themselves. afresh: whether the record is to have nothing else.
    """

    place: str
    ids: list[str] = []
    events: bytes = b""
    moved: bytes = b""
    gone: bytes = b""
    more: int = 0
    said: list[PersonChange] = []
    afresh: bool = False


_message: Message[Joined] = Message(b"J", "what is told of a person", Joined)


def noted(batch: EventBatch, first: int, keys: Sequence[int]) -> NDArray[np.void]:
    """The n events of a batch as they are remembered, `NOTED`[n].

    Args:
        first: the place of the first one in the order of arrival. keys: the `item_key` of each.
    """
    n = len(batch)
    rows = np.zeros(n, NOTED)
    rows["order"] = np.arange(first, first + n)
    rows["item"] = np.array(keys, np.uint64)
    rows["ts"], rows["weight"], rows["flags"] = batch.ts, batch.weights, batch.flags
    rows["rating"] = batch.ratings
    return rows


def item_keys(items: Sequence[str], known: dict[str, int], most: int) -> list[int]:
    """The `item_key` of each item; those of at most `most` items are kept in `known`.

    >>> known = {}
    >>> item_keys(["1580", "1580"], known, 9) == [known["1580"]] * 2
    True
    """
    if len(known) > most:
        known.clear()
    for item in {*items} - known.keys() if None in map(known.get, items) else ():
        known[item] = item_key(item)
    return [*map(known.__getitem__, items)]


def pack_joined(joined: Joined) -> bytes:
    """The message as bytes, for the owner of the place."""
    return _message.pack(joined)


def is_joined(data: bytes) -> bool:
    """Whether this is a packed `Joined`.

    >>> is_joined(pack_joined(Joined(place="ann"))), is_joined(b"")
    (True, False)
    """
    return _message.holds(data)


def unpack_joined(data: bytes) -> Joined:
    """The message that `pack_joined` wrote; errors as of `Message.unpack`."""
    return _message.unpack(data)


def events_of(data: bytes) -> NDArray[Any]:
    """Packed events as `NOTED`[n]; a rest that is no whole event is left out."""
    return np.frombuffer(data, NOTED, len(data) // NOTED.itemsize)
