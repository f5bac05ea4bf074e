"""Events in order of time: what test-then-learn needs, and few files are written in.

In: files of any preset. Out: one file with the same lines, those that cannot be used left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from flink_app.data.recorded import read_blocks
from udfs.errors import SourceError
from udfs.events.decode import Decoder
from udfs.events.settings import DecodeSettings


def in_order(
    paths: Sequence[Path], settings: DecodeSettings, now_ms: int, out: Path
) -> tuple[int, int]:
    """Write the usable lines of `paths` to `out` by their time, equal times as they came.

    Returns: how many lines were written, and how many left out: unusable, blank, or ignored by
        `settings`.

    Raises:
        SourceError: a file cannot be read, or no line can be used.
    """
    decoder = Decoder(settings)
    timed: list[tuple[int, str]] = []
    count = 0
    blocks = read_blocks(paths, encoding=settings.encoding)
    for line in (line for block in blocks for line in block.lines):
        count += 1
        # One at a time: decoded events do not say which line each was.
        decoded = decoder.decode([line], now_ms)
        if len(decoded):
            timed.append((int(decoded.ts[0]), line))
    if not timed:
        raise SourceError(
            f"none of {count:,} lines can be used: name the format by --preset, and see what "
            "`millirec run` writes to its dead letters"
        )
    timed.sort(key=lambda pair: pair[0])
    with out.open("w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for _, line in timed)
    return len(timed), count - len(timed)
