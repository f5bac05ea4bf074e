"""The threads in which a learner runs its kernels: they release the interpreter lock.

In: calls of kernels that do not touch each other's results. Out: all of them completed. With one
thread everything runs in the caller's thread.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

_ROWS = 64  # at a time: a few milliseconds, so that no thread waits long for the last
_MOST = 4  # by default: more do not help, because part of the work is sequential


def share_of_cores(subtasks: int) -> int:
    """The default number of threads of a subtask: its share of this machine's cores, 1 to 4."""
    return max(1, min(_MOST, (os.cpu_count() or 1) // subtasks))


class Threads:
    """`count` threads, including the caller's.

    The others are started when needed, and end when this object is deleted.
    """

    def __init__(self, count: int = 1) -> None:
        self.count = count
        self._pool = ThreadPoolExecutor(count - 1, "millirec") if count > 1 else None

    def each(self, call: Callable[[int, int, int], object], rows: int) -> None:
        """Run `call(thread, begin, end)` over all rows, in blocks.

        `thread`, 0 to `count` − 1, selects the memory to use. An error in a call is raised here.
        """
        starts = iter(range(0, rows, _ROWS))  # shared by all threads: `next` is atomic

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
        """Start a call that works on `rows` rows, in another thread if there is one and it is worth
        it; the function returned waits until it is done."""
        if self._pool is None or not self.many(rows):
            call()
            return nothing
        return self._pool.submit(call).result

    def many(self, rows: int) -> bool:
        """Whether another thread is worth it for so many rows, and there is one."""
        return self._pool is not None and rows >= _ROWS


def nothing() -> None:
    """Wait for nothing: the work is already done."""
