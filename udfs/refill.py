"""Lists that Redis has lost, written anew from Flink's state a few at a time.

In: Redis, and the log of a shard's users. Out: whose lists are to be written in this second. Redis
has a mark for each shard whose lists it holds, a field of the hash `filled`; where that is missing,
it was emptied, or is another Redis.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator
from itertools import islice

from udfs.idle import IdleUsers
from udfs.redis_writer import RedisWriter

log = logging.getLogger(__name__)
LOOK_MS = 1000  # how often the mark is looked for
_FULL = b"full"


def filled_key(prefix: str) -> str:
    """The hash of the marks: what a job that starts afresh deletes.

    >>> filled_key("shop:")
    'shop:filled'
    """
    return f"{prefix}filled"


class Refill:
    """The lists of one shard.

    Args:
        shard: its key, the field of the mark. idle: the log of its users, read from Flink's state:
            the methods are for when the shard is the current one.
        per_s: how many lists at most each time.
    """

    def __init__(
        self, writer: RedisWriter, prefix: str, shard: int, idle: IdleUsers, per_s: int
    ) -> None:
        self._writer, self._key, self._shard = writer, filled_key(prefix), str(shard)
        self._idle, self._per_s = idle, per_s
        # Another attempt's mark says nothing about how far this one has come.
        self._begun = secrets.token_hex(8).encode()
        self._users: Iterator[str] | None = None

    def look(self) -> tuple[bool, list[str]]:
        """Whether Redis was found without the lists just now, and the next whose to write."""
        found = self._writer.send([("HGET", self._key, self._shard)])[0]
        lost = found != _FULL and (self._users is None or found != self._begun)
        if lost:
            self._users = self._idle.names()
            self._mark(self._begun)
        elif self._users is None:
            return False, []
        assert self._users is not None
        names = list(islice(self._users, self._per_s))
        if lost and names:
            log.warning("Redis has not the lists of shard %s: they are written anew", self._shard)
        if len(names) < self._per_s:
            self._users = None
            self._mark(_FULL)
        return lost, names

    def _mark(self, mark: bytes) -> None:
        self._writer.send([("HSET", self._key, self._shard, mark)])
