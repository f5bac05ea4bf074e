"""The route `GET /why/{user}/{item}`: why an item is in a user's list, or is not.

In: two ids. Out: the job's answer, with words: a line goes where the job reads events, and the job
writes the answer to Redis (`udfs.learning.why_step`).
"""

from __future__ import annotations

from typing import Annotated
from urllib.parse import unquote_to_bytes

import msgspec
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from flink_app.lookup.explained import named, with_words
from flink_app.lookup.words import DEFAULT
from flink_app.serve.ids import checked
from flink_app.serve.list_routes import json
from flink_app.serve.problems import Problem
from flink_app.serve.services import Services
from flink_app.serve.user_routes import ask, late
from flink_app.serve.wording import required
from udfs.events.people import WHY
from udfs.lists.keys import WHY as ANSWER

_HEAD = b"/why/"
_encode = msgspec.json.Encoder().encode


def routes(services: Services) -> APIRouter:
    """The route."""
    router, longest = APIRouter(tags=["lists"]), services.config.events.max_id_bytes
    summary = "Why an item is in a user's list, or is not: sentences, sums, past events"

    @router.get("/why/{user:id}/{item:id}", summary=summary)
    async def why(
        request: Request,
        user: str,
        item: str,
        words: Annotated[str, Query(description="The language of the sentences.")] = DEFAULT,
    ) -> Response:
        language = required(words or DEFAULT)
        user, item = _parted(request.scope.get("raw_path") or b"") or (user, item)
        checked([item], "item", longest)
        found = await ask(services, WHY, ANSWER, user, item=services.lists.stored(item))
        if found is None:
            raise Problem(503, "not-answered", late("told why"), retry_s=5)
        if found.get("busy"):
            detail = "The job has answered as many questions as it does in a second."
            raise Problem(503, "busy", detail, retry_s=1)
        said = await services.wording.said(named(found), language)
        return json(_encode(with_words(found, said)))

    return router


def _parted(raw: bytes) -> tuple[str, str] | None:
    """The user and the item in a path as it was sent, where a slash within an id is `%2F`; None:
    that cannot be told, or it is not UTF-8.

    >>> _parted(b"/why/session:s%2F1/a%20b?words=de")
    ('session:s/1', 'a b')
    """
    parts = raw.partition(b"?")[0].removeprefix(_HEAD).split(b"/")
    if not raw.startswith(_HEAD) or len(parts) != 2:
        return None
    try:
        user, item = (unquote_to_bytes(part).decode() for part in parts)
    except UnicodeDecodeError:
        return None
    return user, item
