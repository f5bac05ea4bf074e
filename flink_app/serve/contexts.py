"""What a request says of somebody without a list: the segments by which they begin.

In: queries such as `country=DE&device=phone`, or the `context` of a body. Out: names of segments.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Annotated

from fastapi import Depends, Request

from flink_app.serve.ids import checked
from flink_app.serve.problems import Problem
from udfs.events.columns import CONTEXT
from udfs.events.people import WORDS
from udfs.models.segments.names import MOST_OF_ONE, of_context

_ABOUT = tuple(dict.fromkeys((*WORDS, *CONTEXT)))
"""The parameters of a query that say what is known of somebody without a list."""


def segments_of(context: Mapping[str, str], longest: int) -> list[str]:
    """The segments of a context: those of an event with it, and one of each further name.

    Args:
        longest: limit of a segment's name in bytes, `events.max_id_bytes`.

    Raises:
        Problem: there are too many, or one is too long or not valid Unicode.

    >>> segments_of({"country": "DE", "job": "nurse", "device": ""}, 512)[:2]
    ['job:nurse', 'country:DE']
    """
    if len(context) > MOST_OF_ONE:
        detail = f"The context has {len(context):,} fields: send {MOST_OF_ONE} at most."
        raise Problem(422, "invalid-request", detail)
    own = [f"{name}:{value}" for name, value in context.items() if value and name not in CONTEXT]
    found = [*own, *of_context(context, time.time_ns() // 1_000_000)]
    checked(found, "context", longest)
    return found


async def _context(request: Request) -> dict[str, str]:
    given = request.query_params
    return {name: given[name] for name in _ABOUT if name in given}


Known = Annotated[dict[str, str], Depends(_context)]
"""The query `country`, `device`, …: the context of a request."""

CONTEXT_QUERY = {
    "parameters": [
        {
            "name": name,
            "in": "query",
            "required": False,
            "schema": {"type": "string"},
            "description": "Of somebody without a list, who gets what such users begin with.",
        }
        for name in _ABOUT
    ]
}
"""The same, for the OpenAPI document."""
