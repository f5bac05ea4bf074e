"""Reads an item's image: a data URL, a file below a folder, or a URL of an allowed host.

In: the item's `image`, a text. Out: its bytes, or an `ImageProblem` with the reason. What it names
comes from others: no path leads out of the folder, no host is asked that is not allowed, and there
are limits to size and time.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import http.client
import socket
import threading
import time
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote_to_bytes, urljoin

from udfs.encoders.addresses import connection, place_of
from udfs.encoders.problems import ImageProblem
from udfs.options.encoders import Images

_REDIRECTS = 3
_MOVED = (301, 302, 303, 307, 308)


def read_image(image: str, options: Images) -> bytes:
    """The bytes of an image.

    Raises:
        ImageProblem: it cannot be had.
    """
    head = image[:8].lower()
    if head.startswith("data:"):
        return _of_data(image, options)
    if head.startswith(("http:", "https:")):
        return _of_url(image, options)
    return _of_file(image, options)


def _of_data(image: str, options: Images) -> bytes:
    """The content of a data URL (RFC 2397)."""
    header, comma, text = image.partition(",")
    if not comma:
        raise ImageProblem("unknown_form", "a data URL without a comma")
    if len(text) > 4 * options.max_bytes:
        raise _large(options)
    try:
        raw = unquote_to_bytes(text)
        data = base64.b64decode(raw, validate=True) if header.endswith(";base64") else raw
    except (binascii.Error, ValueError) as error:
        raise ImageProblem("unknown_form", f"a data URL that is not base64: {error}") from None
    if len(data) > options.max_bytes:
        raise _large(options)
    return data


def _of_file(image: str, options: Images) -> bytes:
    if not options.folder:
        raise ImageProblem("unknown_form", "a path, and images.folder is not set")
    folder = Path(options.folder).resolve()
    try:
        file = (folder / image).resolve()
        if not file.is_relative_to(folder):
            raise ImageProblem("not_allowed", "the path leads out of images.folder")
        if not file.is_file():  # also a device or a pipe, which would never end
            raise ImageProblem("not_found", f"there is no file {image!r} in images.folder")
        with file.open("rb") as opened:
            data = opened.read(options.max_bytes + 1)
    except (OSError, ValueError, RuntimeError) as error:  # too long, a zero byte, a circle of links
        raise ImageProblem("not_found", f"{image[:200]!r}: {error}") from None
    if len(data) > options.max_bytes:
        raise _large(options)
    return data


class _Answer(NamedTuple):
    status: int
    location: str
    data: bytes


def _of_url(url: str, options: Images) -> bytes:
    """The content at a URL; redirects are followed to allowed hosts only."""
    until = time.monotonic() + options.timeout_s
    for _ in range(_REDIRECTS + 1):
        answer = _get(url, options, until)
        if answer.status == 200:
            return answer.data
        if answer.status not in _MOVED or not answer.location:
            raise ImageProblem("not_found", f"{url[:200]} answered {answer.status}")
        url = urljoin(url, answer.location)
    raise ImageProblem("not_found", f"more than {_REDIRECTS} redirects, the last to {url[:200]}")


def _get(url: str, options: Images, until: float) -> _Answer:
    place = place_of(url, options.hosts)
    try:
        with _Cut(until) as cut:
            host = connection(place, _left(until), cut.watch)
            try:
                headers = {"Accept": "image/*", "User-Agent": "millirec"}
                host.request("GET", place.path, headers=headers)
                found = host.getresponse()
                data = _body(found, options) if found.status == 200 else b""
            finally:
                host.close()
            _left(until)
            return _Answer(found.status, found.getheader("Location") or "", data)
    except (OSError, http.client.HTTPException) as error:
        if isinstance(error, TimeoutError) or time.monotonic() >= until:
            raise ImageProblem("timeout", f"{place.host} took too long") from None
        raise ImageProblem("unreachable", f"{place.host}: {error!r}") from None


def _body(found: http.client.HTTPResponse, options: Images) -> bytes:
    data = found.read(options.max_bytes + 1) if (found.length or 0) <= options.max_bytes else None
    if data is None or len(data) > options.max_bytes:
        raise _large(options)
    if found.length:
        raise http.client.IncompleteRead(data, found.length)
    return data


class _Cut:
    """Cuts a connection when its time is over, whatever it does then: a host that drips one byte
    after the other keeps within the limit of each wait."""

    def __init__(self, until: float) -> None:
        self._sockets: list[socket.socket] = []
        self._timer = threading.Timer(_left(until), self._cut)
        self._timer.daemon = True

    def watch(self, opened: socket.socket) -> None:
        """Watch a socket, by a copy that stays valid when TLS takes the socket over."""
        self._sockets.append(opened.dup())
        self._timer.start()

    def _cut(self) -> None:
        for one in self._sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> _Cut:
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        for one in self._sockets:
            one.close()


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _large(options: Images) -> ImageProblem:
    return ImageProblem("too_large", f"more than {options.max_bytes:,} bytes")
