"""Events in order of time: what test-then-learn needs, and few files are written in.

In: files of any preset. Out: one file with the same lines, those that cannot be used left out; of
CSV, whose files may have different columns, only the cells that are read, without a header.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from flink_app.config import Config
from flink_app.data.recorded import files_of, read_blocks
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


def in_order(
    paths: Sequence[Path], settings: DecodeSettings, now_ms: int, out: Path
) -> tuple[int, int]:
    """Write the usable lines of `paths` to `out` by their time, equal times as they came.

    Returns: how many lines were written, and how many left out: unusable, blank, or ignored by
        `settings`.

    Raises:
        SourceError: a file cannot be read, or no line can be used.
    """
    preset = settings.preset
    check_files(preset, files_of(paths))
    decoder, csv = Decoder(settings), CsvFiles(preset) if preset.format == "csv" else None
    timed: list[tuple[int, str]] = []
    count = 0
    for block in read_blocks(paths):
        file = str(block.path)
        for line in block.lines:
            count += 1
            # One at a time: decoded events do not say which line each was.
            decoded = decoder.decode([line], now_ms, [file])
            if len(decoded):
                kept = csv.reader(file).ordered(line, preset.fields) if csv else line
                timed.append((int(decoded.ts[0]), kept))
    if not timed:
        raise SourceError(
            f"none of {count:,} lines can be used: name the format by --preset, and see what "
            "`millirec run` writes to its dead letters"
        )
    timed.sort(key=lambda pair: pair[0])
    with out.open("w", encoding="utf-8") as written:
        written.writelines(f"{line}\n" for _, line in timed)
    return len(timed), count - len(timed)
