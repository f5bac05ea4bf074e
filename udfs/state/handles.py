"""What the operators ask of Flink's keyed state, and a log of byte chunks with an expiry on top.

In: handles of Flink's `MapState`, scoped by Flink to the current key (a shard). Out: the
protocol that they fulfil, and `TimeLog`, on which deduplication and idle expiry stand.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

import msgspec

from udfs.errors import ServiceError


class Rows(Protocol):
    """A `MapState[str, bytes]` of the current shard."""

    def get(self, key: str) -> bytes | None:
        """The value of `key`, or None."""

    def put_all(self, dict_value: dict[str, bytes]) -> None:
        """Set each key to its value."""

    def remove(self, key: str) -> None:
        """Forget `key`."""

    def items(self) -> Iterable[tuple[str, bytes]]:
        """All pairs."""

    def is_empty(self) -> bool:
        """Whether there is no pair."""


class MemoryRows(dict[str, bytes]):
    """`Rows` in memory alone, for what must not reach Flink's state."""

    def put_all(self, dict_value: dict[str, bytes]) -> None:
        """Set each key to its value."""
        self.update(dict_value)

    def remove(self, key: str) -> None:
        """Forget `key`."""
        self.pop(key, None)

    def is_empty(self) -> bool:
        """Whether there is no pair."""
        return not self


class Cell(Protocol):
    """A `ValueState[bytes]` of the current shard."""

    def value(self) -> bytes | None:
        """The value, or None."""

    def update(self, value: bytes) -> None:
        """Set the value."""

    def clear(self) -> None:
        """Forget the value."""


class Log(Protocol):
    """A `ListState[bytes]` of the current shard."""

    def get(self) -> Iterable[bytes] | None:
        """The values in order; None or nothing where there are none."""

    def add(self, value: bytes) -> None:
        """Append a value."""

    def clear(self) -> None:
        """Forget all values."""


class Layout(msgspec.Struct, frozen=True, omit_defaults=True):
    """What must not change while a job keeps its state."""

    shards: int
    item_shards: int
    dimensions: int
    loss: str = "softmax"

    def check(self, cell: Cell, operator: str) -> None:
        """Compare with what the current shard was stored under; note it where nothing is stored.

        Raises:
            ServiceError: the state was written under another layout.
        """
        stored = cell.value()
        if stored is None:
            cell.update(msgspec.json.encode(self))
            return
        before = {"loss": "softmax"} | msgspec.json.decode(stored, type=dict[str, int | str])
        if sentence := self.refusal(before, f"the state of {operator}"):
            raise ServiceError(sentence)

    def refusal(self, before: Mapping[str, int | str], state: str) -> str:
        """Why a job of this layout cannot go on from `state`, of layout `before`; "" if it can.

        >>> Layout(1, 1, 16).refusal({"dimensions": "32"}, "/savepoints/7")
        '/savepoints/7 was written with model.dimensions = 32, but this job has 16: set \
model.dimensions = 32, or start without the old state.'
        """
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if str(before.get(name, value)) != str(value):
                section = "model" if name in ("dimensions", "loss") else "job"
                return refusal(state, f"{section}.{name}", before[name], value)
        return ""


def refusal(state: str, option: str, before: object, now: object) -> str:
    """The sentence that refuses to go on from `state`, which had another value of `option`."""
    return (
        f"{state} was written with {option} = {before}, but this job has {now}: set {option} = "
        f"{before}, or start without the old state."
    )


class TimeLog:
    """Byte chunks in the order of their time, in the rows of one shard.

    Chunks are grouped into buckets, each begun when the last has lived for an eighth of `span_ms`.
    A key is `<start of the bucket, ms>:<number>`; the index in memory is rebuilt from the keys.
    """

    def __init__(self, rows: Rows, span_ms: int) -> None:
        self._rows = rows
        self.span_ms = span_ms
        self.buckets: dict[int, int] = {}
        for start, number, _ in self.chunks():
            self.buckets[start] = max(self.buckets.get(start, 0), number + 1)
        self.buckets = dict(sorted(self.buckets.items()))

    @property
    def current(self) -> int:
        """The start of the newest bucket, ms; −1 when there is none."""
        return next(reversed(self.buckets), -1)

    def chunks(self) -> Iterator[tuple[int, int, bytes]]:
        """All chunks as (start of the bucket, number, bytes), in no order."""
        for key, chunk in list(self._rows.items()):
            start, number = key.split(":")
            yield int(start), int(number), chunk

    def begin(self, now_ms: int, *, full: bool = False) -> int:
        """The bucket for `now_ms`: the newest, or a new one if that is old or `full`."""
        current = self.current
        if current < 0 or now_ms - current >= self.span_ms // 8 or full:
            current = max(now_ms, current + 1)
            self.buckets[current] = 0
        return current

    def read(self, bucket: int) -> Iterator[bytes]:
        """The chunks of a bucket, the newest first; those dropped meanwhile are left out."""
        for number in reversed(range(self.buckets.get(bucket, 0))):
            chunk = self._rows.get(f"{bucket}:{number}")
            if chunk is not None:
                yield chunk

    def append(self, bucket: int, chunk: bytes) -> None:
        """Add a chunk to `bucket`, which `begin` returned."""
        number = self.buckets[bucket]
        self._rows.put_all({f"{bucket}:{number}": chunk})
        self.buckets[bucket] = number + 1

    def expired(self, now_ms: int) -> list[int]:
        """The buckets of which every chunk is older than the span."""
        lived = self.span_ms // 8
        return [start for start in self.buckets if now_ms - (start + lived) > self.span_ms]

    def drop(self, bucket: int) -> list[bytes]:
        """Remove a bucket and return its chunks in order."""
        keys = [f"{bucket}:{number}" for number in range(self.buckets.pop(bucket))]
        chunks = [chunk for key in keys if (chunk := self._rows.get(key)) is not None]
        for key in keys:
            self._rows.remove(key)
        return chunks
