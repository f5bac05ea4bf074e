"""Whose pages may send what needs no preflight: by the rule, and by a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser
from starlette.datastructures import Headers

from flink_app.config import load
from flink_app.serve.app import Application
from flink_app.serve.origins import let_in, own, require_origins
from flink_app.serve.problems import Problem
from tests.flink_app.serve.pretend import Job
from tests.flink_app.serve.servers import serving
from udfs.errors import ConfigError

SCHEMES = st.sampled_from(["http", "https"])
HOSTS = st.sampled_from(["shop.example", "evil.example", "127.0.0.1", "[::1]", "shop.example.evil"])
PORTS = st.sampled_from(["", ":80", ":443", ":8080"])
ORIGINS = st.tuples(SCHEMES, HOSTS, PORTS)
DEFAULT = {"http": ":80", "https": ":443"}


def is_let_in(headers: dict[str, str], scheme: str, cors: list[str]) -> bool:
    try:
        let_in(Headers(headers), scheme, cors)
    except Problem as problem:
        assert (problem.status, problem.slug) == (403, "wrong-origin")
        return False
    return True


@given(ORIGINS, ORIGINS, st.booleans(), st.booleans())
def test_an_origin_is_scheme_host_and_port(
    page: tuple[str, str, str], server: tuple[str, str, str], proxied: bool, named: bool
) -> None:
    def whole(origin: tuple[str, str, str]) -> tuple[str, str, str]:
        scheme, host, port = origin
        return scheme, host, port or DEFAULT[scheme]

    scheme, host, port = server
    headers = {"origin": "".join((page[0], "://", *page[1:])), "host": host + port}
    if proxied:
        headers |= {"host": "inner:9", "x-forwarded-host": f"{host.upper()}{port}, inner"}
        headers |= {"x-forwarded-proto": scheme}
    cors = [headers["origin"]] if named else ["https://other.example"]
    arrived = "http" if proxied else scheme
    assert is_let_in(headers, arrived, cors) == (named or whole(page) == whole(server))


@given(ORIGINS, st.sampled_from(["", "/", "/shop", "?a=b", "#top", " "]), st.booleans())
def test_an_origin_in_another_form_is_refused_with_the_right_one(
    page: tuple[str, str, str], rest: str, upper: bool
) -> None:
    scheme, host, port = page
    sent = f"{scheme}://{host}{'' if port == DEFAULT[scheme] else port}"
    written = "".join((scheme, "://", host.upper() if upper else host, port, rest))
    require_origins([sent, "*"])
    assert is_let_in({"origin": sent, "host": "inner:9"}, "http", [sent])
    if written != sent:
        with pytest.raises(ConfigError, match=r"serve\.cors has ") as told:
            require_origins([sent, written])
        assert str(told.value).endswith(f'write "{sent}".')


@pytest.mark.parametrize(
    "origin", ["", "shop.example", "null", "https://*.shop.example", "https://", "//a", "https:/a"]
)
def test_what_can_be_no_origin_is_refused_in_serve_cors(origin: str) -> None:
    with pytest.raises(ConfigError, match="write a scheme, a host and a port"):
        require_origins([origin])


def test_the_server_does_not_start_with_it() -> None:
    config = load(None, ['serve.cors=["https://shop.example/"]'], {}).config
    with pytest.raises(ConfigError, match=r'write "https://shop\.example"\.'):
        Application(config)


@pytest.mark.parametrize("origin", ["null", "", "file://", "http://", "shop.example", "http"])
def test_what_is_no_origin_is_refused(origin: str) -> None:
    for host in ("shop.example", "", "null"):
        headers = {"origin": origin, "host": host}
        assert not is_let_in(headers, "http", ["https://shop.example"])
    assert not is_let_in({"origin": "null", "host": "a"}, "http", ["*"])


def test_all_may_be_let_in() -> None:
    assert is_let_in({"origin": "https://any.example", "host": "a"}, "http", ["*"])
    assert own(Headers({"host": "a:443"}), "http") == "http://a:443"


BEACON = """([url, user, kind]) => navigator.sendBeacon(
    url, new Blob([JSON.stringify({user, item: 'i1', type: 'click'})], kind ? {type: kind} : {}))"""


@pytest.mark.parametrize("kind", ["text/plain;charset=UTF-8", "", "application/json"])
def test_beacons_are_taken_from_pages_of_the_server_and_from_no_others(
    browser: Browser, redis_url: str, redis_client: redis.Redis, tmp_path: Path, kind: str
) -> None:
    where = "source.kind=directory", f"source.paths={tmp_path}"
    with Job(redis_url, tmp_path), serving(redis_url, *where) as site:
        events = f"{site.base_url}/events"
        with browser.new_context() as context:
            page = context.new_page()
            page.set_default_timeout(30_000)
            page.goto(str(site.base_url))
            with page.expect_response("**/events") as answered:
                assert page.evaluate(BEACON, [events, "own", kind])
            assert answered.value.status == 200
            other = f"http://localhost:{site.base_url.port}"  # the same server by another name
            page.goto(f"{other}/docs/files/swagger-ui.css")  # with neither a policy nor scripts
            if kind == "application/json":  # its preflight is refused
                assert page.evaluate(BEACON, [events, "other", kind])
            else:
                with page.expect_response(events) as refused:
                    assert page.evaluate(BEACON, [events, "other", kind])
                assert refused.value.status == 403
            assert page.evaluate(BEACON, [f"{other}/events", "same", kind])
            for _ in range(200):
                if redis_client.exists("rec:own") and redis_client.exists("rec:same"):
                    break
                page.wait_for_timeout(50)
            assert redis_client.exists("rec:own") and redis_client.exists("rec:same")
            assert not redis_client.exists("rec:other")
