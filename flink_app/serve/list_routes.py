"""The routes that read: lists of users and of items, singly, in batches, or as a stream.

In: requests. Out: the responses that `shape` makes.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query
from msgspec.structs import replace
from starlette.responses import Response

from flink_app.serve.answers import answer
from flink_app.serve.bodies import JSON, posted
from flink_app.serve.ids import checked
from flink_app.serve.lists import Found, away
from flink_app.serve.parameters import Many, Owner, Wished, limit
from flink_app.serve.problems import Problem
from flink_app.serve.reader import Away
from flink_app.serve.services import Services
from flink_app.serve.streams import Stream
from udfs.lists.contract import consumed_of
from udfs.lists.keys import ITEM, METADATA, POPULAR, TRENDING
from udfs.stores.redis_stats import STATS

_EXAMPLE = '{"users":["alice","bob"]}'
_encode = msgspec.json.Encoder().encode


def json(body: bytes) -> Response:
    """A response from bytes that are JSON already."""
    return Response(body, media_type=JSON)


def routes(services: Services) -> APIRouter:
    """The routes."""
    serve, lists = services.config.serve, services.lists
    router = APIRouter(tags=["lists"], route_class=posted(serve, _EXAMPLE))
    longest, most = services.config.events.max_id_bytes, serve.max_batch

    @router.get("/recommend/{user:id}", summary="A user's list, or the popular one")
    async def recommend(user: str, wish: Wished) -> Response:
        checked([user], "user", longest)
        [(found, own)] = await lists.of_users([user])
        return json(answer(found, wish, user, own))

    @router.post("/recommend", summary="The lists of many users, in one round trip to Redis")
    async def recommend_many(many: Many) -> Response:
        limit(len(many.users), most, "users")
        checked(many.users, "user", longest)
        found = await lists.of_users(many.users)
        answers = [
            answer(one, many.wish, user, own)
            for user, (one, own) in zip(many.users, found, strict=True)
        ]
        return json(b'{"lists":[' + b",".join(answers) + b"]}")

    @router.get("/similar/{item:id}", summary="Similar items")
    async def similar(item: str, wish: Wished) -> Response:
        checked([item], "item", longest)
        [found] = await lists.find([ITEM.of(lists.stored(item))])
        if found.value is None:
            detail = "There is no list of similar items: the job has not learned this item yet."
            raise Problem(404, "unknown-item", detail)
        return json(answer(found, wish))

    @router.get(
        "/popular", summary="What is popular now, for everybody or without what a user has consumed"
    )
    async def popular(wish: Wished, user: Owner = None) -> Response:
        found = lists.shared(POPULAR.key)
        if user is None:
            return json(answer(found, wish))
        checked([user], "user", longest)
        [(listed, known)] = await lists.of_users([user])
        if known:
            consumed = consumed_of(listed.value or b"")
            wish = replace(wish, exclude={*wish.exclude, *consumed})
            found = Found(found.value, found.stale or listed.stale)
        return json(answer(found, wish, user, own=False, known=known))

    @router.get("/trending", summary="What is chosen much more than before; may be empty")
    async def trending(wish: Wished) -> Response:
        return json(answer(lists.shared(TRENDING.key), wish))

    @router.get("/stream/{user:id}", summary="A user's list whenever it changes, as events")
    async def stream(user: str, wish: Wished) -> Response:
        checked([user], "user", longest)
        return Stream(services.streams, user, wish)

    @router.get("/items", summary="What the shop has written about items, under item:<id>")
    async def items(id: Annotated[list[str], Query(description="Items' ids.")]) -> Response:
        limit(len(id), most, "items")
        checked(id, "item", longest)
        keys = [f"{services.config.redis.prefix}{METADATA}{lists.stored(one)}" for one in id]
        try:
            values = await services.reader.get(keys)
        except Away as error:
            raise away(str(error)) from None
        return json(_encode({"items": dict(zip(id, map(_metadata, values), strict=True))}))

    @router.get("/stats", summary="The job's counts, speeds and quality")
    async def stats() -> Response:
        try:
            fields = await services.reader.call("HGETALL", f"{services.config.redis.prefix}{STATS}")
        except Away as error:
            raise away(str(error)) from None
        numbers = {name.decode(): _number(value) for name, value in fields.items()}
        return json(_encode(numbers))

    return router


def _metadata(value: bytes | None) -> object:
    """What the shop wrote, if it is a JSON object."""
    try:
        found = msgspec.json.decode(value) if value else None
    except msgspec.DecodeError:
        return None
    return found if isinstance(found, dict) else None


def _number(value: bytes) -> float | int | str:
    try:
        return int(value)
    except ValueError:
        text = value.decode(errors="replace")
    try:
        return float(text)
    except ValueError:
        return text
