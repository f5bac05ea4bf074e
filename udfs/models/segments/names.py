"""Which segments a user or an event belongs to: "country:DE", "age_band:25-34", "hour:17".

In: the fields of a profile as they are now (`udfs.state.item_records.fields_of`), or the context of
an event. Out: names of segments, and what a questionnaire says is liked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from udfs.events.columns import CONTEXT
from udfs.events.people import WORDS

MOST_OF_ONE = 8
"""Segments of one user or event; more say little that these do not."""
ALL, EARLY = "all", "early"
"""The list of all users without events, and the counts of all users' early events. No segment has
such a name, because it would have a colon."""
_HOUR_MS = 3_600_000


def of_profile(fields: Mapping[str, Any]) -> list[str]:
    """The segments of a profile: its words, and its attributes that are text or lists of text.

    >>> of_profile({"country": "DE", "attributes": {"job": "nurse", "plays": ["go"], "cm": 180.0}})
    ['country:DE', 'job:nurse', 'plays:go']

    Nobody who does not want personal lists is in a segment:

    >>> of_profile({"country": "DE", "personalise": False})
    []
    """
    if fields.get("personalise") is False:
        return []
    found = {f"{name}:{fields[name]}": None for name in WORDS if fields.get(name)}
    for name, value in sorted((fields.get("attributes") or {}).items()):
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, str) and one:
                found[f"{name}:{one}"] = None
    return [*found][:MOST_OF_ONE]


def likes_of(fields: Mapping[str, Any]) -> tuple[str, ...]:
    """What a profile says is liked: items, `category:…`, `provider:…`."""
    return () if fields.get("personalise") is False else tuple(fields.get("likes") or ())


def of_context(context: Mapping[str, str], ts_ms: int) -> list[str]:
    """The segments of an event's context; a referrer is known by its host. None without any
    context: the hour alone makes no segment.

    Args:
        ts_ms: the event's time, ms since 1970, of which the hour in UTC is taken.

    >>> of_context({"device": "phone", "referrer": "https://news.example/a?b=1"}, 7_200_000)
    ['device:phone', 'referrer:news.example', 'hour:2']
    """
    found = []
    for name in CONTEXT:
        if value := context.get(name):
            found.append(f"{name}:{_host(value) if name == 'referrer' else value}")
    return [*found, f"hour:{ts_ms // _HOUR_MS % 24}"] if found else []


def _host(referrer: str) -> str:
    try:
        return urlsplit(referrer).hostname or referrer
    except ValueError:
        return referrer
