"""A header that is read as an event: the first line of a CSV file whose names nobody has said.

In: the first lines of a file, and the configuration. Out: a check, with the option that skips the
line; it has been tried on these lines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from msgspec.structs import replace

from flink_app.config import Config
from flink_app.data.validate.candidates import LINES, Changes
from flink_app.data.validate.checks import Check
from flink_app.data.validate.looks import is_header
from flink_app.data.validate.suggest import changed, shown
from flink_app.graph.event_settings import decode_settings
from udfs.errors import MillirecError
from udfs.events.csv_cells import cut
from udfs.events.decode import Decoder
from udfs.events.first_lines import MOST_LINES
from udfs.events.layout import layout_of, listed
from udfs.events.names import fold


class _Read(NamedTuple):
    """What some lines are read as: the events on the lines from the second on, how many lines of
    them cannot be used, and whether the first one is an event, or an unusable line."""

    events: int
    unusable: int
    first: bool


def header_check(path: Path, lines: Sequence[str], config: Config, now_ms: int) -> Check | None:
    """A check that is no PASS, if the first of a file's lines seems to be a header and is not read
    as one; None if it is, or does not."""
    preset = decode_settings(config).preset
    if preset.format != "csv" or preset.header != "auto":
        return None
    own = [line for line in lines[: LINES + 1] if line.strip()]
    rows = [cut(line, preset.delimiter, preset.quote) for line in own]
    layout = layout_of(preset, own[:MOST_LINES])
    names = [*map(fold, layout.header)]
    if not is_header(rows) or layout.problem or names in ([*map(fold, row)] for row in rows):
        return None
    now = _read(path, own, config, now_ms)
    if not (now.first and now.events):
        return None
    skip: Changes = {"source.header": "yes"}
    for changes in (skip, {"source.columns": [*preset.columns], **skip}):
        with suppress(MillirecError):
            then = _read(path, own, changed(config, changes), now_ms)
            if then == now._replace(first=False):
                return _check(path, rows[0], changes)
    return None


def _check(path: Path, cells: Sequence[str], changes: Mapping[str, Any]) -> Check:
    return Check(
        name="header",
        status="WARN",
        found="the first line is read like the others, and seems to be a header",
        example=listed(cells),
        where=f"{path}, line 1",
        advice=f"if it is one, this skips it: {shown(changes)}",
    )


def _read(path: Path, lines: Sequence[str], config: Config, now_ms: int) -> _Read:
    settings = replace(decode_settings(config), zero_weight="learn", user_per_minute=0)
    decoder = Decoder(settings)
    raw = decoder.read(lines, [str(path)] * len(lines))
    found = decoder.check(raw, now_ms)
    unusable = {bad.index for bad in found.rejected}
    events = [row for row in raw.rows if row not in unusable]
    return _Read(len(events) - (0 in events), len(unusable - {0}), 0 in unusable or 0 in events)
