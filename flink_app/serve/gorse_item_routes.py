"""The routes of Gorse about items: see `gorse_items`.

In: Gorse's objects. Out: `{"RowAffected": n}` once lines about the items are durable, or items.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from flink_app.lookup.filtered import fields_in
from flink_app.serve.bodies import JSON, posted
from flink_app.serve.gorse_items import Categories, Item, Patch, changed, parts, shown, whole
from flink_app.serve.ids import checked
from flink_app.serve.list_routes import json
from flink_app.serve.lists import away
from flink_app.serve.parameters import limit
from flink_app.serve.problems import Problem
from flink_app.serve.reader import Away
from flink_app.serve.services import Services
from flink_app.serve.told import line
from udfs.lists.keys import METADATA
from udfs.stores.redis_metadata import metadata_key

_encode = msgspec.json.Encoder().encode
_item = msgspec.json.Decoder(Item).decode
_items = msgspec.json.Decoder(list[Item]).decode
_patch = msgspec.json.Decoder(Patch).decode
_EXAMPLE = '{"ItemId":"kettle","Categories":["kitchen"],"Timestamp":"2024-05-01T12:00:00Z"}'
_PATCH = '{"Categories":["kitchen"],"IsHidden":true}'
_BODY = {"requestBody": {"content": {JSON: {"schema": {"type": "object"}}}}}
_ONE, _CATEGORY = "/item/{item:id}", "/item/{item:id}/category/{category:id}"
_BEFORE = "/api/item/"


def routes(services: Services) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/api", tags=["Gorse"])
    categories = Categories()
    for part in (_written, _changed, _categories, _read):
        router.include_router(part(services, categories))
    return router


def _written(services: Services, categories: Categories) -> APIRouter:
    serve = services.config.serve
    router = APIRouter(route_class=posted(serve, _EXAMPLE))

    @router.post("/item", summary="Inserts an item, in Gorse's form", openapi_extra=_BODY)
    @router.post("/items", summary="Inserts items, in Gorse's form", openapi_extra=_BODY)
    async def insert(request: Request) -> Response:
        body = await request.body()
        several = body.lstrip()[:1] == b"["
        items = _read_as(_items, body) if several else [_read_as(_item, body)]
        limit(len(items), serve.max_batch, "items")
        for item in items:
            categories.set(item.ItemId, list(item.Categories or ()))
        return await _take(services, [whole(item) for item in items])

    return router


def _changed(services: Services, categories: Categories) -> APIRouter:
    router = APIRouter(route_class=posted(services.config.serve, _PATCH))

    @router.patch(_ONE, summary="Changes an item, in Gorse's form", openapi_extra=_BODY)
    async def change(request: Request, item: str) -> Response:
        checked([item], "item", services.config.events.max_id_bytes)
        patch: Patch = _read_as(_patch, await request.body())
        if patch.Categories is not None:
            categories.set(item, patch.Categories)
        return await _take(services, [changed(item, patch)])

    return router


def _categories(services: Services, categories: Categories) -> APIRouter:
    router = APIRouter()

    async def split(request: Request) -> tuple[str, str]:
        found = parts(request, _BEFORE)
        item, category = found[0], found[-1]
        checked([item, category], "item", services.config.events.max_id_bytes)
        return item, category

    async def changed_to(item: str, category: str, there: bool) -> Response:
        [fields] = await _fields(services, [item])
        known = categories.of(item, fields or {})
        now = [one for one in known if one != category]
        if there:
            now = known if category in known else [*known, category]
        categories.set(item, now)
        return await _take(services, [line(item, {"categories": now})])

    @router.put(_CATEGORY, summary="Adds a category to an item")
    async def add(request: Request) -> Response:
        return await changed_to(*await split(request), there=True)

    @router.delete(_CATEGORY, summary="Takes a category from an item")
    async def remove(request: Request) -> Response:
        if len(parts(request, _BEFORE)) == 1:  # an id with slashes in it
            return await _delete(services, categories, parts(request, _BEFORE)[0])
        return await changed_to(*await split(request), there=False)

    return router


def _read(services: Services, categories: Categories) -> APIRouter:
    router = APIRouter()
    shards = services.config.job.item_shards

    @router.delete(_ONE, summary="Takes an item away")
    async def delete(item: str) -> Response:
        return await _delete(services, categories, item)

    @router.get(_ONE, summary="An item, in Gorse's form")
    async def get(item: str) -> Response:
        [fields] = await _fields(services, [item])
        if fields is None:
            raise Problem(404, "unknown-item", "Nothing is known about this item, or not yet.")
        return json(_encode(shown(item, fields)))

    @router.get("/items", summary="All items, page by page, in Gorse's form")
    async def items(
        n: Annotated[int, Query(ge=1, le=100_000, description="About how many items.")] = 10,
        cursor: Annotated[str, Query(description="Where to go on; empty: at the start.")] = "",
    ) -> Response:
        shard, at = _position(cursor, shards)
        found: list[str] = []
        while shard < shards and len(found) < n:
            key = metadata_key(services.config.redis.prefix, shard)
            try:
                call = services.reader.call("HSCAN", key, str(at), "COUNT", str(n))
                next_at, entries = await call
            except Away as error:
                raise away(str(error)) from None
            found += [one.decode(errors="replace") for one in entries]
            at = int(next_at)
            shard += at == 0
        fields = await _fields(services, found)
        pairs = zip(found, fields, strict=True)
        listed = [shown(item, one) for item, one in dict(pairs).items() if one is not None]
        going = "" if shard == shards else f"{shard}:{at}"
        return json(_encode({"Cursor": going, "Items": listed}))

    return router


async def _delete(services: Services, categories: Categories, item: str) -> Response:
    checked([item], "item", services.config.events.max_id_bytes)
    categories.set(item, [])
    return await _take(services, [line(item, {"deleted": True})])


async def _take(services: Services, lines: list[bytes]) -> Response:
    services.item_inbox.require()
    if not lines:
        return json(_encode({"RowAffected": 0}))
    judged = await services.take_items(lines)
    answer: dict[str, Any] = {"RowAffected": len(judged.lines)}
    if judged.rejected and not judged.lines:
        detail = f"No item was accepted: {judged.rejected[0].detail}."
        raise Problem(400, "not-an-item", detail)
    if judged.rejected:
        answer["Rejected"] = [one.detail for one in judged.rejected]
    return json(_encode(answer))


async def _fields(services: Services, items: Sequence[str]) -> list[dict[str, Any] | None]:
    checked(items, "item", services.config.events.max_id_bytes)
    head = f"{services.config.redis.prefix}{METADATA}"
    try:
        values = await services.reader.get([head + services.lists.stored(one) for one in items])
    except Away as error:
        raise away(str(error)) from None
    return [fields_in(value) or None for value in values]


def _read_as(decode: Any, body: bytes) -> Any:
    try:
        return decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        detail = f"The body is not what Gorse calls an item: {error}."
        raise Problem(400, "not-an-item", detail, shows_example=True) from None


def _position(cursor: str, shards: int) -> tuple[int, int]:
    """The shard and the place in it that a cursor stands for."""
    shard, _, at = (cursor or "0:0").partition(":")
    if not (shard.isdecimal() and at.isdecimal()) or int(shard) >= shards:
        raise Problem(400, "bad-cursor", "The cursor is not one that this server has given.")
    return int(shard), int(at)
