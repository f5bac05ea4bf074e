"""The routes that read: lists of users and of items, singly, in batches, or as a stream.

In: requests. Out: the responses that `shape` makes.
"""

from __future__ import annotations

import msgspec
from fastapi import APIRouter
from msgspec.structs import replace
from starlette.responses import Response

from flink_app.serve.answers import Wish, answer
from flink_app.serve.bodies import JSON, posted
from flink_app.serve.contexts import CONTEXT_QUERY, Known, segments_of
from flink_app.serve.filters import Asked, check
from flink_app.serve.ids import checked
from flink_app.serve.lists import Found, away
from flink_app.serve.parameters import Many, Owner, Wished, limit
from flink_app.serve.problems import Problem
from flink_app.serve.reader import Away
from flink_app.serve.services import Services
from flink_app.serve.streams import Stream
from udfs.lists.contract import consumed_of
from udfs.lists.keys import ITEM, POPULAR, TRENDING
from udfs.stores.redis_stats import STATS

_EXAMPLE = '{"users":["alice","bob"]}'
_encode = msgspec.json.Encoder().encode


def json(body: bytes) -> Response:
    """A response from bytes that are JSON already."""
    return Response(body, media_type=JSON)


def routes(services: Services) -> APIRouter:
    """The routes."""
    serve, lists, filters = services.config.serve, services.lists, services.filters
    words = services.wording.of
    router = APIRouter(tags=["lists"], route_class=posted(serve, _EXAMPLE))
    longest, most = services.config.events.max_id_bytes, serve.max_batch

    async def _of_all(found: Found, wish: Wish, name: str) -> bytes:
        """The answer with a list that is the same for everybody."""
        if wish.filter:
            [body] = await filters.of([Asked(found)], wish, name)
        else:
            body = answer(found, wish)
        return await words(body, wish.words)

    @router.get(
        "/recommend/{user:id}",
        summary="A user's list, or that of a context, or the popular one",
        openapi_extra=CONTEXT_QUERY,
    )
    async def recommend(user: str, wish: Wished, context: Known) -> Response:
        checked([user], "user", longest)
        segments = segments_of(context, longest)
        if wish.filter:
            [body] = await filters.of_users([user], wish, segments)
        else:
            [(found, own)] = await lists.of_users([user], segments)
            body = answer(found, wish, user, own)
        return json(await words(body, wish.words, segments))

    @router.post("/recommend", summary="The lists of many users, in one round trip to Redis")
    async def recommend_many(many: Many) -> Response:
        limit(len(many.users), most, "users")
        checked(many.users, "user", longest)
        segments = segments_of(many.context, longest)
        wish = many.wish
        if many.filter:
            answers = await filters.of_users(many.users, wish, segments)
        else:
            found = await lists.of_users(many.users, segments)
            answers = [
                answer(one, wish, user, own)
                for user, (one, own) in zip(many.users, found, strict=True)
            ]
        answers = [await words(one, wish.words, segments) for one in answers]
        return json(b'{"lists":[' + b",".join(answers) + b"]}")

    @router.get("/similar/{item:id}", summary="Similar items")
    async def similar(item: str, wish: Wished) -> Response:
        checked([item], "item", longest)
        [found] = await lists.find([ITEM.of(lists.stored(item))])
        if found.value is None:
            detail = "There is no list of similar items: the job has not learned this item yet."
            raise Problem(404, "unknown-item", detail)
        return json(await _of_all(found, wish, ITEM.key))

    @router.get(
        "/popular", summary="What is popular now, for everybody or without what a user has consumed"
    )
    async def popular(wish: Wished, user: Owner = None) -> Response:
        found, known = lists.shared(POPULAR.key), None
        if user is not None:
            checked([user], "user", longest)
            [(listed, known)] = await lists.of_users([user])
            if known:
                consumed = consumed_of(listed.value or b"")
                wish = replace(wish, exclude={*wish.exclude, *consumed})
                found = Found(found.value, found.stale or listed.stale)
        if wish.filter:
            [body] = await filters.of([Asked(found, user, False, known)], wish, POPULAR.key)
        else:
            body = answer(found, wish, user, own=False, known=known)
        return json(await words(body, wish.words))

    @router.get("/trending", summary="What is chosen much more than before; may be empty")
    async def trending(wish: Wished) -> Response:
        found = lists.shared(TRENDING.key)
        return json(await _of_all(found, wish, TRENDING.key))

    @router.get("/stream/{user:id}", summary="A user's list whenever it changes, as events")
    async def stream(user: str, wish: Wished) -> Response:
        checked([user], "user", longest)
        if wish.filter:
            check(wish.filter)  # what is wrong with it is said before the stream begins
        return Stream(services.streams, user, wish)

    @router.get("/stats", summary="The job's counts, speeds and quality")
    async def stats() -> Response:
        try:
            fields = await services.reader.call("HGETALL", f"{services.config.redis.prefix}{STATS}")
        except Away as error:
            raise away(str(error)) from None
        numbers = {name.decode(): _number(value) for name, value in fields.items()}
        return json(_encode(numbers))

    return router


def _number(value: bytes) -> float | int | str:
    try:
        return int(value)
    except ValueError:
        text = value.decode(errors="replace")
    try:
        return float(text)
    except ValueError:
        return text
