"""When which lists of a user shard are written: with a batch, later under overload, or soon.

In: the users of a batch, or the time. Out: effects, mainly `Write`. Flink is not used here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from udfs.events.batch import EventBatch
from udfs.events.searches import Search
from udfs.learning.attribution import Attribution
from udfs.learning.effects import Effect, Emit, Wake, Write
from udfs.learning.learner import Learner
from udfs.learning.profiles import ProfileStep
from udfs.learning.settings import JobSettings
from udfs.learning.user_shard import UserShard
from udfs.state.handles import Rows

LISTS = "lists"
"""The name of the timer for postponed lists."""

OVERLOAD_MS = 500
"""The lag behind the input beyond which lists are postponed, by `lists.coalesce_ms`: a job that
keeps up stays far below it (docs/performance.md)."""

_LIVE_MS = 60_000  # an event no older than this when read counts as live
_SOON_MS = 5  # how long lists that need no batch wait for one: what a ranking costs is its start


class ListStep:
    """See the module.

    Args:
        users, history: rows of the current shard's state. clock: the wall clock, ms.
        profiles: of those users. attribution: keeps what is written; None: that is off.
    """

    def __init__(
        self,
        settings: JobSettings,
        learner: Learner,
        users: Rows,
        history: Rows,
        clock: Callable[[], int],
        profiles: ProfileStep,
        attribution: Attribution | None = None,
    ) -> None:
        self._profiles, self._attribution = profiles, attribution
        self._options, self._refills = settings.options, settings.refills
        self._learner, self._rows, self._clock = learner, (users, history), clock

    def refresh(
        self, shard: UserShard, batch: EventBatch, slots: NDArray[np.int32], now: int
    ) -> Iterator[Effect]:
        """Write the lists of the touched users, or postpone them while the job is overloaded."""
        lists, users = self._options.lists, self._learner.users
        since = since_of(batch, now)
        overloaded = lists.coalesce_ms > 0 and now - batch.opened > OVERLOAD_MS
        if overloaded and now - shard.flushed_ms < lists.coalesce_ms:
            due = dict(shard.due)
            for user, at in zip(batch.users, since, strict=True):
                due[user] = due.get(user) or at
            shard.put_off(due)
            yield Wake(shard.timers.plan(LISTS, shard.flushed_ms + lists.coalesce_ms))
            return
        if shard.due:
            since += filter(None, shard.due.values())
            # All at once: locating the postponed users separately could evict users of this batch.
            slots = self._locate([*(users.names[slot] for slot in slots.tolist()), *shard.due])
            shard.put_off({})
        shard.flushed_ms = now
        yield from self.write(shard, slots, now)
        after = self._clock()
        shard.account.refreshed([max(after - at, 0) for at in since])

    def soon(self, shard: UserShard, names: Iterable[str], now: int) -> Iterator[Effect]:
        """Write the lists of some users with those of the next batch, or alone if none comes."""
        if self._options.job.strict:
            yield from self.write(shard, self._locate([*names]), now)
            return
        fresh = not shard.due
        shard.put_off(dict.fromkeys(names, 0) | shard.due)
        # A timer may be left of an overload, far away, whose lists a batch has written since.
        if fresh or LISTS not in shard.timers:
            yield Wake(shard.timers.plan(LISTS, now + _SOON_MS))

    def _locate(self, names: list[str]) -> NDArray[np.int32]:
        found = self._learner.users.locate(names, *self._rows, self._learner.catalogue)
        return np.fromiter(found.values(), np.int32, len(found))

    def write(self, shard: UserShard, slots: NDArray[np.int32], now: int) -> Iterator[Effect]:
        """Write the lists of the users in `slots`."""
        began = time.perf_counter()
        learner, account = self._learner, shard.account
        self._profiles.load(shard, slots)
        shard.noted.load(slots, learner.users.names)
        updates = learner.user_lists(slots, now)
        for some in updates:
            _ = some.json  # here, so as not to count as the stores' time
        if self._attribution is not None:
            self._attribution.written(shard, updates, now)
        ranked = time.perf_counter()
        yield Write(updates)
        if (exposure := learner.models.steps.rerank.exposure).some:
            account.expose(exposure.counted())
            # Now, since a timer may have called, after which nothing else would tell of it.
            for item_shard, message in learner.messages(now).items():
                yield Emit(item_shard, message)
        if self._refills:
            shard.refill.wrote(map(learner.users.names.__getitem__, slots.tolist()))
        account.spend("rank", int((ranked - began) * 1e6))
        account.spend("redis", micros(ranked))
        account.lists += len(slots)

    def searched(self, shard: UserShard, searches: list[Search], now: int) -> Iterator[Effect]:
        """Write the lists of users who have searched for something."""
        self._learner.models.steps.searches.take(searches)
        if self._options.lists.refresh:
            slots = self._locate([one.user for one in searches])
            shard.idle.mark(self._learner.users, slots, now)  # who has a list may be idle one day
            yield from self.write(shard, slots, now)

    def refill(self, shard: UserShard, now: int) -> Iterator[Effect]:
        """Write some of the lists that Redis has lost, if it has lost any."""
        learner, users = self._learner, self._learner.users
        emptied, names = shard.refill.look(shard.learned)
        if emptied:
            learner.shared.lost()
        expired = now - self._options.redis.expiry_s * 1000
        slots = self._locate(names)
        listed = slots[users.seen[slots] > expired]
        for name in (users.names[slot] for slot in slots[users.seen[slots] == 0].tolist()):
            users.forget(name)  # not in the state any more
        if len(listed):
            yield from self.write(shard, listed, now)


def micros(began: float) -> int:
    """Microseconds since a reading of `time.perf_counter`."""
    return int((time.perf_counter() - began) * 1e6)


def since_of(batch: EventBatch, now: int) -> list[int]:
    """The start of the freshness of each event, ms: its own time if it is live, else when its
    micro-batch was opened."""
    opened = batch.opened
    oldest = opened - _LIVE_MS
    return [ts if oldest < ts <= now else opened for ts in batch.ts.tolist()]
