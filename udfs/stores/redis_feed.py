"""The item feed in Redis: a log of changes, and one snapshot for each item shard.

In: packed entries (see `udfs.feed.entries`). Out: the same. The log is the Redis stream `feed:log`,
trimmed by age. A snapshot is two hashes of chunks, `feed:items:{<shard>}` and
`feed:pairs:{<shard>}`, of which only those are written that have changed; the shared parameters in
`feed:snapshot:{<shard>}`; and its origin in `feed:epoch:{<shard>}`. If counts have noise, that of a
shard are in `feed:noised:{<shard>}`. The braces keep these keys on
one node of a Redis Cluster, so that they are written in order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from udfs.stores import redis_streams
from udfs.stores.redis_writer import Command, RedisWriter

_AT_ONCE = 64  # entries of the log in one reply
_BESIDES = "rows-besides-"
ITEMS, PAIRS = "items", "pairs"
"""The kinds of chunks of a snapshot: fields of a hash each."""
NOISED = "noised"
"""The kind of what `udfs.models.popular.noised` packs."""
BEGUN = b":begun"
"""How the origin of a snapshot ends while all its items are being written anew."""


def log_key(prefix: str) -> str:
    """The key of the log."""
    return f"{prefix}feed:log"


def feed_key(prefix: str, kind: str, shard: int) -> str:
    """The key of a shard's "snapshot", "items", "pairs", "epoch" or "noised"; in a Redis Cluster
    they are on one node.

    >>> feed_key("shop:", "pairs", 3)
    'shop:feed:pairs:{3}'
    """
    return f"{prefix}feed:{kind}:{{{shard}}}"


def feed_keys(prefix: str, item_shards: int) -> list[str]:
    """Every key of the feed, which a job that starts without state deletes."""
    shards = range(item_shards)
    kinds = "snapshot", ITEMS, PAIRS, "epoch", NOISED
    return [log_key(prefix), *(feed_key(prefix, kind, n) for kind in kinds for n in shards)]


class Logged(NamedTuple):
    """An entry of the log, with its position and the only user learner that does not need it; −1 if
    all do."""

    position: str
    entry: bytes
    besides: int


def besides(field: bytes) -> int:
    """Who does not need the entry in `field`.

    >>> besides(b"rows"), besides(b"rows-besides-12")
    (-1, 12)
    """
    rest = field.removeprefix(_BESIDES.encode())
    return int(rest) if rest != field and rest.isdigit() else -1


class RedisFeed:
    """Writes and reads the feed; the errors of each method are those of `RedisWriter.send`."""

    def __init__(self, redis: RedisWriter, prefix: str) -> None:
        self._redis, self._prefix = redis, prefix

    def append(self, entry: bytes, oldest_ms: int, besides: int = -1) -> None:
        """Add an entry to the log, and drop most or all entries before `oldest_ms`.

        Args:
            besides: the only user learner that does not need it; negative: all do.
        """
        oldest, field = f"{max(oldest_ms, 0)}-0", "rows" if besides < 0 else f"{_BESIDES}{besides}"
        self._redis.send([("XADD", log_key(self._prefix), "MINID", "~", oldest, "*", field, entry)])

    def begin(self, shard: int, kinds: Sequence[str], origin: str) -> None:
        """Begin a snapshot: drop all chunks of some kinds, and if any, say who writes it."""
        if kinds:
            drop: Command = ("DEL", *(self._key(kind, shard) for kind in kinds))
            self._redis.send([drop, ("SET", self._key("epoch", shard), origin)])

    def put(self, shard: int, kind: str, number: int, entry: bytes) -> None:
        """Replace one chunk of a snapshot."""
        self._redis.send([("HSET", self._key(kind, shard), str(number), entry)])

    def finish(self, shard: int, entry: bytes, origin: str) -> None:
        """End a snapshot: set what is not in chunks, and its origin last."""
        self._redis.send(
            [
                ("SET", self._key("snapshot", shard), entry),
                ("SET", self._key("epoch", shard), origin),
            ]
        )

    def lost(self, shard: int, origin: str) -> bool:
        """Whether Redis answers and its snapshot of the shard is not of this origin."""
        found = self._redis.try_to(("GET", self._key("epoch", shard)))
        return bool(found) and found != [origin.encode()]

    def put_noised(self, shard: int, sums: bytes) -> None:
        """Set the sums of noisy counts of a shard."""
        self._redis.send([("SET", self._key(NOISED, shard), sums)])

    def noised(self, shards: Sequence[int]) -> list[bytes | None]:
        """The sums of noisy counts of shards; None where there are none."""
        return self._redis.send([("GET", self._key(NOISED, shard)) for shard in shards])

    def end(self) -> str:
        """A position in the log from which `follow` yields all entries added from now on."""
        return redis_streams.end(self._redis)

    def origins(self, shards: Sequence[int]) -> list[bytes | None]:
        """The origin of each shard's snapshot; None if there is none."""
        return self._redis.send([("GET", self._key("epoch", shard)) for shard in shards])

    def snapshot(self, shard: int) -> tuple[bytes | None, bytes | None]:
        """The origin of a shard's snapshot, and what of it is not in chunks."""
        keys = [self._key(kind, shard) for kind in ("epoch", "snapshot")]
        origin, entry = self._redis.send([("MGET", *keys)])[0]
        return origin, entry

    def chunks(self, shard: int) -> Iterator[bytes]:
        """The chunks of a snapshot, items first, one by one: together they may be too large for
        one reply."""
        for kind in (ITEMS, PAIRS):
            key = self._key(kind, shard)
            for chunk in self._redis.send([("HKEYS", key)])[0]:
                if entry := self._redis.send([("HGET", key, chunk)])[0]:
                    yield entry

    def follow(self, position: str) -> Iterator[Logged]:
        """The entries of the log after a position, up to the end."""
        log = log_key(self._prefix)
        for found, fields in redis_streams.entries(self._redis, log, position, _AT_ONCE):
            yield Logged(found, fields[1], besides(fields[0]))

    def _key(self, kind: str, shard: int) -> str:
        return feed_key(self._prefix, kind, shard)
