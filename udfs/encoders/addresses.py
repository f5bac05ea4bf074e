"""Which hosts images may come from, and connections to them that lead nowhere else.

In: `images.hosts` and a URL. Out: a connection to the very address that was checked, so that a name
cannot be resolved to another one in between. Private, loopback and other special addresses are
refused, unless the address itself is named in `images.hosts`.
"""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Callable, Sequence
from functools import partial
from ipaddress import ip_address, ip_network
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urlsplit

from udfs.encoders.problems import ImageProblem

_PORTS = {"http": 80, "https": 443}
_TRANSLATED = ip_network("64:ff9b::/96")  # IPv4 behind a translator (RFC 6052)


class Place(NamedTuple):
    """A URL whose host is allowed.

    Attributes:
        named: whether the host is an address that is named in `images.hosts`.
    """

    scheme: str
    host: str
    port: int
    path: str
    named: bool


def place_of(url: str, hosts: Sequence[str]) -> Place:
    """The place of a URL.

    Raises:
        ImageProblem: it is no http or https URL, or its host is not allowed.

    >>> place_of("https://a.example.com/x.png?w=9", ["*.example.com"])[1:]
    ('a.example.com', 443, '/x.png?w=9', False)
    """
    try:
        parts = urlsplit(url)
        port, host = parts.port, (parts.hostname or "").rstrip(".").lower()
    except ValueError:
        parts, port, host = SplitResult("", "", "", "", ""), None, ""
    if parts.scheme not in _PORTS or not host or parts.username is not None:
        raise ImageProblem("unknown_form", "the URL has no host, or a user name in it")
    port = port if port is not None else _PORTS[parts.scheme]
    if not any(_allows(one, host, port, _PORTS[parts.scheme]) for one in hosts):
        raise ImageProblem("not_allowed", f"{host}:{port} is not one of images.hosts")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if any(not "!" <= character <= "~" for character in path):
        raise ImageProblem("unknown_form", "the URL has characters that must be escaped")
    return Place(parts.scheme, host, port, path, _is_address(host))


def _allows(entry: str, host: str, port: int, usual: int) -> bool:
    """Whether an entry of `images.hosts` allows a host and port; without a port, the usual one.

    >>> _allows("*.b.com", "a.b.com", 443, 443), _allows("*.b.com", "b.com", 443, 443)
    (True, False)
    >>> _allows("b.com:81", "b.com", 81, 80), _allows("b.com", "b.com", 81, 80)
    (True, False)
    """
    name, colon, given = entry.strip().lower().rpartition(":")
    if not colon or not given.isdecimal():
        name, given = entry.strip().lower(), str(usual)
    name = name.strip("[]")
    if given != str(port):
        return False
    return host.endswith(name[1:]) if name.startswith("*.") else host == name


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def connection(
    place: Place, timeout_s: float, opened: Callable[[socket.socket], object]
) -> http.client.HTTPConnection:
    """A connection that will be made to an address of the place that is allowed.

    Args:
        timeout_s: for each wait. opened: gets the socket, before anything is said or heard.

    Raises:
        ImageProblem: its name is unknown, or one of its addresses is private.
    """
    address = place.host if place.named else _public(place)

    def connect(_: object, *rest: Any) -> socket.socket:
        # To the address; the certificate is still checked for the name.
        made = socket.create_connection((address, place.port), *rest)
        opened(made)
        return made

    kind: Callable[..., http.client.HTTPConnection] = http.client.HTTPConnection
    if place.scheme == "https":
        kind = partial(http.client.HTTPSConnection, context=ssl.create_default_context())
    made = kind(place.host, place.port, timeout=timeout_s)
    made._create_connection = connect  # type: ignore[attr-defined]
    return made


def _public(place: Place) -> str:
    """An address of the place's name; all of them must be public, or none is used."""
    try:
        found = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ImageProblem("unreachable", f"{place.host}: {error}") from None
    addresses = [str(one[4][0]).partition("%")[0] for one in found]
    for address in addresses:
        if not is_public(address):
            raise ImageProblem("not_allowed", f"{place.host} has the private address {address}")
    return addresses[0]


def is_public(address: str) -> bool:
    """Whether an IP address is one of the internet, also if it is wrapped into IPv6.

    >>> [is_public(one) for one in ("10.0.0.1", "127.0.0.1", "169.254.169.254", "::1", "fe80::1")]
    [False, False, False, False, False]
    >>> is_public("::ffff:10.0.0.1"), is_public("64:ff9b::a00:1"), is_public("93.184.216.34")
    (False, False, True)
    """
    one = ip_address(address)
    if one.version == 6:
        inner = one.ipv4_mapped or one.sixtofour
        if inner is not None:
            return is_public(str(inner))
        if one in _TRANSLATED:
            return is_public(str(ip_address(int(one) & 0xFFFFFFFF)))
    return one.is_global and not one.is_multicast and not one.is_reserved
