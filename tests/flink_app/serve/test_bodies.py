"""Bodies as clients send them: compressed, with marks, in other encodings, of other types, or none;
on every route that takes one."""

from __future__ import annotations

import gzip
import socket
import zlib
from collections.abc import Iterator

import httpx
import msgspec
import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.flink_app.serve.servers import items, made, serving

LIMIT = 4096
KIND = {"content-type": "application/json"}
BODIES = {
    "/recommend": {"users": ["alice"]},
    "/rank": {"user": "alice", "items": ["a"]},
    "/events": {"user": "alice", "item": "kettle"},
    "/api/feedback": [{"FeedbackType": "star", "UserId": "alice", "ItemId": "kettle"}],
    "/items": {"item": "kettle", "provider": "alice"},
    "/api/item": {"ItemId": "kettle", "Comment": "alice"},
    "/api/items": [{"ItemId": "kettle", "Comment": "alice"}],
    "/items/kettle": {"provider": "alice"},
    "/api/item/kettle": {"Comment": "alice"},
}
CHANGES = {"/items/kettle", "/api/item/kettle"}
CALLS = [f"PATCH {path}" if path in CHANGES else path for path in BODIES]
PLAIN = {"content-type": "text/plain;charset=UTF-8"}


@pytest.fixture(scope="module")
def url(redis_server: object) -> str:
    return str(redis_server.url)  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def client(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    folder = tmp_path_factory.mktemp("inbox")
    where = "source.kind=directory", f"source.paths={folder}"
    small = f"serve.max_body_bytes={LIMIT}"
    cors = 'serve.cors=["https://shop.example"]'
    with serving(url, *where, small, cors, "redis.factors=true") as client:
        yield client


@pytest.fixture(params=[*CALLS, "PUT /api/feedback"])
def path(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def send(
    client: httpx.Client, path: str, body: bytes | None = None, **headers: str
) -> httpx.Response:
    """A good body unless another is given."""
    method, _, path = path.rpartition(" ")
    content = msgspec.json.encode(BODIES[path]) if body is None else body
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.request(method or "POST", path, content=content, headers=named)


def said(answer: httpx.Response, status: int) -> str:
    """The sentence of a problem."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return str(answer.json()["detail"])


def test_these_are_all_routes_that_take_a_body(client: httpx.Client) -> None:
    table = client.get("/openapi.json").json()["paths"]
    taking = {
        (path.replace("{item}", "kettle"), method)
        for path, of in table.items()
        for method in {*of} - {"get", "delete"}
        if "{category}" not in path
    }
    calls = {(path, "patch" if path in CHANGES else "post") for path in BODIES}
    assert taking == {*calls, ("/api/feedback", "put")}


def test_what_is_shown_as_an_example_works(client: httpx.Client, path: str) -> None:
    for body, headers in (
        (b"", {}),
        (b" \r\n\xef\xbb\xbf", KIND),
        (None, {"content-type": "application/x-www-form-urlencoded"}),
        (None, {"content-type": "multipart/form-data; boundary=b"}),
        (None, {"content-type": "text/plain"}),
        (None, {"content-type": "application/xml"}),
        (None, {}),
    ):
        answer = send(client, path, body, **headers)
        detail = said(answer, 415 if body is None else 422)
        head, _, example = detail.rpartition(" -d ")
        method, _, route = path.rpartition(" ")
        assert f"{client.base_url.port}{route} -H 'Content-Type: application/json'" in head
        assert (f"-X {method}" in head) == (method != "")
        assert send(client, path, example.strip("'").encode(), **KIND).status_code == 200


@pytest.mark.parametrize("body", [b"[1,", b"{", b"x", b"{} {}", b"[" * 3000, b"7", b'"a"', b"[7]"])
def test_what_is_not_wanted_is_shown_what_is(client: httpx.Client, path: str, body: bytes) -> None:
    answer = send(client, path, body, **KIND)
    assert answer.status_code in (400, 422)
    assert "For example: curl " in answer.json()["detail"]


@pytest.mark.parametrize(
    "kind",
    ["application/json", "Application/JSON; charset=utf-8", 'application/json;charset="UTF-8"',
     "application/json; charset=US-ASCII", "application/vnd.api+json", "application/json;"],
)  # fmt: skip
def test_types_that_are_json(client: httpx.Client, path: str, kind: str) -> None:
    assert send(client, path, content_type=kind).status_code == 200


@pytest.mark.parametrize("charset", ["latin-1", "iso-8859-1", "utf-16", "windows-1252", "bogus"])
def test_other_charsets_are_named(client: httpx.Client, path: str, charset: str) -> None:
    answer = send(client, path, content_type=f"application/json; charset={charset}")
    assert charset in said(answer, 415) and "UTF-8" in answer.json()["detail"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1"])
def test_other_encodings_are_noticed(client: httpx.Client, path: str, encoding: str) -> None:
    text = msgspec.json.encode(BODIES[path.rpartition(" ")[2]]).decode().replace("alice", "zoë")
    answer = send(client, path, text.encode(encoding), **KIND)
    assert answer.json()["type"].endswith("not-utf8")
    assert "send UTF-8" in said(answer, 400)


def test_a_byte_order_mark_is_no_part_of_json(client: httpx.Client, path: str) -> None:
    body = msgspec.json.encode(BODIES[path.rpartition(" ")[2]])
    assert send(client, path, b"\xef\xbb\xbf" + body, **KIND).status_code == 200


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "GZIP", "deflate", "identity", ""])
def test_compressed_bodies(client: httpx.Client, path: str, coding: str) -> None:
    body = msgspec.json.encode(BODIES[path.rpartition(" ")[2]])
    packed = {"gzip": gzip.compress, "deflate": zlib.compress}
    kind = coding.lower().removeprefix("x-")
    sent = packed.get(kind, bytes)(body)
    assert send(client, path, sent, content_encoding=coding, **KIND).status_code == 200
    if kind in packed:
        broken = send(client, path, sent[:-3], content_encoding=coding, **KIND)
        assert f"Content-Encoding says, {kind}" in said(broken, 400)
        plain = send(client, path, body, content_encoding=coding, **KIND)
        assert f"Content-Encoding says, {kind}" in said(plain, 400)
        bomb = send(client, path, packed[kind](b" " * 2_000_000), content_encoding=coding, **KIND)
        assert "when decompressed" in said(bomb, 413)
        nothing = send(client, path, packed[kind](b""), content_encoding=coding, **KIND)
        assert "empty" in said(nothing, 422)


@pytest.mark.parametrize("coding", ["br", "zstd", "compress", "gzip, gzip", "nonsense"])
def test_other_compressions_are_named(client: httpx.Client, path: str, coding: str) -> None:
    answer = send(client, path, content_encoding=coding, **KIND)
    assert repr(coding) in said(answer, 415) and "gzip" in answer.json()["detail"]


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(1, 60), max_size=8), st.booleans(), st.booleans())
def test_a_body_in_any_pieces(
    client: httpx.Client, sizes: list[int], compressed: bool, mark: bool
) -> None:
    events = [{"user": "zoë", "item": str(number)} for number in range(9)]
    body = b"\xef\xbb\xbf" * mark + b"\n".join(map(msgspec.json.encode, events))
    body = gzip.compress(body) if compressed else body

    def pieces() -> Iterator[bytes]:
        rest = body
        for size in sizes:
            yield rest[:size]
            rest = rest[size:]
        yield rest

    headers = {"content-type": "application/x-ndjson"}
    headers |= {"content-encoding": "gzip"} if compressed else {}
    answer = client.post("/events", content=pieces(), headers=headers)
    assert answer.json() == {"accepted": 9, "rejected": []}


@pytest.mark.parametrize("headers", [PLAIN, {"content-type": "text/plain"}, {}], ids=str)
def test_a_beacon_of_the_servers_own_pages(
    client: httpx.Client, path: str, headers: dict[str, str]
) -> None:
    own = str(client.base_url).rstrip("/")
    for origin in (own, "https://shop.example"):
        assert send(client, path, origin=origin, **headers).status_code == 200
    for origin in ("http://evil.example", own.replace("http", "https"), f"{own}0"):
        assert repr(origin) in said(send(client, path, origin=origin, **headers), 403)
    assert "Origin: null" in said(send(client, path, origin="null", **headers), 403)
    assert "Content-Type" in said(send(client, path, **headers), 415)
    far = {"host": "localhost:1", "x-forwarded-host": "a.example", "x-forwarded-proto": "https"}
    assert send(client, path, origin="https://a.example", **far, **headers).status_code == 200
    assert send(client, path, origin=own, **far, **headers).status_code == 403


def test_json_from_other_pages_has_had_its_preflight(client: httpx.Client, path: str) -> None:
    for origin in ("null", "http://evil.example"):
        assert send(client, path, origin=origin, **KIND).status_code == 200


def test_forms_are_refused_whatever_their_origin(client: httpx.Client, path: str) -> None:
    own = str(client.base_url).rstrip("/")
    for kind in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        assert "Content-Type: application/json" in said(
            send(client, path, content_type=kind, origin=own), 415
        )


@pytest.mark.parametrize("size", [LIMIT + 1, 300_000])
@pytest.mark.parametrize("expect", ["", "Expect: 100-continue\r\n"])
def test_a_connection_serves_on_after_a_body_is_refused(
    client: httpx.Client, path: str, size: int, expect: str
) -> None:
    method, _, route = path.rpartition(" ")
    where = str(client.base_url.host), int(client.base_url.port or 0)
    head = f"{method or 'POST'} {route} HTTP/1.1\r\nHost: localhost\r\n{expect}"
    with socket.create_connection(where, timeout=20) as connection:
        connection.sendall(f"{head}Content-Length: {size}\r\n\r\n".encode())
        answers = connection.makefile("rb")
        assert b" 413 " in answers.readline()
        length = 0
        while line := answers.readline().strip():
            name, _, value = line.partition(b": ")
            length = int(value) if name == b"content-length" else length
        assert b"max_body_bytes" in answers.read(length)
        if not expect:  # who asked first does not send the body
            connection.sendall(
                b" " * size + b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
            )
            assert b" 200 " in answers.readline()


def test_http_1_0(client: httpx.Client) -> None:
    where = str(client.base_url.host), int(client.base_url.port or 0)
    with socket.create_connection(where, timeout=20) as connection:
        body = msgspec.json.encode(BODIES["/events"])
        head = f"POST /events HTTP/1.0\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
        connection.sendall(head.encode() + b"Content-Type: application/json\r\n\r\n" + body)
        whole = connection.makefile("rb").read()  # until it is closed
    assert b" 200 OK" in whole and whole.endswith(b'{"accepted":1,"rejected":[]}')


def test_what_is_refused_changes_nothing(client: httpx.Client, redis_client: redis.Redis) -> None:
    redis_client.set("rec:alice", made("ab", user="alice"))
    send(client, "/recommend", b"")
    [listed] = send(client, "/recommend", **KIND).json()["lists"]
    assert items(listed) == "ab"
