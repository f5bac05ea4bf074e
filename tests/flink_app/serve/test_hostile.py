"""Ids of any characters, end to end: into the inbox, into Redis' keys, and out again as data."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import msgspec
import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.flink_app.serve.servers import items, made, serving

IDS = [
    "a/b", "/", "//", "../../etc/passwd", "a/../b", "a?b=c", "a#b", "a%2Fb", "100%",
    "a b", "\0", "a\0b", "\n", "Zoë\nLee", "\r\nSET x y", "a\r\n\r\nHTTP/1.1 200", "\x7f",
    "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "'; DROP TABLE users; --",
    "مرحبا", "\u202egnp.exe", "e\u0301", "é", "👩‍👩‍👧", "\U0010ffff", "\ufeff", "\u2028", "+", "&",
    "{user}", "${jndi:ldap://x}", "rec:a", "*", "[a-z]", "\\", '"', "x" * 512, "stream", "n=1",
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("inbox")


@pytest.fixture(scope="module")
def url(redis_server: object) -> str:
    return str(redis_server.url)  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def client(url: str, folder: Path) -> Iterator[httpx.Client]:
    with serving(url, "source.kind=directory", f"source.paths={folder}") as client:
        yield client


def check(client: httpx.Client, writer: redis.Redis, folder: Path, one: str) -> None:
    """The id goes in by an event, and out by every route that takes one in its path."""
    writer.flushall()
    writer.set("popular", made("p"))
    unknown = client.get(f"/recommend/{quote(one, safe='')}").json()
    assert (unknown["known"], unknown["user"]) == (False, one)
    value = made("ab", user=one)
    writer.set(f"rec:{one}", value)
    writer.set(f"similar:{one}", made("cd", item=one))
    path = quote(one, safe="")
    answer = client.get(f"/recommend/{path}")
    assert answer.headers["content-type"] == "application/json"
    assert (answer.json()["known"], answer.json()["user"]) == (True, one)
    assert items(client.get(f"/recommend/{path}", params={"explain": False}).json()) == "ab"
    assert items(client.get(f"/similar/{path}", params={"exclude": one}).json()) == "cd".replace(
        one, ""
    )
    [listed] = client.post("/recommend", json={"users": [one]}).json()["lists"]
    assert (listed["known"], listed["user"]) == (True, one)
    assert client.get("/items", params={"id": one}).json()["items"] == {one: None}
    sent = client.post("/events", json={"user": one, "item": one}).json()
    assert sent["accepted"] == 1
    last = max(folder.glob("[0-9]*"), key=lambda path: path.name)
    [line] = last.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    event = msgspec.json.decode(line)
    assert (event["user"], event["item"]) == (one, one)


@pytest.mark.parametrize("one", IDS, ids=ascii)
def test_an_id_of_any_characters(
    client: httpx.Client, redis_client: redis.Redis, folder: Path, one: str
) -> None:
    check(client, redis_client, folder, one)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufffd"), min_size=1))
def test_any_text_is_an_id(
    client: httpx.Client, redis_client: redis.Redis, folder: Path, one: str
) -> None:
    if len(one.encode()) <= 512 and one not in (".", ".."):
        check(client, redis_client, folder, one)


@pytest.mark.parametrize("one", [".", ".."])
def test_an_id_that_clients_take_for_a_folder_goes_in_a_body(
    client: httpx.Client, redis_client: redis.Redis, one: str
) -> None:
    redis_client.set(f"rec:{one}", made("ab", user=one))
    [listed] = client.post("/recommend", json={"users": [one]}).json()["lists"]
    assert (listed["known"], items(listed)) == (True, "ab")


def test_what_is_no_id_is_a_problem(client: httpx.Client) -> None:
    for body in ({"users": [""]}, {"users": ["x" * 513]}):
        assert client.post("/recommend", json=body).json()["type"].endswith(":bad-id")
    half = client.post(
        "/recommend", content=b'{"users":["\\ud800"]}', headers={"content-type": "application/json"}
    )
    assert half.status_code == 422
    long = client.get("/recommend/" + "x" * 513)
    assert (long.status_code, long.json()["type"][-6:]) == (422, "bad-id")
    odd = client.get("/recommend/%ff%fe")
    assert (odd.status_code, odd.json()["type"][-8:]) == (400, "not-utf8")
    assert client.get("/items?id=%ff").json()["type"][-8:] == "not-utf8"


def raw(client: httpx.Client, target: str, header: str = "") -> int:
    """The status of an answer to a request that httpx would not send; 0 where there is none."""
    where = client.base_url.host, client.base_url.port
    request = f"GET {target} HTTP/1.1\r\nHost: localhost\r\n{header}Connection: close\r\n\r\n"
    with socket.create_connection(where, timeout=20) as connection:  # type: ignore[arg-type]
        with contextlib.suppress(ConnectionError):
            connection.sendall(request.encode("latin-1"))
            return int(connection.makefile("rb").readline()[9:12] or 0)
        return 0


def test_an_id_of_a_megabyte(client: httpx.Client) -> None:
    huge = "x" * 1_000_000
    assert raw(client, f"/recommend/{huge}") in (0, 400, 414, 422)
    assert client.post("/recommend", json={"users": [huge]}).json()["type"].endswith(":bad-id")
    refused = client.post("/events", json={"user": huge, "item": "i"}).json()
    assert refused["rejected"][0]["reason"] == "id_too_long"
    assert len(refused["detail"]) < 500
    assert client.get("/recommend/a", params={"n": 1}).status_code == 200


def test_requests_that_no_client_sends(client: httpx.Client) -> None:
    assert raw(client, "/popular", f"X: {'y' * 200_000}\r\n") < 500
    assert raw(client, "/popular", "Authorization: Bearer \xff\r\n") == 200
    assert raw(client, "/popular", "Content-Length: -1\r\n") in (0, 400, 413)
    assert raw(client, "/recommend/\xff?n=\xff") in (0, 400, 422)
    assert raw(client, "/popular?" + "&".join(f"exclude={n}" for n in range(5000))) < 500
    assert raw(client, "/../../etc/passwd") in (0, 400, 404)
    assert raw(client, "/page/../../pyproject.toml") in (0, 400, 404)
    assert raw(client, "/page/%2e%2e/app.py") in (0, 400, 404)
    assert client.get("/health/live").status_code == 200
