"""The options with which a file can be read: found by trying them on its first lines.

In: a `Look` and the configuration. Out: options as a person would type them, "" if none helps.
"""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from flink_app.config import Config
from flink_app.data.validate.candidates import (
    LINES,
    Changes,
    candidates,
    cells_of,
    encoding_option,
    ways,
)
from flink_app.data.validate.looks import CHANGES, Look, is_header, look
from flink_app.graph.event_settings import decode_settings
from udfs.errors import MillirecError
from udfs.events.decode import Decoder
from udfs.events.first_lines import MOST_LINES
from udfs.events.layout import layout_of, listed
from udfs.events.names import fold
from udfs.events.raw_columns import Rejected
from udfs.events.text_files import CHUNK, head_of, open_lines

_THEN = "then run `millirec validate` again, which says what else is wrong"
_OF_ROWS = (
    "if its rows are items, {items} --set items.preset=debezium reads them, and "
    "--set items.fields.item=NAME where their id is not id; if they are events, --preset debezium "
    "--set source.fields.user=NAME --set source.fields.item=NAME"
)
_BEHIND_IDS = ("bad_time", "time_out_of_range", "missing_value", "not_finite", "value_out_of_range")
"""Reasons for lines whose user and item are there."""
_PLAIN = re.compile(r"[A-Za-z][\w.|\[\]-]*")  # needs no quotes in TOML


class Score(NamedTuple):
    """How well options read some lines; what comes first decides.

    Attributes:
        events: events of any type, known or not; 0 if they are less than half of the lines.
        known: events of a type that has a weight. timed: those with a time.
        found: lines whose user and item are found, whatever else cannot be read of them.
    """

    events: int = 0
    known: int = 0
    timed: int = 0
    found: int = 0


def advice(path: Path, config: Config, now_ms: int) -> str:
    """What a file is whose lines are no events, and how it can be read; "" if the reasons for its
    lines say more."""
    seen = look(head_of(path))
    if seen.form == "json":  # objects may go over several lines
        read = open_lines(path, seen.encoding, most=CHUNK)
        seen = seen._replace(lines=tuple(chain.from_iterable(read)))
    if seen.form == "binary":
        return f"{path} is {seen.kind}: {seen.cure.format(path=shlex.quote(str(path)))}"
    if seen.form == "empty":
        return ""
    now, best, changes = suggestion(path, seen, config, now_ms)
    options = shown(changes)
    told = f"{path} is {seen.kind}"
    if options and best.events:
        order = _order_of(changed(config, changes), seen)
        return f"{told}: {order}most of its first lines can be read with {options}"
    if options:
        return f"{told}: with {options} the users and items of its first lines are found; {_THEN}"
    if now.events or now.found:
        return ""
    if seen.form == "csv":
        return _of_columns(told, seen, config)
    if seen.kind.startswith(CHANGES):
        items = shown({"items.kind": "files", "items.paths": [str(path)]})
        return f"{told}: {_OF_ROWS.format(items=items)}"
    return f"{told}, of which no line is an event in any form known to millirec"


def _of_columns(told: str, seen: Look, config: Config) -> str:
    """What to say of cells that are no events: what their header lacks, or to name them."""
    base: Changes = {"source.format": "csv"} | encoding_option(seen, config)
    for way in ways(seen):
        with suppress(MillirecError):
            read = changed(config, base | way)
            preset = decode_settings(read).preset
            layout = layout_of(preset, seen.lines[:MOST_LINES])
            if len(layout.header) < 2 or layout.header == preset.columns:
                continue
            if read == config:
                return ""
            return (
                f"{told}: with {shown(base | way)} its header is found; {layout.problem or _THEN}"
            )
    way = next(ways(seen), {})
    cells = cells_of(seen.lines[0], way)
    if len(cells) < 2:
        return f"{told}, of which no line is an event in any form known to millirec"
    columns: Changes = {"source.columns": ["user", "item", *[""] * (len(cells) - 2)]}
    if is_header([cells_of(line, way) for line in seen.lines[:LINES]]):
        columns |= {"source.header": "yes"}
    return (
        f"{told}: say what its {len(cells)} columns are ({listed(cells)}), from left to right. If "
        "the first is the user and the second the item: "
        f"{shown(base | way | columns)}"
    )


def _order_of(config: Config, seen: Look) -> str:
    """A condition, if nothing in the file says which of its columns are which."""
    preset = decode_settings(config).preset
    if preset.format != "csv" or not preset.columns:
        return ""
    layout = layout_of(preset, seen.lines[:MOST_LINES])
    first = cells_of(seen.lines[0], {"source.delimiter": preset.delimiter})
    if layout.names != preset.columns or {*map(fold, first)} & {*map(fold, preset.columns)}:
        return ""
    return f"if its columns are {listed(preset.columns)}, in this order, "


def suggestion(path: Path, seen: Look, config: Config, now_ms: int) -> tuple[Score, Score, Changes]:
    """How well a file's first lines are read now, how well with other options, and these options:
    none if no others are better."""
    lines = seen.lines[:LINES]
    files = [str(path)] * len(lines)

    def score(config: Config) -> Score:
        settings = replace(decode_settings(config), zero_weight="learn", user_per_minute=0)
        decoder = Decoder(settings)
        raw = decoder.read(lines, files)
        found = decoder.check(raw, now_ms)
        reasons = Counter(bad.reason for bad in found.rejected)
        events = len(found) + reasons["unknown_type"]
        half = (len(found) + len(found.rejected)) / 2
        read = events + sum(map(_is_found, found.rejected))
        if events < half or not events:
            return Score(found=read if read >= half else 0)
        timed = sum(time is not None for time in raw.times)
        return Score(events, len(found), timed, read)

    now = Score() if encoding_option(seen, config) else score(config)  # else read in another way
    best, best_changes = now, Changes()
    for changes in candidates(seen, config):
        with suppress(MillirecError):
            found = score(changed(config, changes))
            of_preset = "source.preset" in changes and not found.known  # its types are others
            if found > best and not of_preset:
                best, best_changes = found, changes
    if best_changes and best.known < best.events:
        best_changes = best_changes | {"events.unknown_type": "accept"}
    return now, best, best_changes


def _is_found(bad: Rejected) -> bool:
    """Whether a line's user and item are there, though another of its fields cannot be read."""
    if bad.reason == "wrong_type":
        return not bad.detail.removeprefix("the ").startswith(("user", "item"))
    return bad.reason in _BEHIND_IDS


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
