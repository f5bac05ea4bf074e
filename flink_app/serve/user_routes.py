"""The routes about users: to forget one, and to tell what is known.

In: `DELETE /users/{id}`, Gorse's `DELETE /api/user/{id}`, `GET /users/{id}/data`. Out: the job's
answer: a line goes where the job reads events, and the job writes a receipt, or what it knows, to
Redis (`udfs.learning.rights_step`).
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import msgspec
from fastapi import APIRouter
from starlette.responses import Response

from flink_app.data.rights import answered, kept_of, line, with_lists
from flink_app.serve.bodies import JSON
from flink_app.serve.ids import checked
from flink_app.serve.list_routes import json
from flink_app.serve.lists import away
from flink_app.serve.problems import Problem
from flink_app.serve.reader import Away
from flink_app.serve.services import Services
from udfs.errors import ServiceError
from udfs.events.people import EXPORT, FORGET
from udfs.lists.keys import KNOWN, RECEIPT, digest, keys_of
from udfs.stores.cassandra_reads import CassandraReads

WAIT_S = 5.0
"""How long a request waits for the job."""
_LOOK_S = 0.03
_encode = msgspec.json.Encoder().encode


def routes(services: Services) -> APIRouter:
    """The routes."""
    router = APIRouter()
    second, cassandra = services.second, services.config.cassandra
    reads = second.reads if second else CassandraReads(cassandra)  # not connected before a request

    @router.get("/users/{user:id}/data", tags=["users"], summary="All that is known of a user")
    async def data(user: str) -> Response:
        found = await ask(services, EXPORT, KNOWN, user)
        if found is None:
            raise Problem(503, "not-answered", late("told what it knows"), retry_s=5)
        name = services.lists.stored_user(user)
        try:
            found |= await asyncio.to_thread(kept_of, services.config, name, found, reads)
        except ServiceError as error:
            raise Problem(503, "cassandra-away", str(error), retry_s=5) from None
        return json(_encode(with_lists(found, await _values(services, keys_of(name)))))

    @router.delete("/users/{user:id}", tags=["users"], summary="Forgets a user, with all traces")
    async def forget(user: str) -> Response:
        receipt = await _forget(services, user)
        if receipt is None:
            body = {"forgotten": False, "detail": late("forgotten the user")}
            return Response(_encode(body), 202, media_type=JSON)
        return json(_encode({"forgotten": True, "receipt": receipt}))

    @router.delete("/api/user/{user:id}", tags=["Gorse"], summary="Forgets a user")
    async def forget_as_gorse(user: str) -> Response:
        await _forget(services, user)
        return json(_encode({"RowAffected": 1}))

    return router


async def _forget(services: Services, user: str) -> dict[str, Any] | None:
    """The receipt; None if the job has not written it within `WAIT_S`. The line is durable."""
    try:
        return await ask(services, FORGET, RECEIPT, user)
    finally:  # also where Redis is away: that is when lists are remembered
        services.lists.forget(services.lists.stored_user(user))


async def ask(
    services: Services, kind: str, head: str, user: str, **fields: str
) -> dict[str, Any] | None:
    """Write a line about a user, and wait for the job's answer; None: there is none within
    `WAIT_S`. An answer has the same `fields` as the line.

    Raises:
        Problem: no line can be written, it is refused, or Redis does not answer.
    """
    checked([user], "user", services.config.events.max_id_bytes)
    services.inbox.require()
    ts = services.clock()
    judged = await services.take([line(kind, user, ts, **fields)])
    if not judged.lines:
        raise Problem(422, "bad-id", f"The line is refused: {judged.rejected[0].detail}.")
    key, end = head + digest(services.lists.stored_user(user)), time.monotonic() + WAIT_S
    while (found := answered((await _values(services, [key]))[0], ts, **fields)) is None:
        if time.monotonic() > end:
            return None
        await asyncio.sleep(_LOOK_S)
    return found


async def _values(services: Services, keys: list[str]) -> list[bytes | None]:
    prefix = services.config.redis.prefix
    try:
        return await services.reader.get([prefix + key for key in keys])
    except Away as error:
        raise away(str(error)) from None


def late(what: str) -> str:
    """The sentence where the job has not done what it was asked for."""
    return f"The line is written, but the job has not {what} within {WAIT_S:g} s: does it run?"
