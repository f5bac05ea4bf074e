"""One shard of a user learner in memory, on top of the shard's part of Flink's state.

In: the handles of the operator's state, which Flink scopes to the current shard, and its settings.
Out: a `UserShard` loaded from the state; `store` writes back what changes with every batch.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import numpy as np

from udfs.learning.batch_queue import BatchQueue
from udfs.learning.duplicates import Duplicates
from udfs.learning.idle_users import IdleUsers
from udfs.learning.refill import Refill
from udfs.learning.settings import JobSettings
from udfs.learning.timers import Timers
from udfs.state.handles import Cell, Log, Rows
from udfs.stores.redis_marks import RedisMarks

_DAY_MS = 86_400_000


class Handles(NamedTuple):
    """The state of the operator `user learner`, by shard; the names are those in Flink."""

    users: Rows
    history: Rows
    ids: Rows
    idle: Rows
    layout: Cell
    learned: Cell
    due: Cell
    mean: Cell
    queued: Log


class UserShard:
    """See the module.

    Args:
        state: the handles, while the shard is the current one. key: Flink's key of the shard.
        marks: the shard's marks in Redis.

    Attributes:
        learned: the number of events learned.
        mean: float64[2], how many ratings were learned, and their mean.
        due: users whose list is postponed, with the time of their oldest event, ms.
        flushed_ms: when those lists were last written.
        timers: when the next tasks are due.
    """

    def __init__(self, state: Handles, key: int, settings: JobSettings, marks: RedisMarks) -> None:
        options, self._state = settings.options, state
        events = options.events
        self.queued = BatchQueue(state.queued, settings.gather_ms)
        self.duplicates = Duplicates(
            state.ids, int(events.deduplicate_s * 1000), events.deduplicate_ids
        )
        self.idle = IdleUsers(state.idle, int(options.state.user_expiry_days * _DAY_MS))
        self.learned = int.from_bytes(state.learned.value() or b"", "little")
        self.mean = np.frombuffer(state.mean.value() or bytes(16), "<f8").copy()
        self.due = msgspec.json.decode(state.due.value() or b"{}", type=dict[str, int])
        self.flushed_ms = 0
        self.timers = Timers()
        per_s = options.redis.refill_per_s if settings.refills else 0
        self.refill = Refill(marks, key, self.learned, self.idle, per_s)

    def store(self) -> None:
        """Write the number of events learned to the state."""
        self._state.learned.update(self.learned.to_bytes(8, "little"))
        if self.mean[0]:
            self._state.mean.update(self.mean.astype("<f8").tobytes())

    def put_off(self, due: dict[str, int]) -> None:
        """Set the users whose list is postponed, also in the state; empty: all are written."""
        self.due = due
        if due:
            self._state.due.update(msgspec.json.encode(due))
        else:
            self._state.due.clear()
