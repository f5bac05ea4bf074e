"""`millirec replay`: read and order recorded events, then write them as if they happened now.

In: a loaded configuration, files, a target. Out: events, progress on standard error, the exit code.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from flink_app.config import Config
from flink_app.console.failures import FINISHED, STOPPED
from flink_app.console.interrupts import interrupt_sets
from flink_app.console.live import PLAIN_S, clock, counted
from flink_app.data.replay.pace import Clock, play
from flink_app.data.replay.recording import Recording, read_recording
from flink_app.graph.event_settings import decode_settings
from flink_app.writers.targets import how_to_run, writer_to
from udfs.errors import ConfigError
from udfs.events.times import iso_text
from udfs.options.schema_registry import VALUE_FORMATS

INBOX = "inbox/"
"""Where events go if nothing says where."""
_LONG_S = 3600.0  # a replay that takes longer is told how to be short


def replay(
    config: Config, files: Sequence[Path], target: str, speed: float, keep_times: bool
) -> int:
    """Write the events of `files` to a target at `speed` times their pace; the exit code.

    Raises:
        ConfigError, SourceError: what cannot be replayed. ServiceError: it cannot be written.
    """
    if not (speed > 0 and math.isfinite(speed)):
        raise ConfigError(f"--speed is {speed:g}; it must be above 0, such as 100")
    target = target_of(config, target)
    console = Console(stderr=True, highlight=False)
    pace = Clock()
    recording = read_recording(files, decode_settings(config), pace.now_ms())
    for line in announced(recording, speed):
        console.print(line, soft_wrap=True)
    began = pace.seconds()
    with interrupt_sets(pace.stop), writer_to(target) as writer, _bar(console) as bar:
        shown = _shown(console, bar, recording)
        written = play(recording, writer, speed, keep_times, pace, shown)
    spent = pace.seconds() - began
    for line in ended(recording, written, spent, target):
        console.print(line, soft_wrap=True)
    return FINISHED if written == len(recording) else STOPPED


def target_of(config: Config, target: str) -> str:
    """Where events go: `target`; without one, where the configuration's job reads.

    >>> target_of(Config(), ""), target_of(Config(), "in"), target_of(Config(), "kafka://k:1/t")
    ('inbox/', 'in/', 'kafka://k:1/t')
    """
    source = config.source
    if not target:
        if source.format in VALUE_FORMATS:
            raise ConfigError(
                f'source.format is "{source.format}", and a replay writes JSON, which would stop '
                f"other readers of the topic {source.topic}: name a target with --to"
            )
        if source.kind == "kafka":
            return f"kafka://{source.brokers}/{source.topic}"
        target = source.paths[0] if source.kind == "directory" and source.paths else INBOX
    return target if target.startswith("kafka://") or target.endswith("/") else f"{target}/"


def announced(recording: Recording, speed: float) -> list[str]:
    """What is about to be written, and how long it will take."""
    seconds = recording.seconds / speed
    lines = [
        f"{counted(len(recording), 'event')} from {iso_text(int(recording.ts[0]))} to "
        f"{iso_text(int(recording.ts[-1]))}: {clock(seconds)} at --speed {speed:g}"
    ]
    if seconds > _LONG_S:
        lines.append(f"--speed {math.ceil(recording.seconds / 60):d} would take a minute")
    if recording.left_out:
        lines.append(f"{counted(recording.left_out, 'line')} left out: no events, or without time")
    return lines


def ended(recording: Recording, written: int, spent: float, target: str) -> list[str]:
    """What was written, how fast, and what learns from it."""
    all_of_it = written == len(recording)
    number = counted(written, "event") if all_of_it else f"{written:,} of {len(recording):,} events"
    pace = f"{written / spent:,.0f}/s" if spent > 0 else "-"
    passed = float(recording.ts[max(written - 1, 0)] - recording.ts[0]) / 1000
    reached = f", {passed / spent:,.0f} times as fast as recorded" if spent > 0 else ""
    return [
        f"{number} written to {target} in {spent:.1f} s ({pace}{reached})",
        f"learn from them: {how_to_run(target)}",
    ]


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def _shown(console: Console, bar: Progress, recording: Recording) -> Callable[[int], None]:
    """A function that shows how far it is: a bar in a terminal, else a line every 5 seconds."""
    task = bar.add_task("", total=len(recording))
    last = time.monotonic()

    def show(done: int) -> None:
        nonlocal last
        moment = iso_text(int(recording.ts[max(done - 1, 0)]))
        bar.update(task, completed=done, description=moment)
        if bar.disable and time.monotonic() - last >= PLAIN_S:
            last = time.monotonic()
            console.print(f"{done:,} of {len(recording):,} events, {moment}")

    return show
