"""Whom the server lets in, and that all it refuses is a problem of RFC 9457."""

from __future__ import annotations

import httpx
import pytest
import redis

from flink_app.serve.guard import is_loopback
from flink_app.serve.lists import Lists
from tests.flink_app.serve.servers import made, serving

DATA = (
    "/recommend/a",
    "/popular",
    "/stats",
    "/evaluation",
    "/metrics",
    "/stream/a",
    "/api/recommend/a",
)


def test_a_key_is_asked_for_where_there_is_one(redis_url: str) -> None:
    with serving(redis_url, "serve.api_key=s3cret") as client:
        for path in DATA:
            answer = client.get(path)
            assert (answer.status_code, answer.json()["status"]) == (401, 401)
            assert answer.headers["www-authenticate"] == "Bearer"
            assert client.get(path, headers={"x-api-key": "wrong"}).status_code == 401
        for headers in ({"x-api-key": "s3cret"}, {"authorization": "bearer s3cret"}):
            assert client.get("/recommend/a", headers=headers).status_code == 200
        for path in ("/health/live", "/health/ready", "/", "/docs", "/openapi.json"):
            assert client.get(path).status_code == 200
        assert client.post("/events", json={}).status_code == 401
        assert client.get("/health/../stats").status_code == 401


def test_a_loopback_server_is_called_by_a_loopback_name(redis_url: str) -> None:
    with serving(redis_url) as client:
        port = client.base_url.port
        for host in ("localhost", f"127.0.0.1:{port}", f"[::1]:{port}", "LOCALHOST:1"):
            assert client.get("/popular", headers={"host": host}).status_code == 200
        for host in ("evil.example", f"evil.example:{port}", ""):
            answer = client.get("/popular", headers={"host": host})
            assert answer.json()["type"] == "urn:millirec:problem:wrong-host"
    with serving(redis_url, "serve.hosts=Shop.example") as client:
        assert client.get("/popular", headers={"host": "shop.example:80"}).status_code == 200
        assert client.get("/popular").status_code == 421


@pytest.mark.parametrize(
    ("host", "inside"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True),
     ("0.0.0.0", False), ("::", False), ("10.0.0.1", False), ("shop.example", False)],
)  # fmt: skip
def test_loopback_addresses(host: str, inside: bool) -> None:
    assert is_loopback(host) == inside


def test_pages_of_other_origins_may_call_it_only_if_told(redis_url: str) -> None:
    asked = {"origin": "https://shop.example", "access-control-request-method": "POST",
             "access-control-request-headers": "content-type,x-api-key"}  # fmt: skip
    with serving(redis_url) as client:
        assert "access-control-allow-origin" not in client.options("/events", headers=asked).headers
    allowed = 'serve.cors=["https://shop.example"]'
    with serving(redis_url, allowed, "serve.api_key=k") as client:
        answer = client.options("/events", headers=asked)
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == "https://shop.example"
        other = client.get("/popular", headers={"origin": "https://evil.example", "x-api-key": "k"})
        assert "access-control-allow-origin" not in other.headers
        own = client.get("/popular", headers={"origin": "https://shop.example", "x-api-key": "k"})
        assert own.headers["access-control-allow-origin"] == "https://shop.example"


def assert_problem(answer: httpx.Response, status: int, slug: str) -> None:
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert (body["type"], body["status"]) == (f"urn:millirec:problem:{slug}", status)
    assert answer.status_code == status
    assert body["title"] and body["detail"][-1] in ".…'\""


def test_errors_are_problems(redis_url: str) -> None:
    with serving(redis_url, "serve.max_batch=2", "serve.max_body_bytes=1024") as client:
        assert_problem(client.get("/nowhere"), 404, "not-found")
        assert_problem(client.get("/recommend/"), 404, "not-found")
        answer = client.delete("/popular")
        assert_problem(answer, 405, "method-not-allowed")
        assert answer.headers["allow"] == "GET, HEAD, OPTIONS"
        assert_problem(client.post("/recommend", json={"users": ["a"] * 3}), 413, "batch-too-large")
        large = b'{"users":["' + b"a" * 2000 + b'"]}'
        kind = {"content-type": "application/json"}
        for path in ("/recommend", "/rank", "/events", "/api/feedback"):
            assert_problem(client.post(path, content=large, headers=kind), 413, "body-too-large")

        def in_pieces() -> object:
            yield large

        for path in ("/recommend", "/rank"):
            answer = client.post(path, content=in_pieces(), headers=kind)  # type: ignore[arg-type]
            assert_problem(answer, 413, "body-too-large")
        for bad in ({}, {"users": "a"}, {"users": [1]}, {"users": ["a"], "n": 0}):
            answer = client.post("/recommend", json=bad)
            assert (answer.status_code, answer.json()["type"][-15:]) == (422, "invalid-request")
        for query in ("n=0", "n=x", "n=100001", "explain=perhaps"):
            assert client.get(f"/popular?{query}").status_code == 422


def test_a_fault_of_the_server_is_a_problem_too(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a secret")

    with serving(redis_url) as client:
        monkeypatch.setattr(Lists, "of_users", fail)
        for path in ("/recommend/a", "/recommend/a?explain=false"):
            answer = client.get(path)
            assert_problem(answer, 500, "failed")
            assert "secret" not in answer.text
        assert 'status="500"' in client.get("/metrics").text


def test_what_fails_inside_says_nothing_of_it(redis_url: str, redis_client: redis.Redis) -> None:
    redis_client.set("popular", made("a"))
    redis_client.set("stats", "a string, not a hash")
    with serving(redis_url) as client:
        answer = client.get("/stats")
        assert answer.status_code == 503
        assert "WRONGTYPE" not in answer.text
