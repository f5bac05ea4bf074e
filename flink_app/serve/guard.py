"""Decides which requests to let in, by the Host header, the API key and the size of the body.

In: each request. Out: the request, passed on; or a problem. Health checks and the files of the
page need no key: they contain no data.
"""

from __future__ import annotations

import hmac
import ipaddress
from urllib.parse import unquote_to_bytes

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flink_app.config.serve_options import Serve
from flink_app.serve.problems import TOO_LARGE, Problem

_OPEN = ("/health/", "/page/", "/docs", "/openapi.json")
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_NOT_TEXT = "The path or the query is percent-encoded from something other than UTF-8."
_WRONG_HOST = (
    "This server does not answer to the name in the Host header: use another name, or add this one "
    "to serve.hosts."
)


class Guard:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, serve: Serve) -> None:
        self._app, self._key = app, serve.api_key.encode()
        self._largest = serve.max_body_bytes
        self._names = frozenset(name.lower() for name in serve.hosts)
        if not serve.hosts and is_loopback(serve.host):
            self._names = frozenset((*_LOOPBACK, serve.host.lower()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI request."""
        if scope["type"] == "http":
            problem = self._problem(Headers(scope=scope), scope["path"])
            if problem is None and not _is_text(scope):
                problem = Problem(400, "not-utf8", _NOT_TEXT)
            if problem is not None:
                await problem.response()(scope, receive, send)
                return
            receive = self._bounded(receive)
        await self._app(scope, receive, send)

    def _bounded(self, receive: Receive) -> Receive:
        """`receive`, but raising once a body sent without Content-Length is too large."""
        size = 0

        async def bounded() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > self._largest:
                raise HTTPException(413)
            return message

        return bounded

    def _problem(self, headers: Headers, path: str) -> Problem | None:
        # Otherwise a page of another site could reach a loopback server through a name of its own.
        if self._names and _name(headers.get("host", "")) not in self._names:
            return Problem(421, "wrong-host", _WRONG_HOST)
        if self._key and path != "/" and not path.startswith(_OPEN):
            scheme, _, token = headers.get("authorization", "").partition(" ")
            given = headers.get("x-api-key") or (
                token.strip() if scheme.lower() == "bearer" else ""
            )
            if not hmac.compare_digest(given.encode(), self._key):
                return Problem(
                    401, "no-key", "Send the server's key (serve.api_key) as X-API-Key or Bearer."
                )
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length[:20]) > self._largest:
            return Problem(413, "body-too-large", TOO_LARGE)
        return None


def _is_text(scope: Scope) -> bool:
    """Whether the path and the query are UTF-8: otherwise they would name something else."""
    query: bytes = scope["query_string"]
    if "\ufffd" not in scope["path"] and b"%" not in query:
        return True
    try:
        unquote_to_bytes(scope["raw_path"]).decode()
        unquote_to_bytes(query).decode()
    except UnicodeDecodeError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether an address to listen on can only be reached from this machine."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _name(host: str) -> str:
    """The host in lower case, without the port."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host).lower()
