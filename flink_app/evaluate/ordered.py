"""Events in order of time: what test-then-learn needs, and few files are written in.

In: files of any preset. Out: one file with the same events in millirec's own form, those that
cannot be used left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from flink_app.data.replay.recording import read_recording
from udfs.events.settings import DecodeSettings

_BLOCK = 10_000  # events


def in_order(
    paths: Sequence[Path], settings: DecodeSettings, now_ms: int, out: Path
) -> tuple[int, int]:
    """Write the usable events of `paths` to `out` by their time, equal times as they came.

    Returns: how many events were written, and how many lines or elements were left out: unusable,
        blank, or ignored by `settings`.

    Raises:
        SourceError: a file cannot be read, or no line can be used.
    """
    events = read_recording(paths, settings, now_ms, as_learned=True)
    with out.open("wb") as file:
        for begin in range(0, len(events), _BLOCK):
            for line in events.lines(begin, begin + _BLOCK, None, ""):
                file.write(line + b"\n")
    return len(events), events.left_out
