"""Which pages may send what needs no preflight: those of the server itself, and of `serve.cors`.

In: the headers of a request from a page. Out: nothing; or a `Problem`.

A browser adds `Origin` to each such request, and no page can change it, `Host` or
`X-Forwarded-*`: the first two are forbidden to scripts, the others need a preflight
(https://fetch.spec.whatwg.org/#forbidden-request-header). So they are worth believing here, where
the question is what a visitor's browser may be made to do. Other clients can say what they like.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from starlette.datastructures import Headers

from flink_app.serve.problems import Problem
from udfs.errors import ConfigError

_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?")
_PORTS = {"http": ":80", "https": ":443"}
_FORM = 'a scheme, a host and a port if it is not the scheme\'s own, such as "https://shop.example"'
_NULL = (
    "The page does not say its origin (Origin: null), so its text/plain is not taken: serve it "
    "with Referrer-Policy: same-origin or the browser's default, not no-referrer, or send "
    "application/json."
)


def require_origins(cors: Sequence[str]) -> None:
    """See that each of `serve.cors` is written as browsers write an `Origin`: others match nothing.

    >>> require_origins(["*", "https://shop.example", "http://localhost:3000", "capacitor://app"])
    >>> require_origins(["https://Shop.example:443/"])
    Traceback (most recent call last):
    udfs.errors.ConfigError: serve.cors has "https://Shop.example:443/", which no browser sends as \
its origin: write "https://shop.example".
    >>> require_origins(["shop.example"])
    Traceback (most recent call last):
    udfs.errors.ConfigError: serve.cors has "shop.example", which no browser sends as its origin: \
write a scheme, a host and a port if it is not the scheme's own, such as "https://shop.example".

    Raises:
        ConfigError: one is not.
    """
    for origin in cors:
        scheme, mark, rest = origin.strip().partition("://")
        better = _plain(f"{scheme}{mark}{re.split('[/?#]', rest)[0]}")
        if origin != "*" and (origin != better or not _ORIGIN.fullmatch(better)):
            advice = f'"{better}"' if _ORIGIN.fullmatch(better) else _FORM
            raise ConfigError(
                f'serve.cors has "{origin}", which no browser sends as its origin: write {advice}.'
            )


def let_in(headers: Headers, scheme: str, cors: Sequence[str]) -> None:
    """Check the `Origin` of a request.

    Args:
        scheme: of the request as it arrived here. cors: `serve.cors`.

    Raises:
        Problem: 403, it is neither the server's own nor in `cors`.
    """
    origin = headers.get("origin", "")
    if origin == "null":
        raise Problem(403, "wrong-origin", _NULL)
    page = _plain(origin)
    if origin in cors or "*" in cors or (page == own(headers, scheme) and page[-3:] != "://"):
        return
    detail = (
        f"text/plain from pages of {origin[:200]!r} is not taken, as this server is "
        f"{own(headers, scheme)[:200]!r}: add the origin to serve.cors, or send application/json. "
        "A proxy has to pass on Host, and X-Forwarded-Proto where it adds TLS."
    )
    raise Problem(403, "wrong-origin", detail)


def own(headers: Headers, scheme: str) -> str:
    """The server's origin as the browser sees it, through proxies that say so.

    >>> own(Headers({"host": "Shop.example:80"}), "http")
    'http://shop.example'
    >>> own(Headers({"host": "10.0.0.7:8080", "x-forwarded-proto": "https",
    ...              "x-forwarded-host": "shop.example, inner"}), "http")
    'https://shop.example'
    """
    host = headers.get("x-forwarded-host") or headers.get("host", "")
    scheme = headers.get("x-forwarded-proto") or scheme
    return _plain(f"{_first(scheme)}://{_first(host)}")


def _first(several: str) -> str:
    """What the outermost of several proxies says."""
    return several.partition(",")[0].strip()


def _plain(origin: str) -> str:
    """In lower case, without a port that goes without saying."""
    origin = origin.lower()
    return origin.removesuffix(_PORTS.get(origin.partition("://")[0], "\0"))
