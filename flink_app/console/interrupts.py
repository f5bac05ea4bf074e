"""Ctrl-C and SIGTERM while something is being written: the first ends it after a whole batch.

In: an event that a loop looks at. Out: the event set, or KeyboardInterrupt at the second signal.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_BOTH = signal.SIGINT, signal.SIGTERM


def interrupt(_number: int, _frame: FrameType | None) -> None:
    """A handler of signals that end a command, as Python's own of Ctrl-C."""
    raise KeyboardInterrupt


@contextmanager
def interrupt_sets(stop: threading.Event) -> Iterator[None]:
    """Make the first Ctrl-C or SIGTERM set `stop`, which keeps batches whole, unless the caller
    handles them."""
    before = {number: signal.getsignal(number) for number in _BOTH}
    ours = [n for n in _BOTH if before[n] in (signal.default_int_handler, interrupt)]
    if threading.current_thread() is not threading.main_thread():
        ours = []

    def restore() -> None:
        for number in ours:
            signal.signal(number, before[number])

    def first(_number: int, _frame: FrameType | None) -> None:
        stop.set()
        restore()

    for number in ours:
        signal.signal(number, first)
    try:
        yield
    finally:
        restore()
