"""Lists from Cassandra where Redis has none, or is away, with a session that stands for it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import redis

from flink_app.local.redis_server import RedisServer
from flink_app.serve import second_source
from flink_app.serve.second_source import SecondSource
from tests.flink_app.serve.servers import items, made, serving
from tests.waiting import wait_for
from udfs.options.cassandra import Cassandra
from udfs.stores.cassandra_reads import CassandraReads

KNOWN = {"alice": made("ab", user="alice"), "bob": made("c", user="bob")}


class Asked:
    """The driver's future: answers at once, fails, or never answers."""

    def __init__(self, session: Session, user: str) -> None:
        self._session, self._user = session, user

    def add_callbacks(self, callback: Any, errback: Any) -> None:
        if self._session.mode == "error":
            errback(ConnectionError("gone"))
        elif self._session.mode == "good":
            value = KNOWN.get(self._user)
            callback([] if value is None else [SimpleNamespace(list=value.decode())])


class Session:
    """A Cassandra that holds `KNOWN`; `mode`: good, error or silent."""

    def __init__(self) -> None:
        self.mode, self.asked = "good", 0

    def prepare(self, text: str) -> str:
        return text

    def execute_async(self, statement: str, values: tuple[str]) -> Asked:
        self.asked += 1
        return Asked(self, *values)


def source(session: Session, timeout_s: float) -> SecondSource:
    made_here = SecondSource(Cassandra(hosts=["c1"]), timeout_s)
    made_here.reads = CassandraReads(Cassandra(hosts=["c1"]), lambda _: session)
    return made_here


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Session:
    session = Session()
    monkeypatch.setattr(
        "flink_app.serve.services.second_source", lambda config: source(session, 5.0)
    )
    return session


def test_lists_that_redis_lost_come_from_cassandra(session: Session, tmp_path: Path) -> None:
    store = RedisServer(folder=tmp_path)
    with store, redis.Redis.from_url(store.url) as writer:
        writer.set("rec:bob", made("z", user="bob"))
        writer.set("popular", made("xy"))
        with serving(store.url) as client:
            wait_for(lambda: client.get("/recommend/alice").json()["known"])
            found = client.get("/recommend/alice").json()
            assert (found["store"], found["stale"], items(found)) == ("cassandra", False, "ab")
            cut = client.get("/recommend/alice?n=1").json()
            assert (cut["store"], items(cut)) == ("cassandra", "a")
            asked = session.asked
            own = client.get("/recommend/bob").json()
            assert "store" not in own and items(own) == "z"
            assert session.asked == asked
            stranger = client.get("/recommend/eve").json()
            assert (stranger["known"], items(stranger)) == (False, "xy")
            assert b"millirec_cassandra_answers" in client.get("/metrics").content
            store.stop()
            wait_for(lambda: client.get("/health/ready").status_code != 200)
            session.mode = "good"
            users = {"users": ["alice", "bob"]}
            many = client.post("/recommend", json=users).json()["lists"]
            assert [items(one) for one in many] == ["ab", "z"]
            assert many[0]["store"] == "cassandra" and many[1]["stale"]


def test_a_cassandra_that_is_silent_or_away_is_waited_for_once() -> None:
    async def run() -> None:
        session = Session()
        second = source(session, 0.05)
        assert await second.lists(["alice"]) == [None]  # there is no connection yet
        second.start()
        while not second.reads.ready:
            await asyncio.sleep(0.01)
        assert await second.lists(["alice", "eve", "bob"]) == [
            KNOWN["alice"],
            None,
            KNOWN["bob"],
        ]
        assert second.answers == 2
        for mode in ("silent", "error"):
            session.mode = mode
            second._rests_until = 0.0
            assert await second.lists(["alice"]) == [None]
            asked = session.asked
            session.mode = "good"
            assert await second.lists(["alice"]) == [None]  # it rests
            assert session.asked == asked
        second._rests_until = 0.0
        assert await second.lists(["bob"]) == [KNOWN["bob"]]
        second.stop()

    asyncio.run(run())


def test_there_is_none_unless_configured() -> None:
    from flink_app.config import load

    assert second_source.second_source(load(None, [], {}).config) is None
