"""Lists that Redis has lost, written again from Flink's state a few at a time.

In: the marks in Redis, the log of a shard's users, and whose lists were written of late. Out: whose
lists are to be written in this second. A mark says how many events the shard had learned when it
was set, so that all lists of that time are there. Where the mark is missing, Redis was emptied;
where it is an older one, Redis has gone back to older data, by a restart or a failover. What it
persists or replicates is always in the order of the writes. Of the marks on the nodes of a Redis
Cluster the least counts.
"""

from __future__ import annotations

import logging
import secrets
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice

from udfs.learning.idle_users import IdleUsers
from udfs.stores.redis_marks import RedisMarks

log = logging.getLogger(__name__)
LOOK_MS = 1000  # how often the mark is looked at, and set
_RECENT = 60  # marks of which is known whose lists were written before them


class Refill:
    """The lists of one shard.

    Args:
        marks: of the shard. shard: its key. learned: events of its state.
        idle: the log of its users, read from Flink's state: `look` is for when the shard is the
            current one.
        per_s: how many lists at most each time.
    """

    def __init__(
        self, marks: RedisMarks, shard: int, learned: int, idle: IdleUsers, per_s: int
    ) -> None:
        self._marks, self._shard, self._idle, self._per_s = marks, shard, idle, per_s
        # While lists are written again; another attempt's says nothing about how far this one is.
        self._begun = b"begun " + secrets.token_hex(8).encode()
        self._users: Iterator[str] | None = None
        self._mark, self._connections = learned, marks.connections
        # (mark, the one before it, whose lists were written between them), the oldest first.
        self._recent: deque[tuple[int, int, set[str]]] = deque(maxlen=_RECENT)
        self._since: set[str] = set()
        if per_s and not learned:
            marks.set(b"0")  # there is nothing yet that could be lost

    def wrote(self, users: Iterable[str]) -> None:
        """Note whose lists have been written."""
        self._since.update(users)

    def look(self, learned: int) -> tuple[bool, list[str]]:
        """Whether Redis was found without any lists just now, and the next whose to write.

        Args:
            learned: how many events the shard has learned.
        """
        found = self._marks.read()
        if not found:
            return False, []  # Redis is away: the next look will tell
        begins = self._lost(found)
        if begins:
            self._marks.set(self._begun)
        if self._users is None:
            self._note(learned)
            return False, []
        names = list(islice(self._users, self._per_s))
        if len(names) < self._per_s:
            self._users = None
            self._note(learned, begun=True)
        return begins == "all", names

    def _lost(self, marks: list[bytes | None]) -> str:
        """Whether Redis has gone back since the last look: "all" lists are lost, "some", or ""."""
        again, self._connections = self._connections, self._marks.connections
        if self._users is not None and all(mark == self._begun for mark in marks):
            return ""
        number = min(int(mark) if mark and mark.isdigit() else -1 for mark in marks)
        # The mark says nothing of what was written after it; only a Redis that has started again,
        # or is another, can have lost that.
        if self._users is None and number >= self._mark and again == self._connections:
            return ""
        first = self._recent[0][1] if self._recent else self._mark
        if self._users is None and number >= first:
            later = [users for mark, _, users in self._recent if mark > number]
            names = self._since.union(*later)
            self._users = iter(names)
            if names:
                log.info("Redis may lack %d lists of shard %s", len(names), self._shard)
            return "some"
        self._users = self._idle.names()
        log.warning("Redis lacks the lists of shard %s: all are written again", self._shard)
        return "all"

    def _note(self, learned: int, begun: bool = False) -> None:
        """Set the mark, if it has changed or says begun: all lists of so many events are
        there."""
        if begun or self._since or learned != self._mark:
            self._recent.append((learned, self._mark, self._since))
            self._mark, self._since = learned, set()
            self._marks.set(b"%d" % learned)
