"""The options with which a file can be read: found by trying them on its first lines.

In: a `Look` and the configuration. Out: options as a person would type them, "" if none helps.
"""

from __future__ import annotations

import csv
import shlex
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import msgspec
from msgspec.structs import replace

from flink_app.config import Config
from flink_app.data.validate.looks import Look, delimiters
from flink_app.data.validate.names import paths, roles
from flink_app.graph.event_settings import decode_settings
from udfs.errors import MillirecError
from udfs.events.decode import Decoder
from udfs.events.presets import PRESETS

Changes = dict[str, Any]
"""Option, as `source.delimiter` → value."""

_LINES = 200
_MIN_READABLE = 0.5


def suggestion(look: Look, config: Config, now_ms: int) -> str:
    """The options with which most of the first lines are events, and more than with `config`.

    >>> from flink_app.config import load
    >>> lines = "user_id;sku;action", *["ann;mug;view"] * 9
    >>> from flink_app.data.validate.looks import look
    >>> found = look("\\n".join(lines).encode())
    >>> suggestion(found, load(None, [], {}).config, 1_700_000_000_000)[:46]
    "--set source.format=csv --set 'source.delimiter"
    """
    lines = look.lines[:_LINES]
    best = max(_MIN_READABLE * len(lines), _events(lines, config, now_ms))
    best_changes: Changes = {}
    for changes in _candidates(look, config):
        with suppress(MillirecError):
            found = _events(lines, changed(config, changes), now_ms)
            if found > best:
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


def _set(option: str, value: str) -> str:
    plain = value.replace("_", "").replace("-", "").replace(".", "").isalnum()
    text = value if plain and not value[0].isdigit() else msgspec.json.encode(value).decode()
    return f"--set {shlex.quote(f'{option}={text}')}"


def _events(lines: tuple[str, ...], config: Config, now_ms: int) -> int:
    """How many of the lines are events, of whatever type."""
    settings = replace(
        decode_settings(config), zero_weight="learn", user_per_minute=0, unknown_type="accept"
    )
    return len(Decoder(settings).decode(lines, now_ms))


def _candidates(look: Look, config: Config) -> Iterator[Changes]:
    """Ways to read the file, the simplest first."""
    encoding: Changes = {}
    if look.encoding not in ("", "utf-8-sig", "utf-16", "utf-32", config.source.encoding):
        encoding = {"source.encoding": look.encoding}
    found = _of_json(look) if look.form == "json" else _of_csv(look)
    for changes in found:
        yield changes | encoding


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
        yield _fields(roles(plain))
        for place in lists:
            below = _below(event, place[:-2])
            inner = [place + "." + path for path in paths(below)[0]]
            yield {"source.each": place} | _fields(roles(plain) | roles(inner))
            yield {"source.each": place} | _fields(roles(inner + plain))
        return


def _below(event: Any, path: str) -> Any:
    for key in path.split("."):
        event = event[key]
    return event[0]


def _of_csv(look: Look) -> Iterator[Changes]:
    base: Changes = {"source.format": "csv"}
    ways = [
        ({} if delimiter == "," else {"source.delimiter": delimiter})
        | ({} if quote == '"' else {"source.quote": quote})
        for quote in ('"', "", "'")
        for delimiter in delimiters(look.lines)[:3] or [","]
    ]
    for way in ways:
        names = _cells(look.lines[0], way)
        yield base | way | _fields(roles(names))
        yield base | way
    for name, preset in PRESETS.items():
        if preset.format == "csv":
            for way in ways:
                delimiter = way.get("source.delimiter", ",")
                other = {} if delimiter == preset.delimiter else {"source.delimiter": delimiter}
                quote = {k: v for k, v in way.items() if k == "source.quote"}
                yield {"source.preset": name} | other | quote


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
