"""Users over HTTP: forgotten, and told what is known, by lines that the job answers in Redis."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from flink_app.serve import user_routes
from tests.flink_app.serve.servers import made, serving
from tests.flink_app.serve.test_event_routes import written
from tests.waiting import wait_for
from udfs.lists.keys import KNOWN, RECEIPT, digest

LATER = 2**50


def put(redis_client: Any, key: str, **fields: Any) -> None:
    """What a job that has done it would have written."""
    redis_client.set(key, msgspec.json.encode({"ts": LATER, **fields}))


@contextmanager
def away(redis_client: Any) -> Iterator[None]:
    """Redis answers this client alone."""
    redis_client.config_set("requirepass", "away")
    redis_client.client_kill_filter(_type="normal", skipme=True)
    try:
        yield
    finally:
        redis_client.config_set("requirepass", "")


def test_a_user_is_forgotten_and_the_receipt_is_the_answer(
    client: httpx.Client, inbox: Path, redis_client: Any
) -> None:
    put(redis_client, RECEIPT + digest("zo\u00eb/1"), done="now")
    before = time.time_ns() // 1_000_000
    answer = client.delete("/users/zo%C3%AB%2F1")
    assert (answer.status_code, answer.json()) == (
        200,
        {"forgotten": True, "receipt": {"ts": LATER, "done": "now"}},
    )
    [line] = written(inbox)
    assert line.pop("ts") >= before
    assert line == {"kind": "forget", "user": "zo\u00eb/1"}


def test_an_old_receipt_is_none(
    client: httpx.Client, redis_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(user_routes, "WAIT_S", 0.1)
    redis_client.set(RECEIPT + digest("ann"), b'{"ts":5}')
    answer = client.delete("/users/ann")
    assert answer.status_code == 202
    assert answer.json()["forgotten"] is False
    assert "does it run?" in answer.json()["detail"]


def test_gorse_deletes_users(client: httpx.Client, inbox: Path, redis_client: Any) -> None:
    put(redis_client, RECEIPT + digest("ann"))
    assert client.delete("/api/user/ann").json() == {"RowAffected": 1}
    assert [one["kind"] for one in written(inbox)] == ["forget"]


def test_what_is_known_is_told_with_the_lists(
    client: httpx.Client, inbox: Path, redis_client: Any
) -> None:
    put(redis_client, KNOWN + digest("ann"), user="ann", events=3)
    redis_client.set("rec:ann", made("ab", user="ann"))
    found = client.get("/users/ann/data").json()
    assert [item["item"] for item in found.pop("list")["items"]] == ["a", "b"]
    assert found == {"ts": LATER, "user": "ann", "events": 3, "factor_in_redis": False}
    assert [one["kind"] for one in written(inbox)] == ["export"]


def test_cassandra_is_prepared_once_for_all_who_ask(
    redis_url: str, redis_client: Any, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_here = []

    class Reads:
        def __init__(self, options: object) -> None:
            made_here.append(options)

        def kept(self, users: list[str]) -> dict[str, Any]:
            return {"asked": users}

    monkeypatch.setattr(user_routes, "CassandraReads", Reads)
    put(redis_client, KNOWN + digest("ann"), user="ann")
    where = "source.kind=directory", f"source.paths={inbox}"
    with serving(redis_url, *where, 'cassandra.hosts=["c1"]', "cassandra.lists=false") as client:
        for _ in range(2):
            assert client.get("/users/ann/data").json()["asked"] == ["ann"]
    assert len(made_here) == 1


def test_a_job_that_does_not_answer_is_told(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(user_routes, "WAIT_S", 0.1)
    answer = client.get("/users/ann/data")
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:millirec:problem:not-answered")
    assert answer.headers["retry-after"] == "5"


def test_the_server_remembers_no_list_of_a_forgotten_user(
    redis_url: str, redis_client: Any, inbox: Path
) -> None:
    put(redis_client, RECEIPT + digest("ann"))
    redis_client.set("rec:ann", made("ab", user="ann"))
    where = "source.kind=directory", f"source.paths={inbox}"
    with serving(redis_url, *where) as client:
        assert client.get("/recommend/ann").json()["known"] is True
        redis_client.delete("rec:ann")  # as the job does
        client.delete("/users/ann")
        with away(redis_client):
            answer = client.get("/recommend/ann").json()
            assert (answer["known"], answer["items"]) == (False, [])


def test_a_list_is_forgotten_while_redis_is_away(
    redis_url: str, redis_client: Any, inbox: Path
) -> None:
    redis_client.set("rec:ann", made("ab", user="ann"))
    where = "source.kind=directory", f"source.paths={inbox}"
    with serving(redis_url, *where) as client:
        assert client.get("/recommend/ann").json()["known"] is True
        with away(redis_client):
            assert client.get("/recommend/ann").json()["known"] is True, "it is remembered"
            answer = client.delete("/users/ann")
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
            assert [one["kind"] for one in written(inbox)] == ["forget"], "the job will read it"
            assert client.get("/recommend/ann").json()["known"] is False
        redis_client.delete("rec:ann")  # as the job does
        put(redis_client, RECEIPT + digest("ann"))
        wait_for(lambda: client.get("/health/ready").status_code == 200)
        assert client.delete("/users/ann").json()["forgotten"] is True
        assert client.get("/recommend/ann").json()["known"] is False


def test_lines_about_people_may_be_among_events(client: httpx.Client, inbox: Path) -> None:
    lines = [
        {"user": "ann", "item": "a"},
        {"kind": "profile", "user": "ann", "country": "DE"},
        {"kind": "link", "user": "ann", "to": "bob"},
        {"kind": "item", "item": "a", "price": 1},
        {"kind": "consent", "user": "ann", "personalise": False, "ts": 1_700_000_000_000},
    ]
    answer = client.post("/events", json=lines).json()
    assert answer["accepted"] == 4
    assert [(one["index"], one["reason"]) for one in answer["rejected"]] == [(2, "no_identity")]
    kept = {one.get("kind", "event"): one for one in written(inbox)}
    assert kept.keys() == {"event", "profile", "item", "consent"}
    assert kept["consent"]["ts"] == 1_700_000_000_000
    assert kept["profile"]["ts"] > 1_700_000_000_000


@pytest.mark.parametrize("path", ["/users/" + "x" * 600, "/users/" + "x" * 600 + "/data"])
def test_ids_are_bounded(client: httpx.Client, path: str) -> None:
    call = client.get if path.endswith("/data") else client.delete
    assert call(path).status_code == 422


def test_a_server_that_takes_no_events_forgets_nobody(redis_url: str) -> None:
    with serving(redis_url) as client:
        answer = client.delete("/users/ann")
    assert (answer.status_code, answer.json()["type"]) == (501, "urn:millirec:problem:no-inbox")
