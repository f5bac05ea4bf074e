"""How complete the lists in Redis are: a mark for each user shard, which reveals a loss of data.

In: a shard's mark. Out: `HSET` of the shard's field of the hash `filled`, and back. Each node of a
Redis Cluster has its own marks, `filled{<n>}`.
"""

from __future__ import annotations

from udfs.stores.redis_writer import RedisWriter

MARKS = "filled"


class RedisMarks:
    """The marks of one shard, over a shared connection."""

    def __init__(self, redis: RedisWriter, prefix: str, shard: int) -> None:
        self._redis, self._key, self._shard = redis, f"{prefix}{MARKS}", str(shard)

    @property
    def connections(self) -> int:
        """How often the writer has connected; a reconnection may mean that earlier writes were
        lost."""
        return self._redis.connections

    def read(self) -> list[bytes | None]:
        """The mark on each node; empty if Redis does not answer now."""
        return self._redis.try_to(*(("HGET", key, self._shard) for key in self._keys()))

    def set(self, mark: bytes) -> None:
        """Set the mark on each node, after all earlier writes; errors as in `RedisWriter.send`."""
        self._redis.send([("HSET", key, self._shard, mark) for key in self._keys()])

    def _keys(self) -> list[str]:
        return [self._key + tag for tag in self._redis.tags]
