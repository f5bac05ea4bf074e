"""Metarank's events as lines that the job reads.

In: the events that Metarank imports, `doc/event-schema.md` of its repository: JSON, an object a
line or in arrays. Out: a line for each; for a ranking, an impression of each of its items.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flink_app.data.imports.lines import (
    Line,
    Unusable,
    described,
    is_vector,
    only_vector,
    present,
    translated,
)
from udfs.events.presets import PRESETS
from udfs.events.settings import IMPRESSION

_TYPES = PRESETS["metarank"].types


def lines(record: dict[str, Any]) -> Iterator[Line]:
    """What a record says, in millirec's own form.

    Raises:
        Unusable: it is no event of Metarank.
    """
    kind = record.get("event")
    if kind == "item":
        yield {"kind": "item", **present(item=record.get("item")), **_when(record), **_item(record)}
    elif kind == "user":
        said = described(_named(record))
        yield {"kind": "profile", **present(user=record.get("user")), **_when(record), **said}
    elif kind == "interaction":
        more = present(
            item=record.get("item"),
            type=translated(record.get("type"), _TYPES),
            id=record.get("id"),
            rec=record.get("ranking"),
        )
        yield _visitor(record) | _when(record) | more
    elif kind == "ranking":
        yield from _impressions(record)
    else:
        raise Unusable(
            f"'event' is {kind!r}, but Metarank's are item, user, ranking and interaction"
        )


def _impressions(record: dict[str, Any]) -> Iterator[Line]:
    shown = record.get("items")
    if not isinstance(shown, list) or not all(isinstance(one, dict) for one in shown):
        raise Unusable("the items of the ranking are no list of objects")
    event, who = record.get("id"), _visitor(record) | _when(record)
    for number, one in enumerate(shown):
        own = {} if event is None else {"id": f"{event}#{number}", "rec": event}
        yield who | present(item=one.get("id"), type=IMPRESSION) | own


def _visitor(record: dict[str, Any]) -> Line:
    session = record.get("session")
    return present(user=record.get("user") or session, session=session)


def _when(record: dict[str, Any]) -> Line:
    return present(ts=record.get("timestamp"))


def _item(record: dict[str, Any]) -> Line:
    named = _named(record)
    kept = {name: value for name, value in named.items() if not is_vector(value)}
    return kept | only_vector([value for value in named.values() if is_vector(value)])


def _named(record: dict[str, Any]) -> dict[str, Any]:
    """The fields, which are a list of names and values."""
    listed = record.get("fields") or []
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise Unusable("the fields are no list of objects with a name and a value")
    kept = ("kind", "item", "user", "ts")  # the line's own
    return {
        str(one["name"]): one.get("value")
        for one in listed
        if one.get("name") is not None and one["name"] not in kept
    }
