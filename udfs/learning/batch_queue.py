"""Micro-batches of one shard that arrived late and wait to be learned as one.

In: packed `EventBatch`es that have queued up before the user learner. Out: all of them as one
batch. They are kept in the shard's state, so that a restart loses none.
"""

from __future__ import annotations

from udfs.events.batch import EventBatch, join, unpack
from udfs.state.handles import Log

MOST = 2048  # events: a larger batch is hardly cheaper per event
_SLACK_MS = 10  # a batch that is later than this has not only been held up by chance
_PAUSE_MS = 1  # Flink hands over all batches that have arrived meanwhile before the timer fires


class BatchQueue:
    """See the module.

    Args:
        window_ms: how long micro-batches gather events, ms; 0: no batch ever waits.
    """

    def __init__(self, log: Log, window_ms: int) -> None:
        self._log, self._window_ms = log, window_ms
        self._waiting = [unpack(data) for data in log.get() or ()]

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def late(self, opened: int, now_ms: int) -> bool:
        """Whether to let a batch wait: its window opened at `opened` and closed more than another
        window ago, so the next batch has arrived too, and there is room for it."""
        window = self._window_ms
        late = window > 0 and now_ms - opened > window + max(window, _SLACK_MS)
        return late and sum(map(len, self._waiting)) < MOST

    def put(self, data: bytes, batch: EventBatch) -> int:
        """Let a batch wait; returns for how many ms at most, or 0 if others are waiting already."""
        self._log.add(data)
        self._waiting.append(batch)
        return _PAUSE_MS if len(self._waiting) == 1 else 0

    def take(self, *batches: EventBatch) -> EventBatch:
        """The waiting batches, which leave the queue, and then `batches`, joined into one."""
        if not self._waiting:
            return join(batches)
        self._log.clear()
        found, self._waiting = self._waiting, []
        return join([*found, *batches])
