"""Reads of a user from Cassandra: the list, for when Redis has none, and the history.

In: ids of users, as they are stored. Out: JSON of lists (`bytes | None`), events as dictionaries.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from typing import Any

import msgspec

from udfs.errors import ServiceError
from udfs.options.cassandra import Cassandra
from udfs.stores import cassandra_schema as cql
from udfs.stores.cassandra_connection import address, prepared, refusal, session, words


class CassandraReads:
    """Reads; used by any thread.

    Args:
        connect: makes a session.
    """

    def __init__(self, options: Cassandra, connect: Callable[[Cassandra], Any] = session) -> None:
        self._options, self._connect = options, connect
        self._prepared: dict[str, Any] = {}
        self._session: Any = None

    def start(self) -> None:
        """Connect, and prepare what is read.

        Raises:
            Exception: of the driver; see `cassandra_connection.refusal`.
        """
        connected = self._connect(self._options)
        self._prepared = prepared(connected, cql.READS, self._options)
        self._session = connected

    @property
    def ready(self) -> bool:
        """Whether it has been connected."""
        return self._session is not None

    def ask_list(self, user: str) -> Any:
        """Ask for a user's list; returns the driver's future, whose result `list_of` reads."""
        return self._session.execute_async(self._prepared[cql.SELECT_LIST], (user,))

    def kept(self, users: Sequence[str]) -> dict[str, Any]:
        """All that is kept of a person, by the person's ids: `stored_list`, if there is one, and
        `stored_history`, the newest event first.

        Raises:
            ServiceError: Cassandra does not answer, or refuses.
        """
        try:
            if not self.ready:
                self.start()
            lists = [list_of(self.ask_list(user).result()) for user in users]
            found = self._prepared[cql.SELECT_HISTORY]
            rows = [row for user in users for row in self._session.execute(found, (user,))]
        except Exception as error:
            raise refusal(error, self._options) or ServiceError(
                f"Cassandra at {address(self._options)} does not answer ({words(error)}), so what "
                "is known cannot be told completely. Try again when it does."
            ) from error
        events = sorted((_event(row) for row in rows), key=lambda one: str(one["ts"]))[::-1]
        stored = next((one for one in lists if one is not None), None)
        told: dict[str, Any] = {"stored_history": events}
        return told if stored is None else {"stored_list": msgspec.Raw(stored), **told}


def list_of(rows: Any) -> bytes | None:
    """The list in the answer to `ask_list`."""
    found = next(iter(rows), None)
    return None if found is None or found.list is None else found.list.encode()


def _event(row: Any) -> dict[str, Any]:
    """A row of the history: an event as the job took it."""
    ts: datetime = row.ts
    told = {
        "ts": ts.replace(tzinfo=timezone.utc).isoformat(timespec="milliseconds"),
        "item": row.item,
        "type": row.type,
        "weight": round(row.weight, 6),
    }
    return told | ({"id": row.id} if row.id else {})
