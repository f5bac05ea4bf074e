"""Restores lists that Redis has lost from Flink's state, a few at a time.

In: the marks in Redis, the log of a shard's users, and the users whose lists were written recently.
Out: the users whose lists are to be written in this second. A mark is the number of events the
shard had learned when it was set; all lists up to then are in Redis. If the mark is missing, Redis
was emptied; if it is older, Redis went back to older data in a restart or failover. Redis persists
and replicates in the order of the writes. In a Redis Cluster, the lowest of the nodes' marks
counts.
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
LOOK_MS = 1000  # how often the mark is checked and set
_RECENT = 60  # how many marks are kept with the users whose lists were written before them


class Refill:
    """The lists of one shard.

    Args:
        marks: of the shard. shard: its key. learned: the number of events in its state.
        idle: the log of its users, read from Flink's state: call `look` only while the shard is
            the current one.
        per_s: the maximum number of lists per call.
    """

    def __init__(
        self, marks: RedisMarks, shard: int, learned: int, idle: IdleUsers, per_s: int
    ) -> None:
        self._marks, self._shard, self._idle, self._per_s = marks, shard, idle, per_s
        # While lists are restored; the mark of another attempt does not tell how far this one is.
        self._begun = b"begun " + secrets.token_hex(8).encode()
        self._users: Iterator[str] | None = None
        self._mark, self._connections = learned, marks.connections
        # (mark, the previous one, users whose lists were written between them), oldest first.
        self._recent: deque[tuple[int, int, set[str]]] = deque(maxlen=_RECENT)
        self._since: set[str] = set()
        if per_s and not learned:
            marks.set(b"0")  # there is nothing to lose yet

    def wrote(self, users: Iterable[str]) -> None:
        """Record the users whose lists have been written."""
        self._since.update(users)

    def forget(self, users: Iterable[str]) -> None:
        """Do not restore the lists of these users: they are gone from Redis for good."""
        gone = set(users)
        for some in (self._since, *(names for _, _, names in self._recent)):
            some -= gone
        if self._users is not None:
            self._users = iter([name for name in self._users if name not in gone])

    def look(self, learned: int) -> tuple[bool, list[str]]:
        """Whether Redis was found empty just now, and the next users whose lists to write.

        Args:
            learned: how many events the shard has learned.
        """
        found = self._marks.read()
        if not found:
            return False, []  # Redis does not answer: try again at the next call
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
        """Which lists Redis has lost since the last call: "all", "some", or "" for none."""
        again, self._connections = self._connections, self._marks.connections
        if self._users is not None and all(mark == self._begun for mark in marks):
            return ""
        number = min(int(mark) if mark and mark.isdigit() else -1 for mark in marks)
        # The mark does not cover later writes; only a Redis that has restarted or been replaced can
        # have lost those.
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
        """Set the mark if it has changed or if `begun`: all lists of the first `learned` events are
        in Redis."""
        if begun or self._since or learned != self._mark:
            self._recent.append((learned, self._mark, self._since))
            self._mark, self._since = learned, set()
            self._marks.set(b"%d" % learned)
