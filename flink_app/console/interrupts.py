"""Ctrl-C while something is being written: the first one ends it after a whole batch.

In: an event that a loop looks at. Out: the event set, or KeyboardInterrupt at the second Ctrl-C.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def interrupt_sets(stop: threading.Event) -> Iterator[None]:
    """Make the first Ctrl-C set `stop`, which keeps batches whole, unless the caller handles it."""

    def first(_signal: int, _frame: FrameType | None) -> None:
        stop.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    unhandled = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if not unhandled or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGINT, first)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
