"""Events in order of time: what test-then-learn needs, and few files are written in.

In: files of any preset. Out: one file with the same events in millirec's own form, those that
cannot be used left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from flink_app.config import Config
from flink_app.config.input_options import Source
from flink_app.data.recorded import files_of, read_blocks
from flink_app.data.replay.recording import Gathered
from flink_app.evaluate.testable import NothingToTest
from flink_app.graph.headers import check_files
from udfs.errors import SourceError
from udfs.events.settings import DecodeSettings

_BLOCK = 10_000  # events


class Ordered(NamedTuple):
    """What was written and what not.

    Attributes:
        events: how many were written.
        left_out: lines, or elements of them, that are unusable, blank, ignored by the settings, or
            have no time.
        untimed: those of them that have no time.
    """

    events: int
    left_out: int
    untimed: int


def as_written(config: Config) -> Config:
    """The configuration by which to read what `in_order` wrote by the settings of `config`."""
    return msgspec.structs.replace(config, source=Source())


def in_order(paths: Sequence[Path], settings: DecodeSettings, now_ms: int, out: Path) -> Ordered:
    """Write the usable events of `paths` to `out` by their time, equal times as they came.

    Raises:
        SourceError: a file cannot be read, or no line can be used. NothingToTest: no event has a
            time, or a weight; or there are no lines.
    """
    check_files(settings.preset, files_of(paths))
    gathered = Gathered(settings, now_ms, weighty=settings.zero_weight == "ignore")
    for block in read_blocks(paths, encoding=settings.preset.encoding):
        gathered.add(block)
    if not gathered.users:
        raise _nothing(paths, gathered.received, gathered.untimed, gathered.first)
    events = gathered.by_time()
    with out.open("wb") as file:
        for begin in range(0, len(events), _BLOCK):
            for line in events.lines(begin, begin + _BLOCK, None, ""):
                file.write(line + b"\n")
    return Ordered(len(events), events.left_out + gathered.ignored, gathered.untimed)


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
