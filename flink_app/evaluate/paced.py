"""Recorded events as a live shop brings them: in order, at a steady rate, into a watched folder.

In: a file of events in order of time, the folder, a running job's totals. Out: the same events,
each written when it is due, until the job has accounted for all of them.

Read as fast as possible, months of events would arrive in a second. The shards of users would be
learned one after the other, each from beginning to end, so an event would be tested against items
and counts of another time.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

from flink_app.console.totals import Totals
from flink_app.writers.files import TICK_S

RATE = 200.0
"""Events/s. With more, a change that another user learner makes is, by the time the item feed has
brought it, many events old; with fewer, an evaluation takes longer."""
AHEAD_S = 1.25
"""How far writing may be ahead of what the job says it has learned, which is up to 0.9 s old: a
slow machine makes the evaluation slower, not its lists older."""


def play(
    events: Path,
    folder: Path,
    totals: Callable[[], Totals | None],
    check: Callable[[], None],
    clock: Callable[[], float] = time.monotonic,
    wait: Callable[[float], None] = time.sleep,
) -> None:
    """Write the lines of `events` to `folder`; return when the job has accounted for all.

    Args:
        totals: what the job has done; None if nothing yet. check: raises if the job has ended.
        clock, wait: seconds.
    """
    watched = _Folder(folder)
    with events.open("rb") as lines:
        watched.put(list(islice(lines, 1)))  # the clock starts when the job runs
        written, due, last = 1, 0.0, None
        while True:
            check()
            now, found = clock(), totals()
            done = found.received - found.missing if found is not None else 0
            if done:
                due += RATE * (now - last) if last is not None else 0.0
                due, last = min(due, done + RATE * AHEAD_S - written), now
                if due >= 1 and (done >= written or watched.is_read):
                    part = list(islice(lines, int(due)))
                    if part:
                        watched.put(part)
                    elif done >= written:
                        return
                    written, due = written + len(part), due - len(part)
            wait(TICK_S)


class _Folder:
    """Holds one file of lines, which appears at once: of several that wait, the job would read the
    newest first, and it lists the folder a hundred times a second."""

    def __init__(self, path: Path) -> None:
        self._path, self._count = path, 0
        self._last: Path | None = None

    @property
    def is_read(self) -> bool:
        """Whether the last file has been read; false where the system does not note that."""
        return self._last is None or self._last.stat().st_atime > 0

    def put(self, lines: Sequence[bytes]) -> None:
        """Write lines as a file in place of the last, which must have been read."""
        if self._last is not None:
            self._last.unlink()
        self._count += 1
        hidden = self._path / f".{self._count:08}"
        hidden.write_bytes(b"".join(lines))
        os.utime(hidden, (0, time.time()))
        self._last = hidden.rename(self._path / f"{self._count:08}.jsonl")
