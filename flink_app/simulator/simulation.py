"""`millirec simulate`: writes a simulated platform's events to a file, a folder or a Kafka topic.

In: a target and limits, as typed. Out: events, progress on standard error, and the command that
learns from them. The worlds are those of `flink_app.simulator.scenarios`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from rich.console import Console
from rich.status import Status

from flink_app.console.live import PLAIN_S, counted
from flink_app.simulator.generator import simulate as play
from flink_app.simulator.scenarios import scenario_of
from flink_app.simulator.settings import WorldSettings
from flink_app.writers.targets import how_to_run, writer_to

_DEFAULT_EVENTS = 100_000
_SHOW_S = 0.1


def simulate(
    target: str,
    events: int | None,
    seconds: float | None,
    rate: float | None,
    world: WorldSettings,
) -> None:
    """Write a world's events to `target`, and its item events if it describes its items.

    Without `events` and `seconds`: 100,000 events, or until Ctrl-C if a rate is given.

    Raises:
        ConfigError: a limit out of range, or a malformed target. ServiceError: it cannot be
            written.
    """
    if events is None and seconds is None and rate is None:
        events = _DEFAULT_EVENTS
    console = Console(stderr=True, highlight=False)
    began = time.monotonic()
    with writer_to(target) as writer:
        status: Any = console.status("writing") if console.is_terminal else nullcontext()
        with _shown(status) as shown:
            progress = _progress(console, shown)
            written = play(world, writer, events, seconds, rate, progress)
    spent = time.monotonic() - began
    pace = f"{written / spent:,.0f}/s" if spent > 0 else "-"
    console.print(f"{counted(written, 'event')} written to {target} in {spent:.1f} s ({pace})")
    types = scenario_of(world).types
    console.print(f"learn from them: {how_to_run(target, types)}", soft_wrap=True)


def _shown(status: Any) -> AbstractContextManager[Status | None]:
    return status  # type: ignore[no-any-return]


def _progress(console: Console, status: Status | None) -> Callable[[int], None]:
    """A function that shows the number written: live in a terminal, else every 5 seconds."""
    last = time.monotonic()

    def show(written: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < (_SHOW_S if status else PLAIN_S):
            return
        last = now
        if status:
            status.update(f"{written:,} events")
        else:
            console.print(f"{written:,} events")

    return show
