"""A log of byte chunks with an expiry, on which deduplication and idle expiry are built.

In: the rows of a shard and times. Out: chunks by bucket.
"""

from __future__ import annotations

from collections.abc import Iterator

from udfs.state.handles import Rows


class TimeLog:
    """Byte chunks in the order of their time, in the rows of one shard.

    Chunks are grouped into buckets, each started when the previous one is as old as an eighth of
    `span_ms`. A key is `<start of the bucket, ms>:<number>`; the index in memory is rebuilt from
    the keys.
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
        """The start of the newest bucket, ms; −1 if there is none."""
        return next(reversed(self.buckets), -1)

    def chunks(self) -> Iterator[tuple[int, int, bytes]]:
        """All chunks as (start of the bucket, number, bytes), in no particular order."""
        for key, chunk in list(self._rows.items()):
            start, number = key.split(":")
            yield int(start), int(number), chunk

    def begin(self, now_ms: int, *, full: bool = False) -> int:
        """The bucket for `now_ms`: the newest, or a new one if the newest is too old or `full`."""
        current = self.current
        if current < 0 or now_ms - current >= self.span_ms // 8 or full:
            current = max(now_ms, current + 1)
            self.buckets[current] = 0
        return current

    def read(self, bucket: int) -> Iterator[bytes]:
        """The chunks of a bucket, the newest first; chunks dropped meanwhile are skipped."""
        for number in reversed(range(self.buckets.get(bucket, 0))):
            chunk = self._rows.get(f"{bucket}:{number}")
            if chunk is not None:
                yield chunk

    def append(self, bucket: int, chunk: bytes) -> None:
        """Add a chunk to `bucket`, which `begin` returned."""
        number = self.buckets[bucket]
        self._rows.put_all({f"{bucket}:{number}": chunk})
        self.buckets[bucket] = number + 1

    def replace(self, bucket: int, number: int, chunk: bytes) -> None:
        """Set a chunk that is there."""
        self._rows.put_all({f"{bucket}:{number}": chunk})

    def expired(self, now_ms: int) -> list[int]:
        """The buckets in which every chunk is older than the span."""
        limit = now_ms - self.span_ms // 8 - self.span_ms
        if next(iter(self.buckets), limit) >= limit:  # the oldest is the first
            return []
        return [start for start in self.buckets if start < limit]

    def drop(self, bucket: int) -> list[bytes]:
        """Remove a bucket and return its chunks in order."""
        keys = [f"{bucket}:{number}" for number in range(self.buckets.pop(bucket))]
        chunks = [chunk for key in keys if (chunk := self._rows.get(key)) is not None]
        for key in keys:
            self._rows.remove(key)
        return chunks
