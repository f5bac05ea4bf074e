"""How a user shard learns a batch: tested, learned, written as lists, told to the item learners.

In: an `EventBatch` of a shard. Out: effects: messages for the item learners, lists for the stores,
accounts. It also keeps the replica of the items up to date. Flink is not used here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from udfs.accounts import Account
from udfs.events.batch import CONSUMED, EventBatch, cut, recurrences
from udfs.feed.entries import PUBLISH_MS
from udfs.learning.attribution import Attribution
from udfs.learning.contributions import Contributions
from udfs.learning.described import DescribedStep
from udfs.learning.effects import Effect, Emit, Keep, Log, Report, Show
from udfs.learning.guarded import Guarded, Turn
from udfs.learning.joining import Joining
from udfs.learning.learner import Learned, Learner
from udfs.learning.list_step import ListStep, micros
from udfs.learning.noted import without_seen
from udfs.learning.profiles import ProfileStep
from udfs.learning.quality import Quality
from udfs.learning.served import Served
from udfs.learning.settings import JobSettings
from udfs.learning.user_shard import UserShard
from udfs.models.popular.noise import day_of
from udfs.options.cassandra import keeps_history
from udfs.options.own import beside
from udfs.ranking.recommender import Recommender
from udfs.state.handles import Rows

_REPORT_S = 1.0  # how often a batch that is learned event by event reports its progress
_EXPIRE_MS = 60_000  # how often idle items are dropped from the replica


class Replica(Protocol):
    """The replica of the items, kept up to date by the feed; see `udfs.feed.reader.FeedReader`."""

    read: int

    @property
    def settled(self) -> bool:
        """Whether the replica has loaded everything there is."""

    def refresh(self, models: Recommender) -> int:
        """Bring it up to date."""


class LearnStep:
    """The learning of one subtask's shards.

    Args:
        rows: users and history pages of the current shard's state. clock: the wall clock, ms.
        contributions: what counts for what is published; None: all of it. attribution: joins
            events to lists; None: that is off.
    """

    def __init__(
        self,
        settings: JobSettings,
        rows: tuple[Rows, Rows],
        learner: Learner,
        replica: Replica,
        described: DescribedStep,
        lists: ListStep,
        clock: Callable[[], int],
        profiles: ProfileStep,
        contributions: Contributions | None = None,
        attribution: Attribution | None = None,
    ) -> None:
        self._profiles, self._contributions = profiles, contributions
        self._attribution = attribution
        self._settings, self._rows, self._learner = settings, rows, learner
        self._replica, self._described, self._lists = replica, described, lists
        self._clock, quality = clock, settings.options.quality
        tested = (*quality.models, *beside(settings.options))
        self._quality = Quality(quality.every, tested, settings.trial.nth)
        self._served = Served(learner, *rows)
        self._log, self._guarded = learner.models.log, None
        if settings.options.crowd.guard:
            Guarded.compile(learner)
            self._guarded = Guarded(learner, *rows)
        self._refreshed_ms = self._expired_ms = self._read = 0
        self._refresh, strict = settings.options.lists.refresh, settings.options.job.strict
        self._kept = keeps_history(settings.options.cassandra)
        # Whether lists are written after each event.
        self._each = strict and self._refresh and not settings.trial.per_batch

    def learn(self, key: int, shard: UserShard, batch: EventBatch) -> Iterator[Effect]:
        """Learn a batch, and write the lists of its users."""
        began, now, account = time.perf_counter(), self._clock(), shard.account
        others = sum(account.stages.values())
        self.refresh_replica(now)
        batch = shard.admit(batch)
        keep = shard.duplicates.keep(batch.ids, now)
        if keep is not None:
            account.duplicates += len(batch) - int(keep.sum())
            batch = batch.take(keep)
        steps, saw = self._learner.models.steps, partial(self._saw, shard)
        joined = None
        if self._attribution is not None:
            joined = Joining(self._attribution, shard, batch)
        batch = without_seen(batch, steps, account, saw)
        touched: list[NDArray[np.int32]] = []
        for part in self._parts(batch, self._settings.trial.after - shard.learned):
            if self._settings.trial.sequential and touched:
                # A replay's batches are long, and others wait for what they teach.
                yield from self._send(now)
                self.refresh_replica(self._clock())
            if joined is not None:
                part = joined.upto(part)
            # The shard's key is above the bits of the count, so that no two shards draw the same
            # negatives.
            number = (key << 40) + shard.learned
            first = self._settings.trial.after - shard.learned
            if shard.profiled or not steps.rerank.repeats.idle:
                users = self._learner.users.locate(part.users, *self._rows, self._learner.catalogue)
                slots = np.fromiter(users.values(), np.int32, len(users))
                self._profiles.load(shard, slots)
                shard.noted.load(slots, self._learner.users.names)
            if self._quality.due(number, len(part)):
                yield from self._test(part, number, first, now, account)
            learned = self._learn(part, shard, Turn(number, now, shard.mean, first))
            if self._log is not None and (rankings := self._log.take()):
                yield Log(rankings)
            shard.learned += len(part)
            account.learned += len(part)
            account.users += learned.new_users
            account.note(learned.quality)
            if learned.held:
                account.add(Account(crowd=dict(learned.held)))
            shard.idle.mark(self._learner.users, learned.slots, now)
            touched.append(learned.slots)
            if self._contributions is not None:
                yield from self._contribute(part, self._contributions, now)
            self._described.took(shard.recent, part.users)
            if self._each:
                yield from self._lists.write(shard, learned.slots, now)
            if time.perf_counter() - began > _REPORT_S:
                account.spend("learn", micros(began) - sum(account.stages.values()) + others)
                account.spend("user_learner", micros(began))
                yield self.report(shard)
                began, account, others = time.perf_counter(), shard.account, 0
        if joined is not None:
            joined.rest()
        if self._kept and touched:
            yield Keep(batch)
        account.batches += 1
        account.waited += max(now - batch.opened, 0)
        if touched and self._refresh and not self._each:
            yield from self._lists.refresh(shard, batch, _distinct(touched), now)
        yield from self._send(now)  # nobody waits for these
        account.spend("learn", micros(began) - sum(account.stages.values()) + others)
        account.spend("user_learner", micros(began))

    def _saw(self, shard: UserShard, told: EventBatch) -> None:
        """Count what users saw for their own lists."""
        users = self._learner.users
        found = users.locate(told.users, *self._rows, self._learner.catalogue)
        slots = np.fromiter(map(found.__getitem__, told.users), np.int32, len(told))
        shard.noted.saw(told, slots, users.names)

    def _learn(self, part: EventBatch, shard: UserShard, turn: Turn) -> Learned:
        if self._settings.trial.freeze and turn.first <= 0:
            return self._served.serve(part, turn.now_ms)
        if self._guarded is not None and shard.votes is not None:
            return self._guarded.learn(part, turn, shard.votes)
        users, history = self._rows
        return self._learner.learn(part, users, history, *turn)

    def _contribute(
        self, part: EventBatch, contributions: Contributions, now: int
    ) -> Iterator[Effect]:
        """Let events that like and consume an item that lines describe count for what is
        published. Whether one counts follows from its user's events alone, so `crowd.guard`, which
        compares users, is not asked."""
        c = self._learner.catalogue
        slots = c.find(part.items)
        counted = c.metadata.described[slots] & (slots >= 0)
        counted &= (part.weights > 0) & (part.flags & CONSUMED > 0)
        chosen = np.flatnonzero(counted).tolist()
        pairs = [(part.users[row], part.items[row]) for row in chosen]
        return contributions.count(pairs, day_of(now))

    def _send(self, now: int) -> Iterator[Effect]:
        """Tell the item learners what was learned since the last call."""
        for item_shard, message in self._learner.messages(now).items():
            yield Emit(item_shard, message)

    def _parts(self, batch: EventBatch, first: int) -> Iterator[EventBatch]:
        """The parts that are tested and then learned in one step: the batch, or less if
        configured. `first` is the place of the first event that is a test."""
        if self._settings.options.job.strict:
            yield from cut(batch, range(1, len(batch)))
        elif self._settings.trial.sequential:
            frozen = [first] if self._settings.trial.freeze and 0 < first < len(batch) else []
            yield from cut(batch, sorted({*recurrences(batch.users), *frozen}))
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

    def refresh_replica(self, now: int) -> None:
        """Bring the replica, the metadata and a team's own models up to date, and forget idle
        items, now and then."""
        if now - self._refreshed_ms >= PUBLISH_MS // 2:
            self._refreshed_ms = now
            self._replica.refresh(self._learner.models)
            self._described.look(now)
        models = self._learner.models
        for file in models.own_files.values():
            if file.look(now):
                models.learned()
        if now - self._expired_ms >= _EXPIRE_MS:
            self._expired_ms = now
            self._learner.expire_items(now - self._settings.options.item_expiry_ms)

    def report(self, shard: UserShard) -> Report:
        """Hand over what was counted; the next count begins at nothing."""
        account, shard.account = shard.account, Account()
        if self._replica.read > self._read:
            account.feed = {"read": self._replica.read - self._read}
            self._read = self._replica.read
        for file in self._learner.models.own_files.values():
            account.models.update(file.take())
        return Report(account)


def _distinct(slots: list[NDArray[np.int32]]) -> NDArray[np.int32]:
    """The slots of all parts of a batch, each once, in the order of their first events."""
    if len(slots) == 1:
        return slots[0]
    found = dict.fromkeys(np.concatenate(slots).tolist())
    return np.fromiter(found, np.int32, len(found))
