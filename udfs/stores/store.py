"""The interface of a store of lists: Redis is one, and there may be others.

In: `ListUpdates`. Out: lists where a front end reads them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from udfs.lists.update import ListUpdates
from udfs.models.settings import Settings
from udfs.stores.redis_writer import RedisWriter


class Store(Protocol):
    """Takes every list that a user learner makes; used by one thread."""

    def write(self, updates: Sequence[ListUpdates]) -> None:
        """Replace lists by newer ones; returns when all are stored, because the state from which
        they were made is returned to Flink after that.

        After a failure the same lists, or newer ones, are written again, perhaps in another order.

        Raises:
            ServiceError: they could not be stored within the time that the store allows; the job
                then goes back to its last checkpoint. Any other exception has the same effect.
        """

    def erase(self, users: Sequence[str]) -> None:
        """Remove all that the store has of these users, who are to be forgotten; returns when it is
        gone. Errors are those of `write`; what was removed is removed again after a failure."""

    def close(self) -> None:
        """Release connections, at the end of a bounded input."""


Factory = Callable[[Settings, RedisWriter], Store]
"""Opens a store, given the configuration and the user learner's connection to Redis."""


class Stores:
    """Several stores as one: each gets every list, in the order in which they are given."""

    def __init__(self, stores: Sequence[Store]) -> None:
        self._stores = stores

    def write(self, updates: Sequence[ListUpdates]) -> None:
        """See `Store`; without lists no store is called."""
        if updates:
            for store in self._stores:
                store.write(updates)

    def erase(self, users: Sequence[str]) -> None:
        """See `Store`."""
        for store in self._stores:
            store.erase(users)

    def close(self) -> None:
        """See `Store`."""
        for store in self._stores:
            store.close()
