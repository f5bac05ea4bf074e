"""The step of a user shard: what is done with a batch, and when a timer fires.

In: packed `EventBatch`es and times, with the handles of the shard's state. Out: effects:
messages for the item learners, lists for the stores, timers, accounts. Flink is not used here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from udfs.accounts import Account
from udfs.events.batch import EventBatch, cut, make_batch, recurrences, unpack
from udfs.feed.entries import PUBLISH_MS
from udfs.learning.effects import END, Effect, Emit, Report, Show, Wake, Write
from udfs.learning.learner import Learner
from udfs.learning.list_step import ListStep, micros
from udfs.learning.quality import Quality
from udfs.learning.refill import LOOK_MS
from udfs.learning.settings import JobSettings
from udfs.learning.shared_lists import PAUSE_MS
from udfs.learning.timers import next_tick
from udfs.learning.user_shard import Handles, UserShard
from udfs.lists.keys import ITEM
from udfs.ranking.recommender import Recommender
from udfs.stores.redis_marks import RedisMarks

_REPORT_S = 1.0  # how often a batch that is learned event by event reports its progress
_EXPIRE_MS = 60_000  # how often idle items are dropped from the replica
_TICK_MS = 400  # how long counts and shared lists wait for each other
# Names of timers, besides `LISTS`.
_QUEUE, _REFILL, _SWEEP, _TICK = "queue", "refill", "sweep", "tick"
_NOTHING = Account()
_NO_EVENTS = make_batch([], [], np.zeros(0), np.zeros(0), np.zeros(0), [], 0)


class Replica(Protocol):
    """The replica of the items, kept up to date by the feed; see `udfs.feed.reader.FeedReader`."""

    read: int

    @property
    def settled(self) -> bool:
        """Whether the replica has loaded everything there is."""

    def refresh(self, models: Recommender) -> int:
        """Bring it up to date."""


class UserStep:
    """The shards of one subtask.

    Args:
        state: the operator's handles, which Flink scopes to the current shard.
        marks: makes the marks of a shard, given its key. clock: the wall clock, ms.
    """

    def __init__(
        self,
        settings: JobSettings,
        state: Handles,
        learner: Learner,
        replica: Replica,
        marks: Callable[[int], RedisMarks],
        clock: Callable[[], int],
    ) -> None:
        self._settings, self._state, self._rows = settings, state, (state.users, state.history)
        self._learner, self._replica, self._marks, self._clock = learner, replica, marks, clock
        quality = settings.options.quality
        self._quality = Quality(quality.every, quality.models)
        self._lists = ListStep(settings, learner, *self._rows, clock)
        self._refreshed_ms = self._expired_ms = self._read = 0
        self._shards: dict[int, UserShard] = {}
        self._refresh, strict = settings.options.lists.refresh, settings.options.job.strict
        # Whether lists are written after each event.
        self._each = strict and self._refresh and not settings.trial.per_batch

    def batch(self, key: int, data: bytes) -> Iterator[Effect]:
        """Learn one batch of one shard; batches that have queued up are learned as one."""
        shard = yield from self._load(key)
        batch, now = unpack(data), self._clock()
        if not (pause := shard.queued.pause(batch, now)):
            yield from self._learn(key, shard, shard.queued.take(batch))
        elif shard.queued.put(data, batch):
            yield Wake(shard.timers.plan(_QUEUE, now + pause))

    def timer(self, key: int, timestamp: int) -> Iterator[Effect]:
        """Learn waiting batches, write postponed lists and forget idle users; called for the last
        time at the end of the input."""
        restored = key not in self._shards
        shard = yield from self._load(key)
        due = shard.timers.take(END if restored else timestamp)
        if not (shard.queued or restored or timestamp == END or due - {_QUEUE}):
            return  # the last piece came before the timer
        if timestamp == END:
            shard.flushed_ms = 0  # nothing is postponed any more
        if shard.queued:
            yield from self._learn(key, shard, shard.queued.take())
        began, now, account = time.perf_counter(), self._clock(), shard.account
        # Timers of waiting batches come more often than postponed lists are due.
        if shard.due and now - shard.flushed_ms >= self._settings.options.lists.coalesce_ms:
            yield from self._lists.refresh(shard, _NO_EVENTS, np.zeros(0, np.int32), now)
        if _REFILL in due:
            self._refresh_replica(now)
            if self._replica.settled:
                yield from self._lists.refill(shard, now)
            yield self._every(_REFILL, LOOK_MS, shard)
        if _SWEEP in due:
            for user in shard.idle.sweep(*self._rows, self._learner.users.dtype, now):
                self._learner.users.forget(user)
            yield self._every(_SWEEP, shard.idle.sweep_ms, shard)
        if account != _NOTHING:
            account.spend("user_learner", micros(began))
        # Lists of items may be due when there are no events any more, or all be lost.
        waiting = _REFILL in due and self._learner.shared.waiting
        if _TICK in due or restored or timestamp == END or waiting:
            yield from self._tick(shard, now)
        elif account != _NOTHING:
            yield from self._keep(shard)

    def end(self) -> Iterator[Effect]:
        """At the end of a bounded input: write every shared list."""
        yield Write(self._learner.shared.updates(self._clock(), everything=True))

    def _load(self, key: int) -> Generator[Effect, None, UserShard]:
        """The shard, loaded from its state on first use."""
        shard = self._shards.get(key)
        if shard is None:
            s = self._settings
            s.layout.check(self._state.layout, "the user learner")
            shard = self._shards[key] = UserShard(self._state, key, s, self._marks(key))
            yield self._every(_SWEEP, shard.idle.sweep_ms, shard)
            if s.refills:
                yield self._every(_REFILL, LOOK_MS, shard)
            yield Wake(END)
        return shard

    def _every(self, name: str, interval_ms: int, shard: UserShard) -> Wake:
        return Wake(shard.timers.plan(name, next_tick(self._clock(), interval_ms)))

    def _learn(self, key: int, shard: UserShard, batch: EventBatch) -> Iterator[Effect]:
        began, now, account = time.perf_counter(), self._clock(), shard.account
        others = sum(account.stages.values())
        self._refresh_replica(now)
        keep = shard.duplicates.keep(batch.ids, now)
        if keep is not None:
            account.duplicates += len(batch) - int(keep.sum())
            batch = batch.take(keep)
        touched: list[NDArray[np.int32]] = []
        for part in self._parts(batch):
            if self._settings.trial.sequential and touched:
                # A replay's batches are long, and others wait for what they teach.
                yield from self._send(now)
                self._refresh_replica(self._clock())
            # The shard's key is above the bits of the count, so that no two shards draw the same
            # negatives.
            number = (key << 40) + shard.learned
            first = self._settings.trial.after - shard.learned
            if self._quality.due(number, len(part)):
                yield from self._test(part, number, first, now, account)
            learned = self._learner.learn(part, *self._rows, number, now, shard.mean, first)
            shard.learned += len(part)
            account.learned += len(part)
            account.users += learned.new_users
            account.note(learned.quality)
            shard.idle.mark(self._learner.users, learned.slots, now)
            touched.append(learned.slots)
            if self._each:
                yield from self._lists.write(shard, learned.slots, now)
            if time.perf_counter() - began > _REPORT_S:
                account.spend("learn", micros(began) - sum(account.stages.values()) + others)
                account.spend("user_learner", micros(began))
                yield self._report(shard)
                began, account, others = time.perf_counter(), shard.account, 0
        account.batches += 1
        account.waited += max(now - batch.opened, 0)
        if touched and self._refresh and not self._each:
            yield from self._lists.refresh(shard, batch, _distinct(touched), now)
        yield from self._send(now)  # nobody waits for these
        account.spend("learn", micros(began) - sum(account.stages.values()) + others)
        account.spend("user_learner", micros(began))
        yield from self._keep(shard)

    def _send(self, now: int) -> Iterator[Effect]:
        """Tell the item learners what was learned since the last call."""
        for item_shard, message in self._learner.messages(now).items():
            yield Emit(item_shard, message)

    def _keep(self, shard: UserShard) -> Iterator[Effect]:
        """Put what was counted into the state, until the next tick reports it."""
        shard.store()
        if shard.account != _NOTHING and _TICK not in shard.timers:
            yield self._every(_TICK, _TICK_MS, shard)

    def _tick(self, shard: UserShard, now: int) -> Iterator[Effect]:
        """Write the shared lists that are due, and report what was counted since the last tick."""
        began, shared = time.perf_counter(), self._learner.shared
        if updates := shared.updates(now):
            yield Write(updates)
            for stage in ("shared", "user_learner"):
                shard.account.spend(stage, micros(began))
        if shared.busy(now) and any(some.kind == ITEM for some in updates):
            yield Wake(shard.timers.plan(_TICK, now + PAUSE_MS))
        if shard.account != _NOTHING:
            yield self._report(shard)
            shard.store()

    def _parts(self, batch: EventBatch) -> Iterator[EventBatch]:
        """The parts that are tested and then learned in one step: the batch, or less if
        configured."""
        if self._settings.options.job.strict:
            yield from cut(batch, range(1, len(batch)))
        elif self._settings.trial.sequential:
            yield from cut(batch, recurrences(batch.users))
        elif len(batch):
            yield batch

    def _test(
        self, batch: EventBatch, number: int, first: int, now: int, account: Account
    ) -> Iterator[Effect]:
        began = time.perf_counter()
        quality, shown = self._quality.test(self._learner, batch, *self._rows, number, now, first)
        if shown:
            yield Show(shown)
        account.note(quality)
        account.spend("quality", micros(began))

    def _refresh_replica(self, now: int) -> None:
        if now - self._refreshed_ms >= PUBLISH_MS // 2:
            self._refreshed_ms = now
            self._replica.refresh(self._learner.models)
        if now - self._expired_ms >= _EXPIRE_MS:
            self._expired_ms = now
            self._learner.expire_items(now - self._settings.options.item_expiry_ms)

    def _report(self, shard: UserShard) -> Report:
        """Hand over what was counted; the next count begins at nothing."""
        account, shard.account = shard.account, Account()
        if self._replica.read > self._read:
            account.feed = {"read": self._replica.read - self._read}
            self._read = self._replica.read
        return Report(account)


def _distinct(slots: list[NDArray[np.int32]]) -> NDArray[np.int32]:
    """The slots of all parts of a batch, each once, in the order of their first events."""
    if len(slots) == 1:
        return slots[0]
    found = dict.fromkeys(np.concatenate(slots).tolist())
    return np.fromiter(found, np.int32, len(found))
