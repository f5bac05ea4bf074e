"""Items' metadata in memory instead of Redis."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from udfs.feed.metadata_reader import MetadataReader
from udfs.stores.redis_metadata import Update


class MemoryMetadata:
    """A `RedisMetadata` in memory.

    Attributes:
        pages, hidden: what front ends read. hashes: by shard. stream: all entries so far.
        emptied: whether it is to be found empty. marks: how often lists were marked.
    """

    def __init__(self) -> None:
        self.pages: dict[str, bytes] = {}
        self.hidden: set[str] = set()
        self.hashes: dict[int, dict[str, bytes]] = {}
        self.stream: list[bytes] = []
        self.emptied, self.marks = False, 0

    def write(self, shard: int, updates: Sequence[Update], now_ms: int) -> None:
        self.hide(shard, [(one.item, not one.shown) for one in updates])
        entries = self.hashes.setdefault(shard, {})
        for one in updates:
            self.pages[one.item] = one.page
            entries[one.item] = one.entry
            self.stream.append(one.entry)

    def remove(self, shard: int, items: Sequence[str]) -> None:
        for item in items:
            del self.pages[item], self.hashes[shard][item]
            self.hidden.discard(item)

    def hide(self, shard: int, items: Sequence[tuple[str, bool]]) -> None:
        for item, hidden in items:
            (self.hidden.add if hidden else self.hidden.discard)(item)

    def mark(self, shard: int) -> None:
        self.marks += 1

    def lost(self, shard: int) -> bool:
        return self.emptied

    answers = True

    def load(self, shard: int) -> Iterator[list[bytes]]:
        yield [*self.hashes.get(shard, {}).values()]

    def end(self) -> str:
        return str(len(self.stream))

    def follow(self, position: str) -> Iterator[tuple[str, bytes]]:
        for at in range(int(position.split("-")[0]), len(self.stream)):
            yield str(at + 1), self.stream[at]


class NoLists:
    """A `ListSweep` that finds nothing; `swept` are the items that it was asked to take out."""

    def __init__(self) -> None:
        self.swept: list[set[str]] = []

    def sweep(self, items: Collection[str]) -> Iterator[int]:
        self.swept.append(set(items))
        yield 0


def reader(redis: Any = None, shards: int = 1) -> MetadataReader:
    """A reader of metadata in memory; of none by default."""
    return MetadataReader(redis or MemoryMetadata(), shards)
