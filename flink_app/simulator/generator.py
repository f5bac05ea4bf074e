"""Writes the events of a simulated world, at a given rate or as fast as possible.

In: the settings of a world (or a `World`) and a `Writer`. Out: the number of events written. This
is what `millirec simulate` and the demo call. If the world describes its items, item events come in
between, an item's before its first; they do not count.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import numpy as np

from flink_app.console.interrupts import interrupt_sets
from flink_app.simulator.scenarios import open_world
from flink_app.simulator.settings import WorldSettings
from flink_app.simulator.world import World
from flink_app.writers.files import TICK_S, Writer
from udfs.errors import ConfigError

_Batch = tuple[list[bytes], list[bytes]]
"""Item events, and events of users after them, as lines."""


def simulate(
    settings: WorldSettings,
    writer: Writer,
    events: int | None = None,
    seconds: float | None = None,
    rate: float | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> int:
    """Create a world, write its events, and return their number: `play` with a new `World`."""
    return play(open_world(settings), writer, events, seconds, rate, on_progress)


def play(
    world: World,
    writer: Writer,
    events: int | None = None,
    seconds: float | None = None,
    rate: float | None = None,
    on_progress: Callable[[int], None] | None = None,
    stop: threading.Event | None = None,
) -> int:
    """Write the events of a world that the caller keeps, e.g. to read its truth in the meantime.

    Without a rate: as fast as possible, in simulated time; the same settings then give
    byte-identical events. With a rate: paced, in wall-clock time, with ids that no other run
    repeats (a job would drop those as duplicates); a batch every 20 ms.

    events, seconds: stop after this number of events, or seconds of wall-clock time; None for no
    limit. rate: events per second, above 0. on_progress: called after each batch with the number
    of events written so far. stop: ends the run when set, from any thread.

    Ctrl-C ends the run after the current batch; a second one interrupts that too. The writer is
    flushed at the end but not closed. Returns the number of events written. Raises ConfigError for
    a limit or rate out of range, ServiceError if the writer fails.
    """
    _check_limits(events, seconds, rate)
    stop = stop or threading.Event()
    end = None if seconds is None else time.monotonic() + seconds
    batches = _as_fast_as_possible(world) if rate is None else _paced(world, rate, stop)
    written = 0
    with interrupt_sets(stop):
        while written != events and not stop.is_set() and (end is None or time.monotonic() < end):
            items, lines = next(batches)
            if events is not None:
                lines = lines[: events - written]
            if items:
                writer.write(items)
            if lines:
                writer.write(lines)
                written += len(lines)
                if on_progress is not None:
                    on_progress(written)
        writer.flush()
    return written


def _as_fast_as_possible(world: World) -> Iterator[_Batch]:
    """Each block of the world's actions, in simulated time."""
    now, number = float(world.settings.start_ms), 0
    while True:
        actions = world.advance()
        times = now + np.cumsum(world.gaps(len(actions)))
        items = world.news(int(now))
        yield items, world.lines(actions, times.astype(np.int64).tolist(), number, run="")
        number += len(actions)
        if len(actions):
            now = float(times[-1])


def _paced(world: World, rate: float, stop: threading.Event) -> Iterator[_Batch]:
    """The events due at each tick, perhaps none; without a pause while it is late."""
    run = f"{time.time_ns() // 1_000_000:x}-"
    number, now = 0, 0
    actions = world.advance()
    start = time.monotonic()
    while True:
        due = int((time.monotonic() - start) * rate) - number
        if not len(actions):
            actions = world.advance()
        batch, actions = actions.take(slice(0, due)), actions.take(slice(due, None))
        now = max(now, time.time_ns() // 1_000_000)  # times never decrease, even if the clock does
        yield world.news(now), world.lines(batch, [now] * len(batch), number, run)
        number += len(batch)
        if len(batch) == due:
            stop.wait(TICK_S)


def _check_limits(events: int | None, seconds: float | None, rate: float | None) -> None:
    """Raise ConfigError unless the limits are at least 0 and the rate is above 0."""
    if events is not None and events < 0:
        raise ConfigError(f"The number of events is {events}; it must be 0 or more.")
    if seconds is not None and not seconds >= 0:
        raise ConfigError(f"The number of seconds is {seconds:g}; it must be 0 or more.")
    if rate is not None and not rate > 0:
        raise ConfigError(f"The rate is {rate:g} events a second; it must be above 0.")
