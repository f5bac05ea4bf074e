"""Requests to the stack's servers that speak HTTP.

In: an address on loopback. Out: the answer's body (`bytes`).
"""

from __future__ import annotations

import urllib.request
from collections.abc import Mapping

# Without proxies: those in the environment are not meant for loopback.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def ask(
    url: str,
    method: str = "GET",
    content: bytes | None = None,
    headers: Mapping[str, str] = {},
    timeout: float = 10.0,
) -> bytes:
    """The answer; raises `urllib.error.HTTPError` if it is an error, `OSError` if there is none."""
    request = urllib.request.Request(url, content, dict(headers), method=method)
    with _opener.open(request, timeout=timeout) as answer:
        return bytes(answer.read())
