"""What a user learner holds in memory of one shard, over the shard's part of Flink's state.

In: the handles of the operator's state, which Flink scopes to the current shard, and its settings.
Out: a `UserShard` as the state has it; `store` writes back what changes with every batch.
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
        state: the handles, while the shard is the current one. key: Flink's of the shard.
        marks: the shard's in Redis.

    Attributes:
        learned: how many events.
        mean: float64[2], how many ratings were learned, and their mean.
        due: users whose list was put off, with the time of the oldest event, ms.
        flushed_ms: when those lists were last written.
        timers: what is due when.
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
        """Write how much was learned to the state."""
        self._state.learned.update(self.learned.to_bytes(8, "little"))
        if self.mean[0]:
            self._state.mean.update(self.mean.astype("<f8").tobytes())

    def put_off(self, due: dict[str, int]) -> None:
        """Note the users whose list is put off, also in the state; none: all are written."""
        self.due = due
        if due:
            self._state.due.update(msgspec.json.encode(due))
        else:
            self._state.due.clear()
