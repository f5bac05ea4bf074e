"""Writes a recording at the pace at which it happened, or so many times as fast.

In: a `Recording`, a writer, a clock. Out: the number of events written.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np

from flink_app.data.replay.recording import Recording
from flink_app.writers.files import TICK_S, Writer

BATCH = 5_000
"""Events written at once at most, so that progress is seen where many are due."""
_LONGEST_S = 0.5  # between two looks, so that progress is seen where none is due


class Clock:
    """The machine's clocks, and waiting, which setting `stop` ends."""

    def __init__(self) -> None:
        self.stop = threading.Event()

    def seconds(self) -> float:
        """Seconds since some moment; never goes back."""
        return time.monotonic()

    def now_ms(self) -> int:
        """Milliseconds since 1970."""
        return time.time_ns() // 1_000_000

    def wait(self, seconds: float) -> None:
        """Let time pass, unless stopped."""
        self.stop.wait(seconds)


def play(
    recording: Recording,
    writer: Writer,
    speed: float,
    keep_times: bool,
    clock: Clock,
    on_progress: Callable[[int], None] = lambda done: None,
) -> int:
    """Write the events when they are due, all that are due together, until `clock.stop` is set.

    What cannot be written in time follows as fast as the writer takes it; none is left out.

    Args:
        speed: how many times as fast as recorded, above 0.
        keep_times: whether events keep their recorded times, and their ids; else they happen when
            they are written, and ids begin with the run's, so that no job takes those of a second
            replay for duplicates.
        on_progress: called with the number of events written so far, twice a second at least.
    """
    run = "" if keep_times else f"{clock.now_ms():x}-"
    began, now, done, total = clock.seconds(), 0, 0, len(recording)
    while done < total and not clock.stop.is_set():
        due = recording.ts[0] + (clock.seconds() - began) * 1000 * speed
        end = min(int(np.searchsorted(recording.ts, due, "right")), done + BATCH)
        if end > done:
            now = max(now, clock.now_ms())  # a clock set back must not show
            writer.write(recording.lines(done, end, None if keep_times else now, run))
            done = end
        on_progress(done)
        if done < total and recording.ts[done] > due:
            ahead = (recording.ts[done] - due) / 1000 / speed
            clock.wait(min(max(ahead, TICK_S), _LONGEST_S))
    writer.flush()
    return done
