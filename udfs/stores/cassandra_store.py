"""Writes lists and histories to Cassandra, and waits for a Cassandra that is away or slow.

In: `Kept` messages. Out: rows, all of them there when `write` returns. A write carries its stamp:
writing it again changes nothing, and an older list never replaces a newer one.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

from udfs.options.cassandra import Cassandra
from udfs.stores import cassandra_schema as cql
from udfs.stores.cassandra_connection import address, passing, prepared, refusal, session, words
from udfs.stores.cassandra_message import Kept

log = logging.getLogger(__name__)
_DAY_S = 86_400
_LONGEST_PAUSE_S = 2.0
Statement = tuple[str, tuple[Any, ...]]
"""CQL with question marks, and their values."""


class CassandraStore:
    """Used by one thread.

    Args:
        connect: makes a session. sleep, clock: seconds; replaced in tests.
    """

    def __init__(
        self,
        options: Cassandra,
        connect: Callable[[Cassandra], Any] = session,
        sleep: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._options, self._connect, self._sleep, self._clock = options, connect, sleep, clock
        self._session: Any = None
        self._prepared: dict[str, Any] = {}
        self._away = False
        self.retries = 0

    def start(self) -> None:
        """Connect, so that what is wrong with the configuration is said before the first list; a
        Cassandra that is away is waited for later.

        Raises:
            ServiceError: as `write`.
        """
        self._sent([])

    def write(self, kept: Kept) -> int:
        """Write all of a message, however long it takes; returns how many rows were written.

        Raises:
            ServiceError: Cassandra refuses it, and trying again does not help.
        """
        due = list(self.statements(kept))
        left, pause = due, 0.05
        while left := self._sent(left):
            self.retries += len(left)
            self._sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_S)
        return len(due)

    def statements(self, kept: Kept) -> Iterator[Statement]:
        """What is to be written; events that are older than they are kept are left out."""
        options, now_s = self._options, self._clock()
        live_s = int(options.lists_days * _DAY_S)
        for one in kept.lists:
            yield cql.INSERT_LIST, (one.user, one.at_ms, one.json.decode(), one.stamp, live_s)
        keep_s = options.history_days * _DAY_S - now_s
        for event in kept.events:
            left_s = min(int(event.ts / 1000 + keep_s), int(options.history_days * _DAY_S))
            if left_s > 0:
                row = event.user, event.ts, event.item, event.type, event.weight, event.id
                yield cql.INSERT_EVENT, (*row, event.stamp, left_s)
        for user, stamp in kept.erased.items():
            yield cql.DELETE_LIST, (stamp, user)
            yield cql.DELETE_HISTORY, (stamp, user)

    def _sent(self, due: list[Statement]) -> list[Statement]:
        """Send statements, at most `in_flight` at once; returns those that were not carried out."""
        from cassandra.concurrent import execute_concurrent

        try:
            if self._session is None:
                connected = self._connect(self._options)
                self._prepared = prepared(connected, cql.WRITES, self._options)
                self._session = connected
            bound = [(self._prepared[text], values) for text, values in due]
            limit = self._options.in_flight
            results = execute_concurrent(
                self._session, bound, concurrency=limit, raise_on_first_error=False
            )
        except Exception as error:
            self._note(error)
            return due
        failed = [at for at, result in enumerate(results) if not result.success]
        if failed:
            self._note(results[failed[0]].result_or_exc)
        elif self._away:
            self._away = False
            log.warning("Cassandra at %s answers again", address(self._options))
        return [due[at] for at in failed]

    def _note(self, error: Exception) -> None:
        """Say once that Cassandra is away.

        Raises:
            ServiceError: it is not, but refuses. Exception: something else is wrong.
        """
        if said := refusal(error, self._options):
            raise said from error
        if not passing(error):
            raise error
        if not self._away:
            self._away = True
            log.warning(
                "Cassandra at %s does not take writes (%s): trying again until it does. The job "
                "waits meanwhile, and nothing is lost.",
                address(self._options),
                words(error),
            )
