"""What the operator `identity` keeps of an id: its links, its events, and where its row is.

In: what an id does and what is said of it. Out: the record as versioned bytes, in Flink's state by
id, with the events that do not fill a page yet; full pages are rows of their own.
"""

from __future__ import annotations

import msgspec

from udfs.errors import ServiceError
from udfs.events.joined import NOTED
from udfs.state.item_records import Record

VERSION = 1
PAGE = 32
"""Events on a page: one page is one row of state."""
PAGE_BYTES = PAGE * NOTED.itemsize
NEVER = -(2**62)
"""The time of what has not happened, ms."""


class IdRecord(msgspec.Struct, array_like=True, kw_only=True):
    """An id of a person.

    Attributes:
        place: the id that the person's row is kept under; "": this one.
        ids: all ids of the person, if this is its place and there are several.
        links: other id → ms, the newest time at which the two were said to be linked.
        parted: ms, as of when it was last said to be a person of its own: older links are void.
        refused: ms, as of when it was forgotten: older events are not taken.
        count: how many events it has.
        first, full: the pages `first` to `full` − 1 are in the state. page: `NOTED` events.
        seen: the wall clock of its last event or link, ms.
        marks: where it stands in the log of the ids that were seen: (bucket, number).
        said: what it said of itself. silent: whether the person wants nothing to be learned.
        since: ms, as of when that was last said: no older events are remembered.
    """

    version: int = VERSION
    place: str = ""
    ids: list[str] = []
    links: dict[str, int] = {}
    parted: int = NEVER
    refused: int = NEVER
    count: int = 0
    first: int = 0
    full: int = 0
    page: bytes = b""
    seen: int = 0
    marks: list[tuple[int, int]] = []
    said: Record = {}
    silent: bool = False
    since: int = NEVER

    def hears(self, ts: int) -> bool:
        """Whether what the id says of itself, as of a time in ms, may be remembered."""
        return not self.silent and ts > self.since


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(IdRecord).decode


def pack_id(record: IdRecord) -> bytes:
    """The record as bytes."""
    return _encode(record)


def unpack_id(data: bytes) -> IdRecord:
    """The record that `pack_id` wrote.

    Raises:
        ServiceError: it has another version, or is damaged.

    >>> unpack_id(pack_id(IdRecord(count=3))).count
    3
    """
    try:
        record = _decode(data)
    except msgspec.MsgspecError as error:
        raise ServiceError(
            f"what is stored of an id is damaged: {error}. Restore an earlier checkpoint."
        ) from error
    if record.version != VERSION:
        raise ServiceError(
            f"what is stored of an id has form {record.version}, this millirec reads form "
            f"{VERSION}: restore with the release that wrote it."
        )
    return record
