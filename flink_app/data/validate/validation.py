"""`millirec validate`: reads the files once, checks what was found, and says what to do.

In: a loaded configuration and paths. Out: a table or JSON on standard output, and the exit code.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from flink_app.config import Config
from flink_app.console.failures import FAILED, FINISHED
from flink_app.console.live import counted
from flink_app.console.progress import byte_bar
from flink_app.data.recorded import Block, files_of, read_blocks
from flink_app.data.validate.attributes import attributes_checks
from flink_app.data.validate.checks import Check, Status, checks
from flink_app.data.validate.headers import header_check
from flink_app.data.validate.suggest import advice
from flink_app.data.validate.tally import Tally
from flink_app.graph.event_settings import decode_settings
from flink_app.lookup.lists import now_ms
from udfs.events.settings import DecodeSettings

_STYLES: dict[Status, str] = {"PASS": "green", "WARN": "yellow", "FAIL": "bold red"}


class Validation(msgspec.Struct, frozen=True, kw_only=True):
    """What a validation found; `status` is the worst of its checks."""

    status: Status
    lines: int
    events: int
    users: int
    items: int
    checks: list[Check]


def validate(config: Config, files: Sequence[Path], as_json: bool) -> int:
    """Print the checks of `files`, or of source.paths if none are given, and return the exit code.

    Raises:
        ConfigError, SourceError: there is nothing to read, or it cannot be read.
    """
    paths = list(files) or [Path(path) for path in config.source.paths]
    began = time.monotonic()
    found = examine(config, paths, Console(stderr=True))
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(found)).decode())
    else:
        out = Console(highlight=False)
        out.print(table(found))
        out.print(summary(found, time.monotonic() - began), soft_wrap=True)
    return FAILED if found.status == "FAIL" else FINISHED


def examine(config: Config, paths: Sequence[Path], console: Console) -> Validation:
    """Read all of `paths` and check them, with a progress bar on `console`."""
    settings, now = decode_settings(config), now_ms()
    tally = Tally(settings, now)
    files = files_of(paths)
    unread: Path | None = None  # the first file of which half a block cannot be used
    header: Check | None = None  # of the first file that has one which is not read as such
    total = sum(file.stat().st_size for file in files)
    with byte_bar(console, "reading", total, TimeRemainingColumn()) as on_bytes:
        for block in read_blocks(files, on_bytes=on_bytes, encoding=settings.preset.encoding):
            usable = tally.usable
            tally.add(block)
            if 2 * (tally.usable - usable) < len(block.lines):
                unread = unread or block.path
            elif block.first == 1 and header is None:
                header = header_check(block.path, block.lines, config, now)
    items: Block | None = None
    for block in _blocks_about_items(config, settings):
        tally.add_items(block)
        items = items or block
    more = [header] if header else []
    if items:
        more += attributes_checks(tally, items, config, now)
    suggestion = "" if unread is None else advice(unread, config, now)
    made = checks(tally, config, suggestion, more)
    return Validation(
        status=max((check.status for check in made), key=list(_STYLES).index),
        lines=tally.lines,
        events=tally.events,
        users=len(tally.users.names),
        items=len(tally.items.names),
        checks=made,
    )


def _blocks_about_items(config: Config, settings: DecodeSettings) -> Iterator[Block]:
    """The lines of the files in items.paths, if the job reads any."""
    items = config.items
    if items.kind in ("files", "directory") and items.paths:
        encoding = items.encoding or settings.items.encoding
        yield from read_blocks(files_of(map(Path, items.paths)), encoding=encoding)


def table(found: Validation) -> Table:
    """A row for each check: what was found, an example, what to do."""
    made = Table.grid(padding=(0, 2))
    made.add_column(no_wrap=True)
    made.add_column(no_wrap=True)
    made.add_column(overflow="fold")
    for check in found.checks:
        text = Text(check.found)
        if check.count and check.status != "PASS" and f"{check.share:.1%}" not in check.found:
            text.append(f" ({check.share:.1%})")
        if check.example or check.where:
            example = ": ".join(part for part in (check.where, check.example) if part)
            text.append(f"\n{example}", style="dim")
        if check.advice:
            text.append(f"\n→ {check.advice}")
        made.add_row(Text(check.status, style=_STYLES[check.status]), Text(check.name), text)
    return made


def summary(found: Validation, seconds: float) -> str:
    """The last line: what was read, and the number of checks with each outcome."""

    outcomes = Counter(check.status for check in found.checks)
    shown = ", ".join(f"{outcomes[name]} {name}" for name in _STYLES)
    return (
        f"{counted(found.lines, 'line')}, {counted(found.events, 'event')} of "
        f"{counted(found.users, 'user')} on {counted(found.items, 'item')}, read in "
        f"{seconds:.1f} s: {shown}"
    )
