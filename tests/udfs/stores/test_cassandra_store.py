"""Writing to Cassandra with a session that fails as a cluster does: all is written in the end."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from udfs.errors import ServiceError
from udfs.options.cassandra import Cassandra
from udfs.stores import cassandra_schema as cql
from udfs.stores.cassandra_message import Kept, KeptEvent, KeptList
from udfs.stores.cassandra_store import CassandraStore

pytest.importorskip("cassandra")

from cassandra import InvalidRequest, OperationTimedOut
from cassandra.cluster import NoHostAvailable

DAY_MS = 86_400_000
NOW_MS = 1_700_000_000_000
OPTIONS = Cassandra(hosts=["c1"], lists_days=2, history_days=10, in_flight=3)


class Answer:
    def __init__(self, error: Exception | None) -> None:
        self.error = error

    def add_callbacks(
        self, callback: Any, errback: Any, callback_args: Any, errback_args: Any
    ) -> None:
        if self.error is None:
            callback([], *callback_args)
        else:
            errback(self.error, *errback_args)

    def clear_callbacks(self) -> None:
        pass

    has_more_pages, _col_names, _col_types = False, (), ()


class Session:
    """Carries out what `fails` has no error for."""

    def __init__(self, fails: Callable[[int], Exception | None] = lambda number: None) -> None:
        self.fails, self.asked = fails, 0
        self.done: list[tuple[str, Any]] = []
        self.texts = {text.format(keyspace="millirec"): text for text in cql.WRITES}

    def prepare(self, text: str) -> str:
        return self.texts[text]

    def execute_async(self, statement: str, values: Any, **_: Any) -> Answer:
        self.asked += 1
        error = self.fails(self.asked)
        if error is None:
            self.done.append((statement, values))
        return Answer(error)


def message(users: int = 1) -> Kept:
    return Kept(lists=[KeptList(f"u{n}", NOW_MS, b"{}", NOW_MS * 1000) for n in range(users)])


def store(session: Session, slept: list[float] | None = None) -> CassandraStore:
    sleep = [].append if slept is None else slept.append
    return CassandraStore(OPTIONS, lambda _: session, sleep, lambda: NOW_MS / 1000)


def test_rows_say_when_they_were_written_and_when_they_end() -> None:
    kept = Kept(
        lists=[KeptList("ann", NOW_MS, b'{"items":[]}', 5)],
        events=[
            KeptEvent("ann", NOW_MS - 4 * DAY_MS, "kettle", "view", 1.0, "e1", 6),
            KeptEvent("ann", NOW_MS - 11 * DAY_MS, "mug", "view", 1.0, "", 6),
        ],
        erased={"bob": 7},
    )
    session = Session()
    assert store(session).write(kept) == 4
    assert session.done == [
        (cql.INSERT_LIST, ("ann", NOW_MS, '{"items":[]}', 5, 2 * 86_400)),
        (
            cql.INSERT_EVENT,
            ("ann", NOW_MS - 4 * DAY_MS, "kettle", "view", 1.0, "e1", 6, 6 * 86_400),
        ),
        (cql.DELETE_LIST, (7, "bob")),
        (cql.DELETE_HISTORY, (7, "bob")),
    ]


def test_only_what_failed_is_written_again_until_all_is_there(
    caplog: pytest.LogCaptureFixture,
) -> None:
    late = OperationTimedOut()
    session = Session(lambda number: late if number in (2, 5, 9, 11, 12, 13) else None)
    slept: list[float] = []
    writer = store(session, slept)
    with caplog.at_level(logging.WARNING):
        assert writer.write(message(8)) == 8
    assert sorted(values[0] for _, values in session.done) == [f"u{n}" for n in range(8)]
    assert writer.retries == len([2, 5, 9, 11, 12, 13])
    assert slept == [0.05 * 2**n for n in range(len(slept))] and len(slept) >= 3
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 2 and "does not take writes" in said[0] and "answers again" in said[1]


def test_a_cluster_that_is_away_at_the_start_is_waited_for() -> None:
    session, tries = Session(), []

    def connect(options: Cassandra) -> Session:
        tries.append(options)
        if len(tries) < 4:
            raise NoHostAvailable("away", {"c1": ConnectionRefusedError(111, "refused")})
        return session

    writer = CassandraStore(OPTIONS, connect, lambda _: None, lambda: NOW_MS / 1000)
    writer.start()
    assert writer.write(message()) == 1
    assert len(tries) == 4 and len(session.done) == 1


def test_missing_tables_are_said_at_once() -> None:
    refused = InvalidRequest("table lists does not exist")
    with pytest.raises(ServiceError, match="cassandra-schema --apply"):
        store(Session(lambda _: refused)).write(message())


def test_nothing_to_write_asks_nothing() -> None:
    session = Session()
    assert store(session).write(Kept()) == 0
    assert not session.asked


def test_what_is_wrong_in_the_program_is_not_tried_again() -> None:
    with pytest.raises(TypeError):
        store(Session(lambda _: TypeError("not text"))).write(message())
