"""Items' metadata in Redis: what pages show, what may not be shown, and what user learners follow.

In: items as the item learners know them. Out: `item:<id>`, JSON for front ends; the set `hidden` of
items that no list may have now, with a notice on the channel of the same name when it changes; the
hash `feed:metadata:{<shard>}` of one entry for each item, and the stream `feed:metadata` of the
same entries as they change. With everything that is written goes a mark, which reveals a loss of
data (`udfs.stores.redis_marks`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from udfs.lists.keys import HIDDEN, METADATA
from udfs.stores import redis_streams
from udfs.stores.redis_marks import MarkedWrites
from udfs.stores.redis_writer import Command, RedisWriter

KEEP_MS = 60_000
"""How long the stream keeps an entry: who was away for half of that reads the hashes."""
_AT_ONCE = 256  # entries in one reply


def metadata_key(prefix: str, shard: int) -> str:
    """The hash of a shard.

    >>> metadata_key("shop:", 3)
    'shop:feed:metadata:{3}'
    """
    return f"{prefix}feed:metadata:{{{shard}}}"


def stream_key(prefix: str) -> str:
    """The stream of all shards."""
    return f"{prefix}feed:metadata"


def metadata_keys(prefix: str, item_shards: int) -> list[str]:
    """Every key that a job that starts without state deletes; `item:` keys stay."""
    hashes = [metadata_key(prefix, shard) for shard in range(item_shards)]
    return [stream_key(prefix), f"{prefix}{HIDDEN}", *hashes]


class Update(NamedTuple):
    """An item that has changed.

    Attributes:
        entry: for the user learners. page: JSON for front ends; b"": none any more.
        shown: whether lists may have it now.
    """

    item: str
    entry: bytes
    page: bytes
    shown: bool


class RedisMetadata:
    """Writes and reads it; the errors of each method are those of `RedisWriter.send`."""

    def __init__(self, redis: RedisWriter, prefix: str) -> None:
        self._redis, self._prefix = redis, prefix
        self._hidden = f"{prefix}{HIDDEN}"
        self._marked: dict[int, MarkedWrites] = {}

    def write(self, shard: int, updates: Sequence[Update], now_ms: int) -> None:
        """Set items to absolute values: first what may not be shown, then what is followed."""
        self.hide(shard, [(one.item, not one.shown) for one in updates])
        key, stream = metadata_key(self._prefix, shard), stream_key(self._prefix)
        oldest = f"{max(now_ms - KEEP_MS, 0)}-0"
        commands: list[Command] = []
        for one in updates:
            page = f"{self._prefix}{METADATA}{one.item}"
            commands.append(("SET", page, one.page) if one.page else ("DEL", page))
            commands.append(("HSET", key, one.item, one.entry))
            commands.append(("XADD", stream, "MINID", "~", oldest, "*", "e", one.entry))
        self._of(shard).send(commands)

    def remove(self, shard: int, items: Sequence[str]) -> None:
        """Forget items that are not known any more; user learners forget them by themselves."""
        self.hide(shard, [(item, False) for item in items])
        key = metadata_key(self._prefix, shard)
        pages: list[Command] = [("DEL", f"{self._prefix}{METADATA}{item}") for item in items]
        self._of(shard).send([*pages, *[("HDEL", key, item) for item in items]])

    def hide(self, shard: int, items: Sequence[tuple[str, bool]]) -> None:
        """Note which items may not be shown now, and tell those who follow the set if it has
        changed."""
        asked: list[Command] = [
            ("SADD" if hidden else "SREM", self._hidden, item) for item, hidden in items
        ]
        if any(self._of(shard).send(asked)):
            self._redis.send([("PUBLISH", self._hidden, "")])

    def mark(self, shard: int) -> None:
        """Mark what others have written because of these items, too: lists without them."""
        self._of(shard).send([])

    def lost(self, shard: int) -> bool:
        """Whether Redis has been found to lack something of what was written here of a shard since
        the last call, or does so now."""
        return self._of(shard).lost()

    def _of(self, shard: int) -> MarkedWrites:
        if shard not in self._marked:
            self._marked[shard] = MarkedWrites(self._redis, self._prefix, f"items-{shard}")
        return self._marked[shard]

    def load(self, shard: int) -> Iterator[list[bytes]]:
        """The entries of a shard, some at a time; some may come twice."""
        cursor: bytes | str = "0"
        while True:
            command = "HSCAN", metadata_key(self._prefix, shard), cursor, "COUNT", str(_AT_ONCE)
            cursor, found = self._redis.send([command])[0]
            if found:
                yield list(found[1::2])
            if int(cursor) == 0:
                return

    @property
    def answers(self) -> bool:
        """Whether Redis answers now."""
        return bool(self._redis.try_to(("TIME",)))

    def end(self) -> str:
        """A position in the stream from which `follow` yields all entries added from now on."""
        return redis_streams.end(self._redis)

    def follow(self, position: str) -> Iterator[tuple[str, bytes]]:
        """The entries of the stream after a position, each with its own, up to the end."""
        key = stream_key(self._prefix)
        for found, fields in redis_streams.entries(self._redis, key, position, _AT_ONCE):
            yield found, fields[1]
