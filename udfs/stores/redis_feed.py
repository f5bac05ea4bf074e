"""The item feed in Redis: a log of changes, and one snapshot for each item shard.

In: packed entries (see `udfs.feed.entries`). Out: the same. The log is the Redis stream `feed:log`,
trimmed by age. A snapshot is `feed:snapshot:{<shard>}`, with its origin in `feed:epoch:{<shard>}`
and, in chunks, the pairs in the hash `feed:pairs:{<shard>}`, because they are many times larger and
most of them do not change. The braces keep these keys on one node of a Redis Cluster, so that
they are written in order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from udfs.stores.redis_writer import Command, RedisWriter

_AT_ONCE = 64  # entries of the log in one reply


def log_key(prefix: str) -> str:
    """The key of the log."""
    return f"{prefix}feed:log"


def feed_key(prefix: str, kind: str, shard: int) -> str:
    """The key of a shard's "snapshot", "pairs" or "epoch"; in a Redis Cluster all are on one node.

    >>> feed_key("shop:", "pairs", 3)
    'shop:feed:pairs:{3}'
    """
    return f"{prefix}feed:{kind}:{{{shard}}}"


def feed_keys(prefix: str, item_shards: int) -> list[str]:
    """Every key of the feed, which a job that starts without state deletes."""
    shards = range(item_shards)
    kinds = [feed_key(prefix, kind, n) for kind in ("snapshot", "pairs", "epoch") for n in shards]
    return [log_key(prefix), *kinds]


class Snapshot(NamedTuple):
    """A new snapshot of a shard.

    Attributes:
        entry: its items. pairs: chunks by number: the changed ones, or all if `whole`.
        origin: the writer that made it.
    """

    entry: bytes
    pairs: Mapping[int, bytes]
    whole: bool
    origin: str


class RedisFeed:
    """Writes and reads the feed; the errors of each method are those of `RedisWriter.send`."""

    def __init__(self, redis: RedisWriter, prefix: str) -> None:
        self._redis, self._prefix = redis, prefix

    def append(self, entry: bytes, oldest_ms: int) -> None:
        """Add an entry to the log, and drop most or all entries before `oldest_ms`."""
        oldest = f"{max(oldest_ms, 0)}-0"
        self._redis.send(
            [("XADD", log_key(self._prefix), "MINID", "~", oldest, "*", "rows", entry)]
        )

    def replace(self, shard: int, snapshot: Snapshot) -> None:
        """Replace a shard's snapshot, its origin last."""
        pairs = self._key("pairs", shard)
        commands: list[Command] = [("DEL", pairs)] if snapshot.whole else []
        commands += [("HSET", pairs, str(n), chunk) for n, chunk in snapshot.pairs.items()]
        commands.append(("SET", self._key("snapshot", shard), snapshot.entry))
        commands.append(("SET", self._key("epoch", shard), snapshot.origin))
        self._redis.send(commands)

    def lost(self, shard: int) -> bool:
        """Whether Redis answers and has no snapshot of the shard."""
        return self._redis.try_to(("EXISTS", self._key("epoch", shard))) == [0]

    def end(self) -> str:
        """A position in the log from which `follow` yields all entries added from now on."""
        now = self._redis.send([("TIME",)])[0]
        # A little earlier than now: an entry read twice is harmless, one missed is not.
        return f"{int(now[0]) * 1000 - 1000}-0"

    def origins(self, shards: Sequence[int]) -> list[bytes | None]:
        """The origin of each shard's snapshot; None if there is none."""
        return self._redis.send([("GET", self._key("epoch", shard)) for shard in shards])

    def snapshot(self, shard: int) -> tuple[bytes | None, bytes | None]:
        """The origin of a shard's snapshot, and its items."""
        keys = [self._key(kind, shard) for kind in ("epoch", "snapshot")]
        origin, entry = self._redis.send([("MGET", *keys)])[0]
        return origin, entry

    def pairs(self, shard: int) -> Iterator[bytes]:
        """The chunks of a snapshot, one by one: together they may be too large for one reply."""
        key = self._key("pairs", shard)
        for chunk in self._redis.send([("HKEYS", key)])[0]:
            if entry := self._redis.send([("HGET", key, chunk)])[0]:
                yield entry

    def follow(self, position: str) -> Iterator[tuple[str, bytes]]:
        """The entries of the log after a position, each with its own position, up to the end."""
        while True:
            command: Command = (
                *("XREAD", "COUNT", str(_AT_ONCE)),
                *("STREAMS", log_key(self._prefix), position),
            )
            reply = self._redis.send([command])[0]
            entries = reply[0][1] if reply else []
            for found, fields in entries:
                position = found.decode()
                yield position, fields[1]
            if len(entries) < _AT_ONCE:
                return

    def _key(self, kind: str, shard: int) -> str:
        return feed_key(self._prefix, kind, shard)
