"""Puts lines in order of time that need not fit into memory.

In: lines and their times, in any order. Out: the lines by time, equal times as they came.
"""

from __future__ import annotations

import heapq
import tempfile
from collections.abc import Iterator, Sequence
from operator import itemgetter
from pathlib import Path

MOST = 1_000_000
"""Lines that are in memory at once, some 300 MB of it."""

_Timed = tuple[int, bytes]


class ByTime:
    """Lines by time; a context manager, which removes its temporary files."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._held: list[_Timed] = []
        self._files: list[Path] = []
        self._folder = tempfile.TemporaryDirectory(prefix="millirec-import-")

    def __enter__(self) -> ByTime:
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    def add(self, lines: Sequence[bytes], times: Sequence[int]) -> None:
        """Add lines without a line feed in them, and the time of each, ms since 1970."""
        self._held += zip(times, lines, strict=True)
        if len(self._held) >= self._most:
            path = Path(self._folder.name) / str(len(self._files))
            with path.open("wb") as file:
                file.writelines(b"%d %b\n" % timed for timed in self._sorted())
            self._files.append(path)
            self._held = []

    def lines(self) -> Iterator[bytes]:
        """All of them."""
        parts = [*map(_read, self._files), iter(self._sorted())]
        return (line for _, line in heapq.merge(*parts, key=itemgetter(0)))

    def _sorted(self) -> list[_Timed]:
        return sorted(self._held, key=itemgetter(0))


def _read(path: Path) -> Iterator[_Timed]:
    with path.open("rb") as file:
        for row in file:
            time, _, line = row.rstrip(b"\n").partition(b" ")
            yield int(time), line
