from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.encoders.addresses import connection, is_public, place_of
from udfs.encoders.problems import ImageProblem


def resolve_to(monkeypatch: pytest.MonkeyPatch, *found: str) -> None:
    def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        kind = socket.AF_INET
        return [(kind, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr("udfs.encoders.addresses.socket.getaddrinfo", getaddrinfo)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.com/a.png",
        "https://cdn.example.com.evil.com/a.png",
        "https://notexample.com/a.png",
        "https://cdn.example.com:22/a.png",
        "https://evil.com#@cdn.example.com/",
        "http://127.0.0.1/",
        "http://0x7f.1/",
    ],
)
def test_hosts_that_are_not_named_are_refused(url: str) -> None:
    with pytest.raises(ImageProblem) as caught:
        place_of(url, ["cdn.example.com", "*.example.com"])
    assert caught.value.reason == "not_allowed"


@pytest.mark.parametrize(
    "url",
    [
        "ftp://cdn.example.com/a",
        "file:///etc/passwd",
        "https:///a",
        "https://user@cdn.example.com/a",
        "https://cdn.example.com:x/a",
        "https://cdn.example.com/a b",
        "https://cdn.example.com/a\r\nHost: x",
        "https://[::1/a",
    ],
)
def test_other_forms_are_refused(url: str) -> None:
    with pytest.raises(ImageProblem) as caught:
        place_of(url, ["cdn.example.com"])
    assert caught.value.reason in ("unknown_form", "not_allowed")


@given(st.text())
def test_any_text_is_refused_or_a_place_of_an_allowed_host(url: str) -> None:
    try:
        place = place_of(f"https://{url}", ["a.example.com"])
    except ImageProblem:
        return
    assert (place.host, place.port) == ("a.example.com", 443)


@pytest.mark.parametrize(
    "address", ["10.1.2.3", "127.0.0.1", "169.254.169.254", "192.168.0.1", "100.64.0.1", "0.0.0.0"]
)
def test_a_name_with_a_private_address_is_refused(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve_to(monkeypatch, "93.184.216.34", address)
    with pytest.raises(ImageProblem, match="private address") as caught:
        connection(place_of("https://a.example.com/", ["a.example.com"]), 1.0, print)
    assert caught.value.reason == "not_allowed"


def test_it_connects_to_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, "93.184.216.34")
    made = connection(place_of("http://a.example.com/", ["a.example.com"]), 1.0, print)
    asked: list[Any] = []

    def refuse(to: Any, *_: Any) -> None:
        asked.append(to)
        raise ConnectionRefusedError

    resolve_to(monkeypatch, "127.0.0.1")  # a moment later the name leads elsewhere
    monkeypatch.setattr("udfs.encoders.addresses.socket.create_connection", refuse)
    with pytest.raises(ConnectionRefusedError):
        made.request("GET", "/")
    assert asked == [("93.184.216.34", 80)]


@given(st.integers(0, 2**32 - 1).map(IPv4Address))
def test_a_wrapped_address_is_as_public_as_the_plain_one(address: IPv4Address) -> None:
    plain = is_public(str(address))
    for high in (0xFFFF << 32, 0x0064FF9B << 96):
        assert is_public(str(IPv6Address(high | int(address)))) == plain
