"""What is kept of a person, under all ids: the newest event first, or an error, never a part."""

from __future__ import annotations

from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest

from udfs.errors import ServiceError
from udfs.options.cassandra import Cassandra
from udfs.stores import cassandra_schema as cql
from udfs.stores.cassandra_reads import CassandraReads

OPTIONS = Cassandra(hosts=["c1"])


def event(second: int, item: str, event_id: str = "") -> Any:
    ts = datetime(2026, 1, 1, 0, 0, second)  # as the driver gives it: UTC, without a zone
    return SimpleNamespace(ts=ts, item=item, type="view", weight=1.2, id=event_id)


ROWS = {"ann": [event(9, "c", "e9"), event(1, "a")], "phone": [event(5, "b")]}
LISTS = {"phone": '{"items":[]}'}


class Session:
    def prepare(self, text: str) -> str:
        return text

    def execute(self, statement: str, values: tuple[str]) -> Any:
        assert statement == cql.SELECT_HISTORY.format(keyspace="millirec")
        return ROWS.get(values[0], [])

    def execute_async(self, statement: str, values: tuple[str]) -> Any:
        found = LISTS.get(values[0])
        rows = [] if found is None else [SimpleNamespace(list=found)]
        return SimpleNamespace(result=lambda: rows)


def test_all_ids_of_a_person_are_told_the_newest_event_first() -> None:
    found = CassandraReads(OPTIONS, lambda _: Session()).kept(["ann", "phone"])
    assert bytes(found["stored_list"]) == b'{"items":[]}'
    assert [one["item"] for one in found["stored_history"]] == ["c", "b", "a"]
    assert found["stored_history"][0] == {
        "ts": "2026-01-01T00:00:09.000+00:00",
        "item": "c",
        "type": "view",
        "weight": 1.2,
        "id": "e9",
    }
    assert CassandraReads(OPTIONS, lambda _: Session()).kept(["eve"]) == {"stored_history": []}


def test_a_cassandra_that_is_away_is_an_error() -> None:
    pytest.importorskip("cassandra")

    def away(options: Cassandra) -> Any:
        raise ConnectionRefusedError(111, "refused")

    with pytest.raises(ServiceError, match="cannot be told completely"):
        CassandraReads(OPTIONS, away).kept(["ann"])
