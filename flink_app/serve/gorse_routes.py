"""Gorse's own paths for lists and feedback, so that its SDKs work with millirec.

In: `GET /api/recommend/{user}`, `/api/popular` and `/api/item/{item}/neighbors`, `POST` and `PUT
/api/feedback`. Out: responses in Gorse's form. The key comes in `X-API-Key`, as in Gorse. What it
asks about items is in `gorse_item_routes`.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response

from flink_app.serve.answers import Wish, items_of
from flink_app.serve.bodies import JSON, posted
from flink_app.serve.events import Judge
from flink_app.serve.gorse_items import parts
from flink_app.serve.ids import checked
from flink_app.serve.list_routes import json
from flink_app.serve.parameters import limit
from flink_app.serve.problems import Problem
from flink_app.serve.services import Services
from udfs.events.presets import PRESETS
from udfs.lists.keys import CATEGORY_POPULAR, ITEM, POPULAR

_encode = msgspec.json.Encoder().encode
_BODY = {"requestBody": {"content": {JSON: {"schema": {"type": "array"}}}}}
_EXAMPLE = '[{"FeedbackType":"star","UserId":"alice","ItemId":"kettle","Timestamp":""}]'
_N = Annotated[int, Query(ge=0, le=100_000, description="Maximum number of items; 0: all.")]
_OFFSET = Annotated[int, Query(ge=0, le=100_000, description="Number of items to skip.")]
_VERSION = Annotated[str, Header(description="2: with scores.")]
_WORDS = PRESETS["gorse"].types


class Feedback(msgspec.Struct, forbid_unknown_fields=False):
    """One feedback record of Gorse; other fields are ignored."""

    FeedbackType: str
    UserId: str
    ItemId: str
    Timestamp: str = ""


_one = msgspec.json.Decoder(Feedback).decode
_several = msgspec.json.Decoder(list[Feedback]).decode


def routes(services: Services) -> APIRouter:
    """The routes."""
    serve = services.config.serve
    read = posted(serve, _EXAMPLE)
    router = APIRouter(prefix="/api", tags=["Gorse"], route_class=read)
    longest = services.config.events.max_id_bytes

    @router.get("/recommend/{user:id}", summary="A user's items, in Gorse's form")
    async def recommend(
        request: Request,
        user: str,
        n: _N = 10,
        offset: _OFFSET = 0,
        x_api_version: _VERSION = "1",
    ) -> Response:
        user, category = _user(request)
        checked([user], "user", longest)
        if category:
            wish = Wish(n or None, offset=offset, filter=in_category(category))
            [body] = await services.filters.of_users([user], wish)
            items = items_of(body)
        else:
            [(found, _)] = await services.lists.of_users([user])
            items = items_of(found.value)[offset:][: n or None]
        return _scored(items) if x_api_version == "2" else _names(items)

    @router.get("/item/{item:id}/neighbors", summary="Similar items, in Gorse's form")
    @router.get("/item/{item:id}/neighbors/", include_in_schema=False)
    async def neighbors(request: Request, item: str, n: _N = 10, offset: _OFFSET = 0) -> Response:
        item = parts(request, "/api/item/")[0]
        checked([item], "item", longest)
        [found] = await services.lists.find([ITEM.of(services.lists.stored(item))])
        return _scored(items_of(found.value)[offset:][: n or None])

    @router.get("/popular", summary="What is popular, in Gorse's form")
    @router.get("/popular/{category:path}", summary="What is popular in a category")
    async def popular(n: _N = 10, offset: _OFFSET = 0, category: str = "") -> Response:
        if category:
            checked([category], "category", longest)
            [found] = await services.lists.find([CATEGORY_POPULAR.of(category)])
        else:
            found = services.lists.shared(POPULAR.key)
        return _scored(items_of(found.value)[offset:][: n or None])

    @router.put("/feedback", summary="The same as POST", openapi_extra=_BODY)
    @router.post("/feedback", summary="Gorse feedback, taken as events", openapi_extra=_BODY)
    async def feedback(request: Request) -> Response:
        services.inbox.require()
        body = await request.body()
        try:
            given = _several(body) if body.lstrip()[:1] == b"[" else [_one(body)]
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            detail = f"The body is not feedback: {error}."
            raise Problem(400, "not-feedback", detail, shows_example=True) from None
        limit(len(given), serve.max_batch, "events")
        assert services.judge is not None
        lines = [event(services.judge, one) for one in given]
        judged = await services.take(lines) if lines else None
        answer: dict[str, Any] = {"RowAffected": len(judged.lines) if judged else 0}
        if judged and judged.rejected:
            answer["Rejected"] = [one.detail for one in judged.rejected]
        return json(_encode(answer))

    return router


def _user(request: Request) -> tuple[str, str]:
    """The user and the category of `/api/recommend/alice/tea`; "" if there is none."""
    user, *rest = parts(request, "/api/recommend/")
    return user, "/".join(rest)


def in_category(category: str) -> str:
    """The filter that a category of Gorse is.

    >>> in_category('"tea"')
    '"\\\\"tea\\\\"" in categories'
    """
    return f"{_encode(category).decode()} in categories"


def _scored(items: list[tuple[str, float]]) -> Response:
    return json(_encode([{"Id": item, "Score": score} for item, score in items]))


def _names(items: list[tuple[str, float]]) -> Response:
    return json(_encode([item for item, _ in items]))


def event(judge: Judge, given: Feedback) -> bytes:
    """The feedback as a line of JSON that the job reads.

    Gorse identifies feedback by its type, user and item: sent twice, it counts once. So does the
    event, through its id, if its time is the same too.
    """
    word = _WORDS.get(given.FeedbackType, given.FeedbackType)
    whole = "\0".join((given.FeedbackType, given.UserId, given.ItemId, given.Timestamp))
    digest = hashlib.blake2b(whole.encode(errors="replace"), digest_size=12).hexdigest()
    return judge.event(
        {
            "user": given.UserId,
            "item": given.ItemId,
            "type": word if "FeedbackType" not in judge.fields.values() else given.FeedbackType,
            "ts": given.Timestamp or None,
            "id": f"gorse-{digest}" if given.Timestamp else None,
        }
    )
