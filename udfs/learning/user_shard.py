"""One shard of a user learner in memory, on top of the shard's part of Flink's state.

In: the handles of the operator's state, which Flink scopes to the current shard, and its settings.
Out: a `UserShard` loaded from the state; `store` writes back what changes with every batch.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import msgspec
import numpy as np

from udfs.accounts import Account
from udfs.errors import ServiceError
from udfs.events.batch import EventBatch
from udfs.experiments.words import Words
from udfs.learning.batch_queue import BatchQueue
from udfs.learning.described import Recent
from udfs.learning.duplicates import Duplicates
from udfs.learning.forgotten import Forgotten
from udfs.learning.idle_users import IdleUsers
from udfs.learning.noted import Noted
from udfs.learning.refill import Refill
from udfs.learning.settings import JobSettings
from udfs.learning.timers import Timers
from udfs.learning.votes import Votes
from udfs.ranking.steps.steps import Steps
from udfs.state.handles import Cell, Log, Rows
from udfs.stores.redis_marks import RedisMarks

_DAY_MS = 86_400_000
_VERSION = 2
_OLD_BYTES = 8  # of the number of events learned, which was all that version 1 had


class Progress(msgspec.Struct, array_like=True, kw_only=True):
    """What changes with every batch of a shard, as one value in its state.

    Attributes:
        learned: the number of events learned.
        mean: how many ratings were learned, and their mean.
        account: counts that have not been reported yet.
    """

    version: int = _VERSION
    learned: int = 0
    mean: tuple[float, float] = (0.0, 0.0)
    account: Account = msgspec.field(default_factory=Account)


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Progress).decode


class Handles(NamedTuple):
    """The state of the operator `user learner`, by shard; the names are those in Flink.

    `learned` holds a packed `Progress`. `mean` is only read: releases before version 2 of it wrote
    the mean of the ratings there. `people` holds what is said of users, as packed records; `noted`
    the rows of `Noted`; `forgotten` the marks of `udfs.learning.forgotten`; `crowd` how users act,
    see `Votes`; `contributed` what counts of them for what is published; `outcomes` their last
    lists, see `Attribution`; `experiments` what they did in experiments; `joined` the other ids of
    users, in a job that resolves them; `started` what lines say of experiments, in a job that can
    run them.
    """

    users: Rows
    history: Rows
    ids: Rows
    idle: Rows
    layout: Cell
    learned: Cell
    due: Cell
    mean: Cell
    queued: Log
    people: Rows
    noted: Rows
    forgotten: Rows
    crowd: Rows
    contributed: Rows
    outcomes: Rows
    experiments: Rows
    joined: Rows | None = None
    started: Cell | None = None


class UserShard:
    """See the module.

    Args:
        state: the handles, while the shard is the current one. key: Flink's key of the shard.
        marks: the shard's marks in Redis. steps: of its lists.

    Attributes:
        learned: the number of events learned.
        mean: float64[2], how many ratings were learned, and their mean.
        account: counts that have not been reported yet. They are in the state, so that after a
            restart totals are neither short of them nor have them twice.
        due: users whose list is postponed, with the time of their oldest event, ms; 0: none.
        flushed_ms: when those lists were last written.
        forgotten: users who were forgotten.
        votes: how its users act, if `crowd.guard` is on.
        recent: its users of late; noted once items are described.
        profiled: whether anything was ever said of any of its users.
        timers: when the next tasks are due.
        noted: what its lists remember.
        again: persons whose lists are to be written once more, and at which times, ms.
        words: what lines say of experiments. experiments: those that run.
    """

    def __init__(
        self, state: Handles, key: int, settings: JobSettings, marks: RedisMarks, steps: Steps
    ) -> None:
        options, self._state = settings.options, state
        events = options.events
        self.queued = BatchQueue(state.queued, settings.gather_ms)
        self.duplicates = Duplicates(
            state.ids, int(events.deduplicate_s * 1000), events.deduplicate_ids
        )
        self.idle = IdleUsers(state.idle, int(options.state.user_expiry_days * _DAY_MS))
        progress = _progress(state)
        self.learned, self.account = progress.learned, progress.account
        self.mean = np.array(progress.mean)
        self.votes = Votes(state.crowd) if options.crowd.guard else None
        self.due = msgspec.json.decode(state.due.value() or b"{}", type=dict[str, int])
        self.forgotten = Forgotten(state.forgotten)
        self.flushed_ms = 0
        self.recent = Recent()
        self.profiled = not state.people.is_empty()
        self.timers = Timers()
        self.noted = Noted(state.noted, steps)
        self.again: dict[str, list[int]] = {}
        self.words = Words()
        self.experiments = options.experiments
        per_s = options.redis.refill_per_s if settings.refills else 0
        self.refill = Refill(marks, key, self.learned, self.idle, per_s)

    def store(self) -> None:
        """Write the number of events learned, the mean and the account to the state."""
        mean = (float(self.mean[0]), float(self.mean[1]))
        progress = Progress(learned=self.learned, mean=mean, account=self.account)
        self._state.learned.update(_encode(progress))

    def admit(self, batch: EventBatch) -> EventBatch:
        """The events of a batch that may be learned; the others are counted."""
        if (kept := self.forgotten.keep(batch)) is None:
            return batch
        self.account.refused += kept.refused
        self.account.opted_out += kept.opted_out
        return batch.take(kept.chosen)

    def forget(self, users: Collection[str]) -> None:
        """Remove users from all that the shard keeps besides their rows."""
        self.idle.forget(users)
        self.duplicates.forget(users)
        self.refill.forget(users)
        self.drop(users)

    def drop(self, users: Collection[str]) -> None:
        """Remove users who have no rows any more from what is due of them, and how they acted."""
        self.forget_acts(users)
        self.recent.forget(users)
        for user in users:
            self.again.pop(user, None)
        self.unlist(users)

    def unlist(self, users: Collection[str]) -> None:
        """Let no list of some users be due."""
        if not self.due.keys().isdisjoint(users):
            self.put_off({name: at for name, at in self.due.items() if name not in users})

    def forget_acts(self, users: Collection[str]) -> None:
        """Remove how users acted and their last lists, also those that were kept before the options
        were turned off."""
        if self.votes is not None:
            self.votes.forget(*users)
        for user in users:
            self._state.crowd.remove(user)
            self._state.outcomes.remove(user)
            self._state.experiments.remove(user)

    def put_off(self, due: dict[str, int]) -> None:
        """Set the users whose list is postponed, also in the state; empty: all are written."""
        self.due = due
        if due:
            self._state.due.update(msgspec.json.encode(due))
        else:
            self._state.due.clear()


def _progress(state: Handles) -> Progress:
    """The stored progress of the current shard, in any known version.

    Raises:
        ServiceError: it was written by a newer release.
    """
    stored = state.learned.value() or bytes(_OLD_BYTES)
    if len(stored) == _OLD_BYTES:
        count, mean = np.frombuffer(state.mean.value() or bytes(16), "<f8").tolist()
        return Progress(learned=int.from_bytes(stored, "little"), mean=(count, mean))
    progress = _decode(stored)
    if progress.version != _VERSION:
        raise ServiceError(
            f"the progress of a user shard is stored in form {progress.version}, this millirec "
            f"reads forms 1 and {_VERSION}: restore with the release that wrote it, or start "
            "without the old state."
        )
    return progress
