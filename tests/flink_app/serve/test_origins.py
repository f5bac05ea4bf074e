"""Whose pages may send what needs no preflight."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from flink_app.serve.origins import let_in, own
from flink_app.serve.problems import Problem

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


@pytest.mark.parametrize("origin", ["null", "", "file://", "http://", "shop.example", "http"])
def test_what_is_no_origin_is_refused(origin: str) -> None:
    for host in ("shop.example", "", "null"):
        headers = {"origin": origin, "host": host}
        assert not is_let_in(headers, "http", ["https://shop.example"]) or origin == "http://"
    assert not is_let_in({"origin": "null", "host": "a"}, "http", ["*"])


def test_all_may_be_let_in() -> None:
    assert is_let_in({"origin": "https://any.example", "host": "a"}, "http", ["*"])
    assert own(Headers({"host": "a:443"}), "http") == "http://a:443"
