"""How complete what is in Redis is: marks of each shard, which reveal a loss of data.

In: a shard's mark, or what is written with one. Out: `HSET` of the shard's field of the hash
`filled`, and back. Each node of a Redis Cluster has its own marks, `filled{<n>}`. A mark is missing
in a Redis that was emptied, and older in one that failed over to a replica which lagged.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from udfs.stores.redis_writer import Command, RedisWriter

MARKS = "filled"


class RedisMarks:
    """The marks of one shard, over a shared connection."""

    def __init__(self, redis: RedisWriter, prefix: str, shard: int | str) -> None:
        self._redis, self._head, self._field = redis, f"{prefix}{MARKS}", str(shard)

    @property
    def connections(self) -> int:
        """How often the writer has connected; a reconnection may mean that earlier writes were
        lost."""
        return self._redis.connections

    @property
    def keys(self) -> list[str]:
        """Where the mark is on each node."""
        return [self._head + tag for tag in self._redis.tags]

    def read(self) -> list[bytes | None]:
        """The mark on each node; empty if Redis does not answer now."""
        return self._redis.try_to(*self.asking(self.keys))

    def set(self, mark: bytes) -> None:
        """Set the mark on each node, after all earlier writes; errors as in `RedisWriter.send`."""
        self._redis.send(self.setting(self.keys, mark))

    def asking(self, keys: Sequence[str]) -> list[Command]:
        """The commands that read the mark."""
        return [("HGET", key, self._field) for key in keys]

    def setting(self, keys: Sequence[str], mark: bytes) -> list[Command]:
        """The commands that set it."""
        return [("HSET", key, self._field, mark) for key in keys]


class MarkedWrites:
    """Writes of one shard, each with a new mark behind it that shows that it is there."""

    def __init__(self, redis: RedisWriter, prefix: str, shard: str) -> None:
        self._redis, self._marks = redis, RedisMarks(redis, prefix, shard)
        self._keys: list[str] = []  # where the last mark is
        self._mark = b""
        self._lost = False

    def send(self, commands: Sequence[Command]) -> list[Any]:
        """Send commands with a mark behind them on each node, and see whether the one before is
        still there: the new one would hide that it is not. Errors as in `RedisWriter.send`."""
        before, keys, mark = self._keys, self._marks.keys, secrets.token_hex(8).encode()
        asked = self._marks.asking(before)
        replies = self._redis.send([*asked, *commands, *self._marks.setting(keys, mark)])
        # The new mark is there already if this was sent a second time.
        self._lost |= any(one not in (self._mark, mark) for one in replies[: len(asked)])
        self._keys, self._mark = keys, mark
        return replies[len(asked) : len(replies) - len(keys)]

    def lost(self) -> bool:
        """Whether Redis has been found to lack something of what was sent here since the last
        call, or does so now."""
        found, self._lost = self._lost, False
        asked = self._marks.asking(self._keys)
        now = self._redis.try_to(*asked) if asked else []
        return found or any(one != self._mark for one in now)
