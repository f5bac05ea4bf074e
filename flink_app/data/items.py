"""`millirec items`: sends what files say of items into the running job.

In: JSON lines, CSV with a header, the films of MovieLens, or what a preset reads. Out: a line for
each item in the folder or topic that the job reads, whence the job writes `item:<id>` and learns.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from flink_app.config import Config
from flink_app.console.failures import FAILED, FINISHED
from flink_app.console.live import counted
from flink_app.console.terminal import printable
from flink_app.data.item_files import ITEM, read_items
from flink_app.data.recorded import files_of
from flink_app.data.sinks import Sink, item_sink_of, place_of
from flink_app.data.vectors import WithVectors
from flink_app.writers.files import Writer
from flink_app.writers.kafka import KafkaWriter
from flink_app.writers.targets import writer_to
from udfs.errors import ConfigError
from udfs.events.item_changes import FIELDS, ItemChange

_REPORTED = 5  # lines left out that are named
_encode = msgspec.json.Encoder().encode


class _Target(Sink):
    """A folder, a file or a topic that is named on the command line."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def write(self, lines: Sequence[bytes], keys: Sequence[str]) -> None:
        """See `Sink`."""
        if isinstance(self._writer, KafkaWriter):
            self._writer.write(lines, [key.encode() for key in keys])
        else:
            self._writer.write(lines)
        self._writer.flush()


def items(
    config: Config,
    files: Sequence[Path],
    column: str = ITEM,
    preset: str = "",
    to: str = "",
    encode: bool = False,
) -> int:
    """Send the items in the files; returns the exit code, `FAILED` if a line was left out.

    Args:
        column: the field of the id in JSON and CSV. preset: how the files are written; "" is what
            they show. to: kafka://host:port/topic, a folder or a file; "" is where the job reads.
        encode: whether vectors of texts and images are made here and sent along.

    Raises:
        ConfigError: the job reads from nowhere that can be written to. SourceError: a file cannot
            be read, or has no such column. ServiceError: the lines cannot be written.
    """
    files_of(files)  # they are there
    vectors = WithVectors(config) if encode else None
    sink = _Target(writer_to(to)) if to else item_sink_of(config)
    if isinstance(sink, str):
        raise ConfigError(f"{sink}. Or name the place: --to kafka://host:port/topic, or a folder")
    where = to or place_of(config)
    now_ms = time.time_ns() // 1_000_000
    written, bad = 0, 0
    with vectors.progress() if vectors else nullcontext():
        for block in read_items(config, files, column, preset, now_ms):
            for place, detail in block.faults[: max(0, _REPORTED - bad)]:
                print(printable(f"{place} left out: {detail}"), file=sys.stderr)
            changes = vectors.add(block.changes) if vectors else block.changes
            if changes:
                sink.write(list(map(line_of, changes)), [change.item for change in changes])
            written += len(changes)
            bad += len(block.faults)
    left_out = f"; {counted(bad, 'line')} left out" if bad else ""
    print(f"{counted(written, 'item')} written to {where}{left_out}")
    if not written and not bad:
        print(f"there are no items in {', '.join(map(str, files))}", file=sys.stderr)
    return FINISHED if written and not bad else FAILED


def line_of(change: ItemChange) -> bytes:
    """A change as a line that the job reads, without its line feed.

    Times are texts: a number of milliseconds near 1970 would be taken for seconds.

    >>> line_of(ItemChange("7", 1764000000000, {"published": 0, "price": None}))
    b'{"kind":"item","item":"7","ts":1764000000000,"published":"1970-01-01T00:00:00.000Z",\
"price":null}'
    """
    fields = {
        field: _moment(value) if FIELDS[field] == "time" and value is not None else value
        for field, value in change.fields.items()
    }
    return _encode({"kind": "item", "item": change.item, "ts": change.ts} | fields)


def _moment(ms: int) -> str:
    moment = datetime(1970, 1, 1) + timedelta(milliseconds=ms)
    return f"{moment.isoformat(timespec='milliseconds')}Z"
