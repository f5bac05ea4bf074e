"""The routes about items: what a shop says of them, and what is known of them.

In: JSON, as docs/items.md describes it. Out: how many lines were accepted, and why others were not;
or an item's fields, as the job has written them to Redis.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from flink_app.lookup.filtered import fields_in
from flink_app.serve.bodies import JSON, LINES, posted
from flink_app.serve.event_routes import report
from flink_app.serve.events import split
from flink_app.serve.ids import checked
from flink_app.serve.list_routes import json
from flink_app.serve.lists import away
from flink_app.serve.parameters import limit
from flink_app.serve.problems import Problem
from flink_app.serve.reader import Away
from flink_app.serve.services import Services
from flink_app.serve.told import line
from udfs.events.item_changes import FIELDS
from udfs.lists.keys import METADATA

_encode = msgspec.json.Encoder().encode
_EXAMPLE = '{"item":"kettle","title":"Copper Kettle","categories":["kitchen"],"price":39.5}'
_PATCH = '{"price":35,"available":false}'
_SCHEMAS = {
    "text": {"type": "string"},
    "texts": {"type": "array", "items": {"type": "string"}},
    "number": {"type": "number"},
    "numbers": {"type": "array", "items": {"type": "number"}},
    "flag": {"type": "boolean"},
    "time": {"type": ["number", "string"]},
    "map": {"type": "object"},
}
_FIELDS = {name: _SCHEMAS[holds] for name, holds in FIELDS.items()}
_ITEM = {
    "type": "object",
    "required": ["item"],
    "properties": {
        "item": {"type": ["string", "integer"]},
        "ts": {"type": ["number", "string"]},
        **_FIELDS,
    },
}
_ITEMS = {
    "required": True,
    "content": {
        JSON: {"schema": {"oneOf": [_ITEM, {"type": "array", "items": _ITEM}]}},
        LINES[0]: {"schema": {"type": "string"}},
    },
}
_CHANGE = {
    "required": True,
    "content": {JSON: {"schema": {"type": "object", "properties": _FIELDS}}},
}


def routes(services: Services) -> APIRouter:
    """The routes."""
    router = APIRouter(tags=["items"])
    for some in (_written(services), _changed(services), _read(services)):
        router.include_router(some)
    return router


def _written(services: Services) -> APIRouter:
    serve = services.config.serve
    router = APIRouter(route_class=posted(serve, _EXAMPLE, lines=True))
    summary = "One item or many, in whole or in part; answered when that is durable"

    @router.post("/items", summary=summary, openapi_extra={"requestBody": _ITEMS})
    async def items(request: Request) -> Response:
        services.item_inbox.require()
        body, kind = await request.body(), request.headers["content-type"]
        lines = split(body, kind, serve.max_batch, "items")
        return json(_encode(report(await services.take_items(lines), "item")))

    return router


def _changed(services: Services) -> APIRouter:
    serve, longest = services.config.serve, services.config.events.max_id_bytes
    router = APIRouter(route_class=posted(serve, _PATCH))

    @router.patch(
        "/items/{item:id}",
        summary="Changes fields of an item; null deletes one",
        openapi_extra={"requestBody": _CHANGE},
    )
    async def change(request: Request, item: str) -> Response:
        services.item_inbox.require()
        checked([item], "item", longest)
        fields = split(await request.body(), JSON, serve.max_batch, "items")
        if len(fields) > 1:
            detail = "The body has several objects: send one, the fields to change."
            raise Problem(422, "invalid-request", detail, shows_example=True)
        return json(_encode(report(await services.take_items(fields, item), "item")))

    return router


def _read(services: Services) -> APIRouter:
    config, lists = services.config, services.lists
    longest, most = config.events.max_id_bytes, config.serve.max_batch
    router = APIRouter()

    async def known(ids: list[str]) -> list[dict[str, Any] | None]:
        checked(ids, "item", longest)
        keys = [f"{config.redis.prefix}{METADATA}{lists.stored(one)}" for one in ids]
        try:
            return [fields_in(value) or None for value in await services.reader.get(keys)]
        except Away as error:
            raise away(str(error)) from None

    @router.get("/items", summary="What is known about items, as under item:<id> in Redis")
    async def items(id: Annotated[list[str], Query(description="Items' ids.")]) -> Response:
        limit(len(id), most, "items")
        return json(_encode({"items": dict(zip(id, await known(id), strict=True))}))

    @router.get("/items/{item:id}", summary="The fields of an item")
    async def fields(item: str) -> Response:
        [found] = await known([item])
        if found is None:
            detail = "Nothing is known about this item, or not yet: nobody has said what it is."
            raise Problem(404, "unknown-item", detail)
        return json(_encode(found))

    @router.delete("/items/{item:id}", summary="Takes an item away, with all its fields")
    async def delete(item: str) -> Response:
        services.item_inbox.require()
        checked([item], "item", longest)
        gone = line(item, {"deleted": True})
        return json(_encode(report(await services.take_items([gone]), "item")))

    return router
