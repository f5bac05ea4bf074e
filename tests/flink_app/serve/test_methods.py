"""HEAD, OPTIONS and what is refused, on every route that the application has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import redis

from flink_app.serve.page_routes import FOLDER
from tests.flink_app.serve.servers import made, serving

FILES = [
    "/",
    "/docs",
    "/openapi.json",
    "/docs/files/swagger-ui.css",
    "/page/words.js",
    "/page/look.js",
    "/page/look.css",
]
FILES += [f"/page/{file.name}" for file in FOLDER.iterdir() if file.is_file()]
ITEM, USER = "/api/item/{item}", "/users/{user}"
CHANGING = {"/metrics", "/stream/{user}"}
"""Their length is another one each time, or not known."""


@pytest.fixture
def client(redis_url: str, redis_client: redis.Redis, tmp_path: Path) -> Iterator[httpx.Client]:
    redis_client.set("rec:a", made("bc", user="a"))
    redis_client.set("similar:a", made("bc", item="a"))
    redis_client.set("popular", made("xyz"))
    redis_client.hset("stats", mapping={"received": "1"})
    redis_client.set("item:a", '{"title":"A"}')
    with serving(redis_url, "source.kind=directory", f"source.paths={tmp_path}") as client:
        yield client


def paths(client: httpx.Client) -> dict[str, set[str]]:
    """The methods of each path, from the table that the application makes of its own routes."""
    found = client.get("/openapi.json").json()["paths"]
    table = {path: {method.upper() for method in methods} for path, methods in found.items()}
    for path, methods in table.items():
        for whole in (ITEM, USER):  # an id may have slashes, too
            if path.startswith(f"{whole}/"):
                methods |= table[whole]
    return table


def asked(path: str) -> str:
    """An address of a path."""
    query = {"/items": "?id=a", "/recommend/{user}": "?offset=1", "/popular": "?user=a"}
    given = path.replace("{user}", "a").replace("{item}", "a").replace("{category}", "c")
    return given + query.get(path, "")


def test_head_is_get_without_the_body(client: httpx.Client) -> None:
    table = paths(client)
    gets = [path for path, methods in table.items() if "GET" in methods if "/category/" not in path]
    for path in ("/users/{user}/data", "/why/{user}/{item}"):  # a job has to answer them
        gets.remove(path)
    assert len(gets) > 10
    for path in [*gets, "/recommend/a", "/recommend/nobody?n=1", *FILES]:
        head = client.head(asked(path))
        with client.stream("GET", asked(path)) as get:
            headers = [(h.items() - {("date", h["date"])}) for h in (get.headers, head.headers)]
        assert head.status_code == get.status_code == 200, path
        assert head.content == b""
        if path in CHANGING:
            assert head.headers["content-type"] == get.headers["content-type"]
        else:
            assert headers[0] == headers[1] and int(head.headers["content-length"]) > 0, path


@pytest.mark.parametrize("path", ["/nowhere", "/similar/q", "/recommend/a?n=0", "/page/none.js"])
def test_head_of_a_problem(client: httpx.Client, path: str) -> None:
    head, get = client.head(path), client.get(path)
    assert head.status_code == get.status_code >= 400
    assert head.headers["content-length"] == get.headers["content-length"]
    assert head.content == b""


def test_head_is_counted_and_ends_a_stream(client: httpx.Client) -> None:
    for _ in range(3):
        assert client.head("/stream/a").status_code == 200
    text = client.get("/metrics").text
    assert 'method="HEAD",route="/stream/{user:id}",status="200"} 3.0' in text
    assert "millirec_streams 0.0" in text


@pytest.mark.parametrize("method", ["DELETE", "PATCH", "TRACE", "POST", "PUT", "GET", "HEAD"])
def test_what_is_refused_says_what_is_not(client: httpx.Client, method: str) -> None:
    table = paths(client) | {path: {"GET"} for path in FILES}
    for path, methods in table.items():
        methods |= {"HEAD"} if "GET" in methods else set()
        if method in methods:
            continue
        answer = client.request(method, asked(path))
        assert answer.status_code == 405, path
        assert {*answer.headers["allow"].split(", ")} == methods | {"OPTIONS"}, path
        if method != "HEAD":
            assert answer.json()["detail"].startswith(f"{method} is not allowed")


def test_options_says_what_is_allowed(client: httpx.Client) -> None:
    for path, methods in paths(client).items():
        answer = client.options(asked(path))
        assert (answer.status_code, answer.content) == (204, b"")
        assert {*answer.headers["allow"].split(", ")} >= methods
    assert client.options("/nowhere").status_code == 404


@pytest.mark.parametrize("path", ["/popular/", "//popular", "/health//live/", "/stats//"])
def test_a_slash_too_many_is_pointed_out(client: httpx.Client, path: str) -> None:
    answer = client.get(str(client.base_url).rstrip("/") + path)
    assert answer.status_code == 404
    meant = "/" + "/".join(filter(None, path.split("/")))
    assert f"write {meant}," in answer.json()["detail"]
