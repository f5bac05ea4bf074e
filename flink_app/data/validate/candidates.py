"""Ways to read a file: options worth trying, from the words and marks on its first lines.

In: a `Look` and the configuration. Out: options and their values, the simplest ways first.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from flink_app.config import Config
from flink_app.data.validate.looks import Look, delimiters
from flink_app.data.validate.places import paths
from udfs.events.items.row_changes import is_change, row_of
from udfs.events.items.values import Bad
from udfs.events.names import fold, roles
from udfs.events.presets import PRESETS

Changes = dict[str, Any]
"""Option, as `source.delimiter` → value."""

LINES = 200
"""How many of a file's first lines are tried."""
_SHAPES = 5  # kinds of JSON objects among them from which fields are proposed
# MongoDB's Extended JSON: {"$oid": …}, {"$date": {"$numberLong": …}}
# https://www.mongodb.com/docs/manual/reference/mongodb-extended-json/
_MONGO = re.compile(r"(\.\$(oid|date|number\w+|uuid))+$")


def candidates(look: Look, config: Config) -> Iterator[Changes]:
    """Ways to read the file, the simplest first."""
    found = _of_json(look) if look.form == "json" else _of_csv(look)
    for changes in found:
        yield changes | encoding_option(look, config)


def encoding_option(look: Look, config: Config) -> Changes:
    """The option for its encoding, if a byte order mark does not say it."""
    if look.encoding in ("", "utf-8-sig", "utf-16", "utf-32", config.source.encoding):
        return {}
    return {"source.encoding": look.encoding}


def _of_json(look: Look) -> Iterator[Changes]:
    yield {}
    yield from ({"source.preset": n} for n, preset in PRESETS.items() if preset.format == "json")
    for event, plain, lists in _shapes(look.lines[:LINES]):
        if is_change(event):
            yield {"source.preset": "debezium"} | _fields(roles(_columns(event), abroad=True))
            continue
        outer = _roles(plain)
        yield _fields(outer)
        for place in lists:
            below = _below(event, place[:-2])
            inner = _roles([f"{place}.{path}" for path in paths(below)[0]])
            yield {"source.each": place} | _fields(outer | inner)
            yield {"source.each": place} | _fields(inner | outer)


def _columns(change: Mapping[str, Any]) -> list[str]:
    """The names of the columns of a row that changes."""
    with suppress(Bad):
        row = row_of(change)
        return [*row.columns] if row else []
    return []


def _shapes(lines: Sequence[str]) -> Iterator[tuple[dict[str, Any], list[str], list[str]]]:
    """The first objects that differ in their places, with these: `paths`."""
    seen: set[tuple[str, ...]] = set()
    for line in lines:
        event: Any = None
        with suppress(msgspec.DecodeError):
            event = msgspec.json.decode(line.strip().strip(","))
        event = event[0] if isinstance(event, list) and event else event
        if not isinstance(event, dict):
            continue
        if "payload" in event:  # an envelope of Kafka Connect
            event.pop("schema", None)
        plain, lists = paths(event)
        if (shape := (*plain, *lists)) in seen:
            continue
        seen.add(shape)
        yield event, plain, lists
        if len(seen) == _SHAPES:
            return


def _roles(places: Sequence[str]) -> dict[str, str]:
    """The fields that dotted paths suggest, by their last name or their last two."""
    found: dict[str, str] = {}
    for parts in (1, 2):
        by_name = {
            "_".join(_MONGO.sub("", place).split(".")[-parts:]): place for place in reversed(places)
        }
        for field, name in roles(reversed(by_name)).items():
            found.setdefault(field, by_name[name])
    return found


def _below(event: Any, path: str) -> Any:
    for key in path.split("."):
        event = event[key]
    return event[0]


def _of_csv(look: Look) -> Iterator[Changes]:
    base: Changes = {"source.format": "csv"}
    for way in ways(look):
        header = set(map(fold, cells_of(look.lines[0], way)))
        for name, preset in PRESETS.items():  # whose names are all in the header
            if (
                preset.format == "csv"
                and preset.columns
                and header >= set(map(fold, preset.columns))
            ):
                yield {"source.preset": name}
        yield base | way
        yield base | way | _fields(roles(cells_of(look.lines[0], way), abroad=True))
    for name, preset in PRESETS.items():
        if preset.format == "csv":
            yield {"source.preset": name}
            for way in ways(look):
                yield {"source.preset": name} | way


def ways(look: Look) -> Iterator[Changes]:
    """Delimiters and quotes that cut the lines, the likeliest first."""
    for quote in ('"', "", "'"):
        for delimiter in delimiters(look.lines)[:3]:
            way = {} if delimiter == "," else {"source.delimiter": delimiter}
            yield way if quote == '"' else way | {"source.quote": quote}


def cells_of(line: str, way: Changes) -> list[str]:
    """The cells of a line, read by these options, without the blanks around them; [] if it cannot
    be."""
    delimiter, quote = way.get("source.delimiter", ","), way.get("source.quote", '"')
    if len(delimiter) > 1 or not quote:
        return [cell.strip() for cell in line.split(delimiter)]
    with suppress(csv.Error):
        return [c.strip() for c in next(csv.reader([line], delimiter=delimiter, quotechar=quote))]
    return []


def _fields(found: Mapping[str, str]) -> Changes:
    """The options for these names; ratings without a type are ratings."""
    fields = {field: name for field, name in found.items() if field != name}
    changes: Changes = {"source.fields": fields} if fields else {}
    if "value" in found and "type" not in found:
        changes["events.default_type"] = "rating"
    return changes
