"""The methods that each path takes: HEAD wherever GET is, and which to name where one is refused.

In: each request; the routes. Out: the answer to GET without its body; the value of `Allow`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from starlette.routing import BaseRoute, Match, Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Head:
    """ASGI middleware: answers HEAD as GET would be, with the same headers and no body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI request."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        inner: Scope = {**scope, "method": "GET", "asgi": {"version": "3.0", "spec_version": "2.3"}}
        asked, started = False, asyncio.Event()

        async def nothing() -> Message:
            """An empty body; then, once the headers are out, the end: a stream would go on."""
            nonlocal asked
            if asked:
                await started.wait()
                return {"type": "http.disconnect"}
            asked = True
            return {"type": "http.request", "body": b"", "more_body": False}

        async def headers_only(message: Message) -> None:
            if message["type"] == "http.response.start":
                await send(message)
                started.set()

        try:
            await self._app(inner, nothing, headers_only)
        finally:
            scope["route"] = inner.get("route")  # for the metrics
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def allowed(routes: Iterable[BaseRoute], path: str) -> list[str]:
    """The methods that a path takes, in the form of the header `Allow`; none: there is no such
    path."""
    found = []
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        asked: Scope = {
            "type": "http",
            "path": path,
            "root_path": "",
            "method": method,
            "headers": [],
        }
        if any(_takes(route, asked) for route in routes):
            found += ["GET", "HEAD"] if method == "GET" else [method]
    return [*found, "OPTIONS"] if found else []


def _takes(route: BaseRoute, asked: Scope) -> bool:
    if isinstance(route, Mount) and asked["method"] != "GET":  # of files
        return False
    return route.matches(dict(asked))[0] is Match.FULL
