"""The options with which a file can be read: found by trying them on its first lines.

In: a `Look` and the configuration. Out: options as a person would type them, "" if none helps.
"""

from __future__ import annotations

import csv
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from flink_app.config import Config
from flink_app.data.validate.looks import Look, delimiters, look
from flink_app.data.validate.places import paths
from flink_app.graph.event_settings import decode_settings
from udfs.errors import MillirecError
from udfs.events.decode import Decoder
from udfs.events.names import roles
from udfs.events.presets import PRESETS
from udfs.events.text_files import CHUNK, head_of, open_lines

Changes = dict[str, Any]
"""Option, as `source.delimiter` → value."""

_LINES = 200
_PLAIN = re.compile(r"[A-Za-z][\w.|\[\]-]*")  # needs no quotes in TOML


def advice(path: Path, config: Config, now_ms: int) -> str:
    """What a file is whose lines are no events, and how it can be read; "" if nothing is known."""
    seen = look(head_of(path))
    if seen.form == "json":  # objects may go over several lines
        read = open_lines(path, seen.encoding, most=CHUNK)
        seen = seen._replace(lines=tuple(chain.from_iterable(read)))
    if seen.form == "binary":
        return f"{path} is {seen.kind}: {seen.cure.format(path=path)}"
    if seen.form == "empty":
        return ""
    if options := suggestion(path, seen, config, now_ms):
        return f"{path} is {seen.kind}: most of its first lines can be read with {options}"
    way = next(_ways(seen), {})
    count = len(_cells(seen.lines[0], way)) if seen.form == "csv" else 0
    if count > 1:
        columns = ["user", "item", *[""] * (count - 2)]
        options = shown({"source.format": "csv"} | way | {"source.columns": columns})
        return (
            f"{path} is {seen.kind}: say what its {count} columns are, from left to right, such as "
            f"{options}"
        )
    return f"{path} is {seen.kind}, of which no line is an event in any form known to millirec"


def suggestion(path: Path, seen: Look, config: Config, now_ms: int) -> str:
    """The options with which most of a file's first lines are events, and more than with `config`;
    "" if there are none."""
    lines = seen.lines[:_LINES]
    files = [str(path)] * len(lines)

    def events(config: Config) -> int:
        """How many of the lines are events, of whatever type; 0 if most are not."""
        settings = replace(
            decode_settings(config), zero_weight="learn", user_per_minute=0, unknown_type="accept"
        )
        found = Decoder(settings).decode(lines, now_ms, files)
        return len(found) if len(found) >= len(found.rejected) else 0

    best = 0 if _encoding(seen, config) else events(config)  # its lines are read in another way
    best_changes = Changes()
    for changes in _candidates(seen, config):
        with suppress(MillirecError):
            if (found := events(changed(config, changes))) > best:
                best, best_changes = found, changes
    return shown(best_changes)


def changed(config: Config, changes: Mapping[str, Any]) -> Config:
    """The configuration with other values of some options."""
    for option, value in changes.items():
        section, _, name = option.partition(".")
        part = replace(getattr(config, section), **{name: value})
        config = replace(config, **{section: part})
    return config


def shown(changes: Mapping[str, Any]) -> str:
    r"""The options as a shell takes them.

    >>> shown({"source.preset": "gorse", "source.delimiter": "\t", "source.fields": {"user": "U"}})
    '--preset gorse --set \'source.delimiter="\\t"\' --set source.fields.user=U'
    """
    words = []
    for option, value in changes.items():
        if option == "source.preset":
            words.append(f"--preset {value}")
        elif isinstance(value, dict):
            words += [_set(f"{option}.{name}", one) for name, one in value.items()]
        else:
            words.append(_set(option, value))
    return " ".join(words)


def _set(option: str, value: str | list[str]) -> str:
    plain = isinstance(value, str) and _PLAIN.fullmatch(value)
    text = value if plain else msgspec.json.encode(value).decode()
    return f"--set {shlex.quote(f'{option}={text}')}"


def _candidates(look: Look, config: Config) -> Iterator[Changes]:
    """Ways to read the file, the simplest first."""
    found = _of_json(look) if look.form == "json" else _of_csv(look)
    for changes in found:
        yield changes | _encoding(look, config)


def _encoding(look: Look, config: Config) -> Changes:
    """The option for its encoding, if a byte order mark does not say it."""
    if look.encoding in ("", "utf-8-sig", "utf-16", "utf-32", config.source.encoding):
        return {}
    return {"source.encoding": look.encoding}


def _of_json(look: Look) -> Iterator[Changes]:
    yield {}
    yield from ({"source.preset": n} for n, preset in PRESETS.items() if preset.format == "json")
    for line in look.lines[:_LINES]:
        event: Any = None
        with suppress(msgspec.DecodeError):
            event = msgspec.json.decode(line.strip().strip(","))
        event = event[0] if isinstance(event, list) and event else event
        if not isinstance(event, dict):
            continue
        plain, lists = paths(event)
        outer = _roles(plain)
        yield _fields(outer)
        for place in lists:
            below = _below(event, place[:-2])
            inner = _roles([f"{place}.{path}" for path in paths(below)[0]])
            yield {"source.each": place} | _fields(outer | inner)
            yield {"source.each": place} | _fields(inner | outer)
        return


def _roles(places: Sequence[str]) -> dict[str, str]:
    """The fields that dotted paths suggest, by their last name or their last two."""
    found: dict[str, str] = {}
    for parts in (1, 2):
        by_name = {"_".join(place.split(".")[-parts:]): place for place in reversed(places)}
        for field, name in roles(reversed(by_name)).items():
            found.setdefault(field, by_name[name])
    return found


def _below(event: Any, path: str) -> Any:
    for key in path.split("."):
        event = event[key]
    return event[0]


def _of_csv(look: Look) -> Iterator[Changes]:
    base: Changes = {"source.format": "csv"}
    for way in _ways(look):
        yield base | way
        yield base | way | _fields(roles(_cells(look.lines[0], way)))
    for name, preset in PRESETS.items():
        if preset.format == "csv":
            yield {"source.preset": name}
            for way in _ways(look):
                yield {"source.preset": name} | way


def _ways(look: Look) -> Iterator[Changes]:
    """Delimiters and quotes that cut the lines, the likeliest first."""
    for quote in ('"', "", "'"):
        for delimiter in delimiters(look.lines)[:3]:
            way = {} if delimiter == "," else {"source.delimiter": delimiter}
            yield way if quote == '"' else way | {"source.quote": quote}


def _cells(line: str, way: Changes) -> list[str]:
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
