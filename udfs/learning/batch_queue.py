"""Micro-batches of one shard that wait to be learned as one: those that arrived late, and pieces of
one window, which reach the shard from several subtasks.

In: packed `EventBatch`es that have queued up before the user learner. Out: all of them as one
batch. They are kept in the shard's state, so that a restart loses none.
"""

from __future__ import annotations

from udfs.events.batch import EventBatch, join, unpack
from udfs.state.handles import Log

MOST = 2048  # events: a larger batch is hardly cheaper per event
_SLACK_MS = 10  # a batch that is later than this has not only been held up by chance
_PAUSE_MS = 1  # Flink hands over all batches that have arrived meanwhile before the timer fires
_GATHER_MS = 5  # how long the first piece of a window waits for the others


class BatchQueue:
    """See the module.

    Args:
        window_ms: how long micro-batches gather events, ms; 0: no batch ever waits.
    """

    def __init__(self, log: Log, window_ms: int) -> None:
        self._log, self._window_ms = log, window_ms
        self._waiting = [unpack(data) for data in log.get() or ()]
        self._opened = self._pieces = self._before = 0

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def pause(self, batch: EventBatch, now_ms: int) -> int:
        """For how many ms at most a batch is to wait for others; 0: it is learned now.

        It waits for the other pieces of its window, if the window before had several; and if it is
        late, so that the next ones have arrived too. There must be room for it.
        """
        missing = self._missing(batch.opened)
        if not self._window_ms or sum(map(len, self._waiting)) >= MOST:
            return 0
        if missing:
            return _GATHER_MS
        late = now_ms - batch.opened > self._window_ms + max(self._window_ms, _SLACK_MS)
        return _PAUSE_MS if late else 0

    def _missing(self, opened: int) -> bool:
        """Whether the window before had more pieces than have come of this one."""
        if opened > self._opened:
            self._before, self._opened, self._pieces = self._pieces, opened, 0
        self._pieces += opened == self._opened
        return opened == self._opened and self._pieces < self._before

    def put(self, data: bytes, batch: EventBatch) -> bool:
        """Let a batch wait; returns whether it is the first."""
        self._log.add(data)
        self._waiting.append(batch)
        return len(self._waiting) == 1

    def take(self, *batches: EventBatch) -> EventBatch:
        """The waiting batches, which leave the queue, and then `batches`, joined into one."""
        if not self._waiting:
            return join(batches)
        self._log.clear()
        found, self._waiting = self._waiting, []
        return join([*found, *batches])
