"""`millirec import`: what another recommender exported, as lines that `millirec run` reads.

In: files of one system. Out: profiles and items as they come, then the events by time, in a file, a
folder or a topic; a sentence for what is left out; the exit code. Each line is read as the job will
read it before it is written, so that none of them becomes a dead letter.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from flink_app.config import Config
from flink_app.console.failures import FAILED, FINISHED
from flink_app.console.live import counted
from flink_app.console.terminal import printable
from flink_app.data.imports import gorse, metarank
from flink_app.data.imports.by_time import ByTime
from flink_app.data.imports.lines import Line, Record, Unusable, json_records
from flink_app.data.recorded import BLOCK, files_of
from flink_app.graph.event_settings import decode_settings
from flink_app.writers.files import Writer
from flink_app.writers.targets import how_to_run, writer_to
from udfs.events.kinds import INTERACTION, ITEM, PEOPLE, Reader
from udfs.events.resolve import resolve
from udfs.events.settings import DecodeSettings

_REPORTED = 5  # records left out that are named
_encode = msgspec.json.Encoder().encode


class System(NamedTuple):
    """A system: the records in a file of its, and the lines that a record stands for."""

    records: Callable[[Path], Iterator[Record]]
    lines: Callable[[dict[str, Any]], Iterator[Line]]


SYSTEMS = {
    "gorse": System(gorse.records, gorse.lines),
    "metarank": System(json_records, metarank.lines),
}


class Counts:
    """How many profiles, items and events are written, and how many records are left out."""

    def __init__(self) -> None:
        self.written = dict.fromkeys((PEOPLE.name, ITEM.name, INTERACTION.name), 0)
        self.left_out = 0

    def leave_out(self, place: str, why: str) -> None:
        """Count what is left out, and say why of the first few."""
        if self.left_out < _REPORTED:
            print(printable(f"{place} left out: {why}"), file=sys.stderr)
        self.left_out += 1

    def told(self, to: str) -> str:
        """The counts as a sentence."""
        people, items, events = self.written.values()
        left_out = f"; {counted(self.left_out, 'record')} left out" if self.left_out else ""
        return (
            f"{counted(people, 'profile')}, {counted(items, 'item')} and "
            f"{counted(events, 'event')} written to {to}{left_out}"
        )


def bring(config: Config, system: str, files: Sequence[Path], to: str) -> int:
    """Write what is in the files as lines to `to`; returns the exit code, `FAILED` if something
    was left out or there is nothing.

    Args:
        system: a name of `SYSTEMS`. to: a file, a folder, or kafka://host:port/topic.

    Raises:
        SourceError: a file cannot be read. ServiceError: the lines cannot be written.
    """
    found = SYSTEMS[system]
    paths = files_of(files)
    counts = Counts()
    with writer_to(to) as writer, ByTime() as events:
        checked = _Checked(decode_settings(config), writer, events, counts)
        for path in paths:
            records = found.records(path)
            while some := list(islice(records, BLOCK)):
                checked.add(found, some)
        lines = events.lines()
        while batch := list(islice(lines, BLOCK)):
            writer.write(batch)
    print(counts.told(to))
    if not any(counts.written.values()):
        print(f"there are no records in {', '.join(map(str, files))}", file=sys.stderr)
        return FAILED
    print(f"learn from them: {how_to_run(to)}")
    return FAILED if counts.left_out else FINISHED


class _Checked:
    """Reads lines as the job does; writes the usable ones, and lets events wait for the others."""

    def __init__(
        self, settings: DecodeSettings, writer: Writer, events: ByTime, counts: Counts
    ) -> None:
        own = msgspec.structs.replace(
            settings, preset=resolve("millirec"), zero_weight="learn", user_per_minute=0
        )
        self._readers: dict[str, Reader] = {
            kind.name: kind.reader(own) for kind in (PEOPLE, ITEM, INTERACTION)
        }
        self._writer, self._events, self._counts = writer, events, counts

    def add(self, system: System, records: Sequence[Record]) -> None:
        """Add what some records say."""
        found: dict[str, list[tuple[str, bytes]]] = {name: [] for name in self._readers}
        for place, fields in records:
            try:
                if isinstance(fields, Unusable):
                    raise fields
                for line in system.lines(fields):
                    found[_kind(line)].append((place, _encode(line)))
            except Unusable as error:
                self._counts.leave_out(place, str(error))
        for kind, placed in found.items():
            if placed:
                self._write(kind, placed)

    def _write(self, kind: str, placed: Sequence[tuple[str, bytes]]) -> None:
        read: Any = self._readers[kind].decode(
            [line.decode() for _, line in placed], time.time_ns() // 1_000_000
        )
        wrong = {bad.index: bad.detail for bad in read.rejected}
        for index, detail in wrong.items():
            self._counts.leave_out(placed[index][0], detail)
        lines = [line for index, (_, line) in enumerate(placed) if index not in wrong]
        self._counts.written[kind] += len(lines)
        if kind == INTERACTION.name:
            self._events.add(lines, read.ts.tolist())
        else:
            self._writer.write(lines)


def _kind(line: Line) -> str:
    named = line.get("kind")
    return ITEM.name if named == "item" else PEOPLE.name if named else INTERACTION.name
