"""Which texts and images are to be encoded, by what is known of the items and what changes.

In: changes of items, in order. Out: what then waits for the encoders, in Flink's state, and changes
that take vectors away whose texts or images are gone. What was encoded is known by its digest, so
that an event that repeats a title costs nothing, also after a restart.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from udfs.encoders.encoders import FIELD, Which, digest
from udfs.events.item_changes import ItemChange
from udfs.state.handles import Rows
from udfs.state.item_records import Record, deleted_at, merged, pack_record, unpack_record

_SOURCES: dict[Which, tuple[str, ...]] = {"text": ("title", "text"), "image": ("image",)}
_KEPT = ("title", "text", "image", "deleted")
WATCHED = {*_KEPT, *FIELD.values()}
"""The fields that matter here; changes of others are passed on, and nothing else."""

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(tuple[int, str]).decode


class EncodeHandles(NamedTuple):
    """The encoder's state, scoped by Flink to the current shard.

    Attributes:
        known: item → its record of `title`, `text` and `image`, of the image only a digest, and in
            place of the vectors the digests of what they are made of.
        waiting: "text:<item>" or "image:<item>" → what `waits` unpacks.
    """

    known: Rows
    waiting: Rows


def waits(data: bytes) -> tuple[int, str]:
    """The time in ms and the content of a row of `EncodeHandles.waiting`."""
    found: tuple[int, str] = _unpack(data)
    return found


class Plan:
    """See the module; `note` each change, then `store`.

    Attributes:
        gone: changes that take vectors away. queued: how many more wait than before.
    """

    def __init__(self, state: EncodeHandles, kinds: tuple[Which, ...]) -> None:
        self._state, self._kinds = state, kinds
        self._known: dict[str, bytes] = {}
        self._waiting: dict[str, bytes] = {}
        self.gone: list[ItemChange] = []
        self.queued = 0

    def note(self, change: ItemChange) -> None:
        """Find out what a change means for an item's vectors."""
        if not change.fields.keys() & WATCHED:
            return
        data = self._known.get(change.item) or self._state.known.get(change.item)
        before = unpack_record(data, f"the metadata of item {change.item!r}")
        fields = {name: change.fields[name] for name in _KEPT if name in change.fields}
        if fields.get("image"):
            fields["image"] = _mark("image", fields["image"])
        record = merged(before, change.ts, fields)
        if deleted_at(record) is not None and len(record) == 1:
            self._forget(change.item)
            return
        for which in self._kinds:
            self._note(which, record, change)
        self._known[change.item] = pack_record(record)

    def _note(self, which: Which, record: Record, change: ItemChange) -> None:
        name, row = FIELD[which], f"{which}:{change.item}"
        parts = [record.get(source, (0, None)) for source in _SOURCES[which]]
        content = ". ".join(value for _, value in parts if value)
        mark = _mark(which, content) if content else None
        if record.get(name, (0, None))[1] == mark:
            return
        ts = max(since for since, _ in parts)
        if mark is None:
            self.gone.append(ItemChange(change.item, ts, {name: None}))
        elif name not in change.fields:  # else it comes with the item
            if which == "image":
                named = change.fields.get("image")
                if not named or _mark("image", named) != content:
                    return  # its vector failed before or is gone, and it is not named again
                content = named
            record[name] = ts, mark
            self._wait(row, _pack((ts, content)))
            return
        record[name] = ts, mark
        self._drop(row)

    def _forget(self, item: str) -> None:
        """An item that is gone needs no room; what comes late of it does no harm."""
        self._known.pop(item, None)
        self._state.known.remove(item)
        for which in self._kinds:
            self._drop(f"{which}:{item}")

    def _wait(self, row: str, data: bytes) -> None:
        if row not in self._waiting and self._state.waiting.get(row) is None:
            self.queued += 1
        self._waiting[row] = data

    def _drop(self, row: str) -> None:
        known = self._state.waiting.get(row) is not None
        if self._waiting.pop(row, None) is not None or known:
            self.queued -= 1
        if known:
            self._state.waiting.remove(row)

    def store(self) -> bool:
        """Write what was found to the state; returns whether anything is to be encoded."""
        self._state.known.put_all(self._known)
        self._state.waiting.put_all(self._waiting)
        return bool(self._waiting)


def failed(state: EncodeHandles, which: Which, item: str) -> None:
    """Let the same text or image be tried again when it is named again."""
    data = state.known.get(item)
    if data is not None:
        record = unpack_record(data, f"the metadata of item {item!r}")
        record.pop(FIELD[which], None)
        state.known.put_all({item: pack_record(record)})


def _mark(which: Which, content: str) -> str:
    return digest(which, content.encode(errors="replace")).hex()
