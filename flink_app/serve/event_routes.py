"""The route `POST /events`: one event or many, acknowledged when they are durable.

In: JSON, as docs/events.md describes it. Out: how many were accepted, and why others were not.
"""

from __future__ import annotations

import time
from typing import Any

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import Response

from flink_app.serve.bodies import JSON, LINES, posted
from flink_app.serve.events import Judge, Judged, split
from flink_app.serve.list_routes import json
from flink_app.serve.problems import Problem
from flink_app.serve.services import Services
from udfs.events.columns import registered

_encode = msgspec.json.Encoder().encode
_SCHEMAS = {"text": {"type": ["string", "integer"]}, "whole": {"type": "integer"}}
_EVENT: dict[str, Any] = {
    "type": "object",
    "allOf": [
        {"anyOf": [{"required": ["user"]}, {"required": ["session"]}]},
        {"anyOf": [{"required": ["item"]}, {"required": ["query"]}]},
    ],
    "properties": {
        "user": {"type": ["string", "integer"]},
        "item": {"type": ["string", "integer"]},
        "type": {"type": "string", "examples": ["view", "click", "purchase", "search"]},
        "query": {"type": "string", "description": "What a user of type search looks for."},
        "ts": {"type": ["number", "string"]},
        "value": {"type": "number"},
        "id": {"type": ["string", "integer"]},
        "session": {
            "type": ["string", "integer"],
            "description": "The visit that the event is of; without a user, whose event it is.",
        },
        **{f: _SCHEMAS.get(column.holds, {"type": "number"}) for f, column in registered().items()},
    },
}
_BODY = {
    "required": True,
    "content": {
        JSON: {"schema": {"oneOf": [_EVENT, {"type": "array", "items": _EVENT}]}},
        LINES[0]: {"schema": {"type": "string"}},
    },
}


def routes(services: Services) -> APIRouter:
    """The route."""
    serve = services.config.serve
    read = posted(serve, example(services.judge), lines=True)
    router, most = APIRouter(tags=["events"], route_class=read), serve.max_batch
    summary = "One event or many; answered when they are durable"

    @router.post("/events", summary=summary, openapi_extra={"requestBody": _BODY})
    async def events(request: Request) -> Response:
        services.inbox.require()
        lines = split(await request.body(), request.headers["content-type"], most)
        return json(_encode(report(await services.take(lines))))

    return router


def example(judge: Judge | None) -> str:
    """An event in the form that the server takes; a file, where its form has more in it."""
    if judge is None:
        return '{"user":"alice","item":"kettle","type":"view"}'
    line = judge.event({"user": "alice", "item": "kettle", "type": judge.view})
    return (
        line.decode() if judge.judge([line], time.time_ns() // 1_000_000).lines else "@event.json"
    )


def report(judged: Judged, what: str = "event") -> dict[str, object]:
    """The body of the response; `what` the lines are.

    Raises:
        Problem: 422, none of them was accepted.
    """
    rejected = [
        {"index": one.index, "reason": one.reason, "detail": one.detail}
        | ({"element": one.element} if one.element >= 0 else {})
        for one in judged.rejected
    ]
    if judged.rejected and not judged.lines:
        detail = f"No {what} was accepted: {judged.rejected[0].detail}."
        more = {"accepted": 0, "rejected": rejected}
        raise Problem(422, f"no-{what}-accepted", detail, more, shows_example=True)
    ignored = {"ignored": judged.ignored} if judged.ignored else {}
    return {"accepted": len(judged.lines), "rejected": rejected} | ignored
