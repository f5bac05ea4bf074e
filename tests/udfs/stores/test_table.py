"""The table of stores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.udfs.builders import SETTINGS
from udfs.errors import ServiceError
from udfs.lists.update import ListUpdates
from udfs.stores.redis_lists import RedisLists
from udfs.stores.redis_writer import RedisSettings, RedisWriter
from udfs.stores.store import Stores
from udfs.stores.table import STORES, open_stores, register


class Kept:
    """A store that records its calls in a list shared with others."""

    def __init__(self, name: str, notes: list[str], failing: bool = False) -> None:
        self._name, self._notes, self._failing = name, notes, failing

    def write(self, updates: Sequence[ListUpdates]) -> None:
        if self._failing:
            raise ServiceError("full")
        self._notes.append(f"{self._name} {len(updates)}")

    def erase(self, users: Sequence[str]) -> None:
        self._notes.append(f"{self._name} without {' '.join(users)}")

    def close(self) -> None:
        self._notes.append(f"{self._name} closed")


def test_redis_is_a_store_and_the_first() -> None:
    assert next(iter(STORES.items())) == ("redis", RedisLists)
    with pytest.raises(ValueError, match="There is a store 'redis' already"):
        register("redis", RedisLists)


def test_stores_are_opened_with_the_configuration_and_the_connection() -> None:
    given: list[Any] = []

    def factory(*arguments: Any) -> Kept:
        given.append(arguments)
        return Kept("toy", [])

    writer = RedisWriter(RedisSettings("redis://127.0.0.1:1"))
    register("toy", factory)
    try:
        open_stores(SETTINGS, writer)
    finally:
        del STORES["toy"]
    assert given == [(SETTINGS, writer)]


def test_each_store_is_written_in_order_and_a_failure_fails_the_job() -> None:
    notes: list[str] = []
    some: Any = [object()]
    stores = Stores([Kept("a", notes), Kept("b", notes)])
    stores.write(some)
    stores.write([])
    stores.close()
    assert notes == ["a 1", "b 1", "a closed", "b closed"]
    with pytest.raises(ServiceError, match="full"):
        Stores([Kept("a", notes), Kept("b", notes, failing=True)]).write(some)
