"""How far the lists in Redis reach: a mark for each user shard, by which a loss of data shows.

In: a shard's mark. Out: `HSET` of the shard's field of the hash `filled`, and back. Each node of a
Redis Cluster has marks of its own, `filled{<n>}`.
"""

from __future__ import annotations

from udfs.stores.redis_writer import RedisWriter

MARKS = "filled"


class RedisMarks:
    """The marks of one shard, by a connection that others use too."""

    def __init__(self, redis: RedisWriter, prefix: str, shard: int) -> None:
        self._redis, self._key, self._shard = redis, f"{prefix}{MARKS}", str(shard)

    @property
    def connections(self) -> int:
        """How often the writer has connected: what was written before may be lost since."""
        return self._redis.connections

    def read(self) -> list[bytes | None]:
        """The mark on each node; nothing if Redis does not answer now."""
        return self._redis.try_to(*(("HGET", key, self._shard) for key in self._keys()))

    def set(self, mark: bytes) -> None:
        """Set the mark on each node, behind all that was written before; errors as of `send`."""
        self._redis.send([("HSET", key, self._shard, mark) for key in self._keys()])

    def _keys(self) -> list[str]:
        return [self._key + tag for tag in self._redis.tags]
