"""Writes the events of the simulated shop, at a given rate or as fast as possible.

In: `ShopSettings` (or a `Shop`) and a `Writer`. Out: the number of events written. This is what
`millirec simulate` and the demo call. If the shop describes its items, item events come in between,
an item's before its first; they do not count.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import numpy as np

from flink_app.console.interrupts import interrupt_sets
from flink_app.simulator.actions import encode
from flink_app.simulator.settings import ShopSettings
from flink_app.simulator.shop import Shop
from flink_app.writers.files import TICK_S, Writer
from udfs.errors import ConfigError

_Batch = tuple[list[bytes], list[bytes]]
"""Item events, and events of users after them, as lines."""


def simulate(
    settings: ShopSettings,
    writer: Writer,
    events: int | None = None,
    seconds: float | None = None,
    rate: float | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> int:
    """Create a shop, write its events, and return their number: `play` with a new `Shop`."""
    return play(Shop(settings), writer, events, seconds, rate, on_progress)


def play(
    shop: Shop,
    writer: Writer,
    events: int | None = None,
    seconds: float | None = None,
    rate: float | None = None,
    on_progress: Callable[[int], None] | None = None,
    stop: threading.Event | None = None,
) -> int:
    """Write the events of a shop that the caller keeps, e.g. to read its truth in the meantime.

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
    batches = _as_fast_as_possible(shop) if rate is None else _paced(shop, rate, stop)
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


def _as_fast_as_possible(shop: Shop) -> Iterator[_Batch]:
    """Each block of the shop's actions, in simulated time."""
    now, number = float(shop.settings.start_ms), 0
    while True:
        actions = shop.advance()
        times = now + np.cumsum(shop.gaps(len(actions)))
        items = shop.news(int(now))
        yield items, encode(actions, times.astype(np.int64).tolist(), number, run="")
        number += len(actions)
        if len(actions):
            now = float(times[-1])


def _paced(shop: Shop, rate: float, stop: threading.Event) -> Iterator[_Batch]:
    """The events due at each tick, perhaps none; without a pause while it is late."""
    run = f"{time.time_ns() // 1_000_000:x}-"
    number, now = 0, 0
    actions = shop.advance()
    start = time.monotonic()
    while True:
        due = int((time.monotonic() - start) * rate) - number
        if not len(actions):
            actions = shop.advance()
        batch, actions = actions.take(slice(0, due)), actions.take(slice(due, None))
        now = max(now, time.time_ns() // 1_000_000)  # times never decrease, even if the clock does
        yield shop.news(now), encode(batch, [now] * len(batch), number, run)
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
