"""Events in order of time: what test-then-learn needs, and few files are written in.

In: files of any preset. Out: one file with the same lines, those that cannot be used left out; of
CSV, whose files may have different columns, only the cells that are read, without a header.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from flink_app.config import Config
from flink_app.data.recorded import files_of, read_blocks
from flink_app.evaluate.testable import NothingToTest
from flink_app.graph.event_settings import decode_settings
from flink_app.graph.headers import check_files
from udfs.errors import SourceError
from udfs.events.csv_files import CsvFiles
from udfs.events.decode import Decoder
from udfs.events.settings import DecodeSettings


def as_written(config: Config) -> Config:
    """The configuration by which to read what `in_order` wrote by the settings of `config`."""
    preset = decode_settings(config).preset
    source = msgspec.structs.replace(config.source, encoding="")
    if preset.format == "csv":
        places = list(preset.fields.values())
        source = msgspec.structs.replace(source, columns=places, header="no")
    return msgspec.structs.replace(config, source=source)


class Ordered(NamedTuple):
    """What was written and what not.

    Attributes:
        events: on the lines written.
        left_out: lines that are unusable, blank, ignored by the settings, or have no time.
        untimed: those of them that have no time.
    """

    events: int
    left_out: int
    untimed: int


def in_order(paths: Sequence[Path], settings: DecodeSettings, now_ms: int, out: Path) -> Ordered:
    """Write the usable lines of `paths` to `out` by their time, equal times as they came.

    Raises:
        SourceError: a file cannot be read, or no line can be used. NothingToTest: no event has a
            time, or a weight; or there are no lines.
    """
    preset = settings.preset
    check_files(preset, files_of(paths))
    decoder, csv = Decoder(settings), CsvFiles(preset) if preset.format == "csv" else None
    timed: list[tuple[int, str]] = []
    count = events = untimed = 0
    first = ""  # what is wrong with the first line that cannot be used
    for block in read_blocks(paths):
        file = str(block.path)
        for number, line in enumerate(block.lines, start=block.first):
            count += 1
            # One at a time: decoded events do not say which line each was.
            raw = decoder.read([line], [file])
            decoded = decoder.check(raw, now_ms)
            if decoded.rejected and not first:
                first = f"{block.path}, line {number:,}: {decoded.rejected[0].detail}"
            if not len(decoded):
                continue
            if all(time is None for time in raw.times):
                untimed += 1
                continue
            kept = csv.reader(file).ordered(line, preset.fields) if csv else line
            timed.append((int(decoded.ts[0]), kept))
            events += len(decoded)
    if not timed:
        raise _nothing(paths, count, untimed, first)
    timed.sort(key=lambda pair: pair[0])
    with out.open("w", encoding="utf-8") as written:
        written.writelines(f"{line}\n" for _, line in timed)
    return Ordered(events, count - len(timed), untimed)


def _nothing(paths: Sequence[Path], count: int, untimed: int, first: str) -> Exception:
    """Why there is no event to put in order."""
    names = ", ".join(map(str, paths))
    if untimed:
        return NothingToTest(
            f"no event in {names} has a time, and each is to be tested before it is learned: name "
            "the field with the time, --set source.fields.ts=…, or add one"
        )
    if first:
        return SourceError(
            f"none of {count:,} lines can be used: name the format by --preset, and see "
            f"`millirec validate`. {first}"
        )
    if count:
        return NothingToTest(
            f"no line of {count:,} in {names} counts: they are blank, or events of weight 0. See "
            "--positive, events.weights and events.zero_weight"
        )
    return NothingToTest(f"there are no lines in {names}: name a file that holds events")
