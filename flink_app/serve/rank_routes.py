"""The route `POST /rank`: orders the caller's own candidates for a user.

In: a user and items. Out: the items with scores, best first; unknown items last, in the order they
came. Items that may not be shown now are left out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from fastapi import APIRouter
from starlette.responses import Response

from flink_app.serve.bodies import posted
from flink_app.serve.factors import Factors
from flink_app.serve.ids import checked
from flink_app.serve.list_routes import json
from flink_app.serve.lists import away
from flink_app.serve.parameters import Candidates, limit
from flink_app.serve.problems import Problem
from flink_app.serve.reader import Away
from flink_app.serve.services import Services
from udfs.lists.keys import FACTOR
from udfs.state.records import read_factor

_encode = msgspec.json.Encoder().encode
_EXAMPLE = '{"user":"alice","items":["kettle","mug"]}'
_NO_FACTORS = (
    "This server has no factors: set redis.factors = true for both the job and this server."
)


def routes(services: Services) -> APIRouter:
    """The route."""
    config = services.config
    router = APIRouter(tags=["lists"], route_class=posted(config.serve, _EXAMPLE))
    longest, most = config.events.max_id_bytes, config.serve.max_batch

    @router.post("/rank", summary="Your own candidates, ranked for a user by the live factors")
    async def rank(candidates: Candidates) -> Response:
        factors = services.factors
        if factors is None:
            raise Problem(501, "no-factors", _NO_FACTORS)
        limit(len(candidates.items), most, "items")
        checked([candidates.user], "user", longest)
        checked(candidates.items, "item", longest)
        try:
            user = services.lists.stored_user(candidates.user)
            [data] = await services.reader.get([f"{config.redis.prefix}{FACTOR}{user}"])
        except Away as error:
            raise away(str(error)) from None
        stored, hidden = services.lists.stored, services.hidden.ids
        if hidden:
            shown = [item for item in candidates.items if stored(item) not in hidden]
            candidates = candidates.model_copy(update={"items": shown})
        return json(_encode(ranked(factors, candidates, data, stored)))

    return router


def ranked(
    factors: Factors,
    candidates: Candidates,
    data: bytes | None,
    stored: Callable[[str], str] = str,
) -> dict[str, Any]:
    """The answer; `data` is the value of `factor:<user>`, `stored` is as in `whole_ids`."""
    vector = read_factor(data, factors.dimensions) if data else None
    items, ids = factors.items, list(map(stored, candidates.items))
    if vector is None:
        scores, known = items.by_popularity(ids)
    else:
        scores, known = items.by_factors(ids, vector)
    order = sorted(range(len(candidates.items)), key=lambda at: (not known[at], -scores[at], at))
    return {
        "known": vector is not None,
        "user": candidates.user,
        "source": "popular" if vector is None else "mf",
        "total": len(order),
        "items": [
            {
                "item": candidates.items[at],
                "score": round(float(scores[at]), 4),
                "known": bool(known[at]),
            }
            for at in order[candidates.offset :][: candidates.n]
        ],
    }
