"""The threads in which a learner runs its kernels: they release the interpreter lock.

In: calls of kernels that do not touch each other's results. Out: all of them done. With one thread
everything runs where it is called.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

_ROWS = 64  # at a time: a few milliseconds, so that no thread waits long for the last
_MOST = 4  # by default: what cannot be shared takes the rest of the time


def share_of_cores(subtasks: int) -> int:
    """How many threads a subtask takes by default: its share of this machine's cores, 1 to 4."""
    return max(1, min(_MOST, (os.cpu_count() or 1) // subtasks))


class Threads:
    """`count` threads, that of the caller among them.

    Others are started when they are needed, and end when this object is gone.
    """

    def __init__(self, count: int = 1) -> None:
        self.count = count
        self._pool = ThreadPoolExecutor(count - 1, "millirec") if count > 1 else None

    def each(self, call: Callable[[int, int, int], object], rows: int) -> None:
        """Have `call(thread, begin, end)` done for all rows, some at a time.

        `thread`, 0 to `count` − 1, says whose memory to use. What a call raises is raised here.
        """
        starts = iter(range(0, rows, _ROWS))  # taken from by all threads: one step is indivisible

        def work(thread: int) -> None:
            for begin in starts:
                call(thread, begin, min(begin + _ROWS, rows))

        helpers = min(self.count, -(-rows // _ROWS)) - 1
        others = [self._pool.submit(work, n + 1) for n in range(helpers)] if self._pool else []
        try:
            work(0)
        finally:
            for other in others:
                other.result()

    def beside(self, call: Callable[[], object], rows: int) -> Callable[[], object]:
        """Begin a call that works on so many rows, in another thread if there is one and it is
        worth it; what is returned waits until it is done."""
        if self._pool is None or rows < _ROWS:
            call()
            return nothing
        return self._pool.submit(call).result


def nothing() -> None:
    """Wait for what is done."""
