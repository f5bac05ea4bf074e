"""Events in order of time: what test-then-learn needs, and few files are written in.

In: files of any preset. Out: one file with the same lines, those that cannot be used left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from flink_app.data.recorded import read_blocks
from flink_app.evaluate.testable import NothingToTest
from udfs.errors import SourceError
from udfs.events.decode import Decoder
from udfs.events.settings import DecodeSettings


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
    decoder = Decoder(settings)
    timed: list[tuple[int, str]] = []
    count = events = untimed = 0
    first = ""  # what is wrong with the first line that cannot be used
    for block in read_blocks(paths, encoding=settings.encoding):
        for number, line in enumerate(block.lines, start=block.first):
            count += 1
            # One at a time: decoded events do not say which line each was.
            raw = decoder.read([line])
            decoded = decoder.check(raw, now_ms)
            if decoded.rejected and not first:
                first = f"{block.path}, line {number:,}: {decoded.rejected[0].detail}"
            if not len(decoded):
                continue
            if all(time is None for time in raw.times):
                untimed += 1
                continue
            timed.append((int(decoded.ts[0]), line))
            events += len(decoded)
    if not timed:
        raise _nothing(paths, count, untimed, first)
    timed.sort(key=lambda pair: pair[0])
    with out.open("w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for _, line in timed)
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
