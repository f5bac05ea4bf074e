"""Answers the most common request, `GET /recommend/{user}` with no parameter but `n` and `filter`,
ahead of the framework, whose routing and validation would take most of the time. The rest is passed
on.

In: requests that the guard has let in. Out: the same answers as the framework's route gives.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

from starlette.types import ASGIApp, Receive, Scope, Send

from flink_app.serve.answers import Wish, answer
from flink_app.serve.ids import checked
from flink_app.serve.problems import Problem
from flink_app.serve.services import Services

_PATH = "/recommend/"
_QUERY = re.compile(rb"(?:n=([1-9][0-9]{0,4}))?")
_NUMBER = re.compile("[1-9][0-9]{0,4}")
_ALL = Wish()


class _Route:
    path = "/recommend/{user:id}"  # for the metrics, like the framework's own routes


class Shortcut:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, services: Services) -> None:
        self._app, self._lists, self._filters = app, services.lists, services.filters
        self._longest = services.config.events.max_id_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI request."""
        path: str = scope.get("path", "")
        if not (path.startswith(_PATH) and scope["type"] == "http" and scope["method"] == "GET"):
            await self._app(scope, receive, send)
            return
        wish, user = _wish(scope["query_string"]), path[len(_PATH) :]
        if wish is None or not user:
            await self._app(scope, receive, send)
            return
        scope["route"] = _Route
        try:
            checked((user,), "user", self._longest)
            if wish.filter:
                [body] = await self._filters.of_users((user,), wish)
            else:
                [(found, own)] = await self._lists.of_users((user,))
                body = answer(found, wish, user, own)
        except Problem as problem:
            await problem.response()(scope, receive, send)
            return
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def _wish(query: bytes) -> Wish | None:
    """What a query wishes; None if it has other parameters, which the framework looks at.

    >>> _wish(b"n=3"), _wish(b"filter=price+%3C+2&n=3").filter, _wish(b"n=3&offset=1")
    (Wish(n=3, exclude=(), explain=True, offset=0, filter='', words=''), 'price < 2', None)
    """
    found = _QUERY.fullmatch(query)
    if found is not None:
        return Wish(int(found[1])) if found[1] else _ALL
    if b"filter=" not in query:
        return None
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    given = dict(pairs)
    n = given.get("n", "1")
    if len(given) < len(pairs) or given.keys() - {"n", "filter"} or not _NUMBER.fullmatch(n):
        return None
    return Wish(int(n) if "n" in given else None, filter=given.get("filter", ""))
