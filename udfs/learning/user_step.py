"""The step of a user shard: what is done with a batch, and when a timer fires.

In: packed `EventBatch`es and times, with the handles of the shard's state. Out: effects:
messages for the item learners, lists for the stores, timers, accounts. Flink is not used here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator

import numpy as np

from udfs.accounts import Account
from udfs.events.batch import EventBatch, make_batch, unpack
from udfs.events.experiments import is_words
from udfs.events.item_changes import is_notice
from udfs.events.joined import is_joined, unpack_joined
from udfs.events.people import is_people, unpack_people
from udfs.events.searches import is_searches, unpack_searches
from udfs.feed.metadata_reader import MetadataReader
from udfs.learning.attribution import Attribution
from udfs.learning.contributions import Contributions
from udfs.learning.described import DescribedStep
from udfs.learning.effects import END, Effect, Expire, Wake, Write
from udfs.learning.experiment_step import ExperimentStep
from udfs.learning.experiments import Experiments
from udfs.learning.join_step import AGAIN, JoinStep
from udfs.learning.learn_step import LearnStep, Replica
from udfs.learning.learner import Learner
from udfs.learning.list_step import LISTS, ListStep, micros
from udfs.learning.people_step import PeopleStep
from udfs.learning.profiles import ProfileStep
from udfs.learning.refill import LOOK_MS
from udfs.learning.rights_step import RightsStep
from udfs.learning.settings import JobSettings
from udfs.learning.shared_lists import PAUSE_MS
from udfs.learning.timers import next_tick
from udfs.learning.user_shard import Handles, UserShard
from udfs.learning.why_step import WhyStep
from udfs.lists.keys import ITEM
from udfs.memory.metadata import NEVER
from udfs.models.popular.noise import day_of
from udfs.stores.redis_marks import RedisMarks

_TICK_MS = 400  # how long counts and shared lists wait for each other
# Names of timers, besides `LISTS`.
_QUEUE, _REFILL, _SWEEP, _TICK, _LOOK = "queue", "refill", "sweep", "tick", "look"
_NOTHING = Account()
_NO_EVENTS = make_batch([], [], np.zeros(0), np.zeros(0), np.zeros(0), [], 0)


class UserStep:
    """The shards of one subtask.

    Args:
        state: the operator's handles, which Flink scopes to the current shard.
        metadata: of the items, as it changes.
        marks: makes the marks of a shard, given its key. clock: the wall clock, ms.
        alone: whether this subtask has all shards.

    Attributes:
        ended: whether the input has ended, instead of the job having been stopped.
    """

    def __init__(
        self,
        settings: JobSettings,
        state: Handles,
        learner: Learner,
        replica: Replica,
        metadata: MetadataReader,
        marks: Callable[[int], RedisMarks],
        clock: Callable[[], int],
        alone: bool = False,
    ) -> None:
        self._settings, self._state, self._rows = settings, state, (state.users, state.history)
        self._learner, self._replica, self._marks, self._clock = learner, replica, marks, clock
        self._refresh = settings.options.lists.refresh
        self._described = DescribedStep(learner, metadata)
        profiles = ProfileStep(state.people, learner)
        days, attribution = settings.options.quality.attribution_days, None
        self._experiments = None
        if days:
            counting = Experiments(state.experiments, settings.options.experiments)
            attribution = Attribution(state.outcomes, state.people, learner, days, counting)
            if state.started is not None:
                self._experiments = ExperimentStep(state.started, learner, counting)
        self._lists = ListStep(settings, learner, *self._rows, clock, profiles, attribution)
        self._rights = RightsStep(state, learner)
        why = WhyStep(state, learner, profiles)
        self._people = PeopleStep(
            state, learner, self._lists, self._rights, profiles, why, self._refresh
        )
        self._joins = None
        if settings.options.identity.enabled:
            parts = learner, self._lists, self._people, self._refresh, alone
            self._joins = JoinStep(state, *parts, clock)
        self._contributions = Contributions(state.contributed, learner.settings.job.item_shards)
        counted = self._contributions if settings.options.privacy.epsilon else None
        own = self._described, self._lists, clock, profiles, counted
        self._learning = LearnStep(settings, self._rows, learner, replica, *own, attribution)
        self._shards: dict[int, UserShard] = {}
        self._over: set[int] = set()
        self.ended = False

    def batch(self, key: int, data: bytes) -> Iterator[Effect]:
        """Learn one batch of one shard; batches that have queued up are learned as one. Or take a
        notice of changed items, searches, or what is said of users."""
        shard = yield from self._load(key)
        if is_notice(data):
            self._described.expect(data, self._clock())
            yield from self._look(shard)
            return
        if is_searches(data) or is_people(data):
            if is_people(data) and shard.queued:  # what came before is learned before
                yield from self._learn(key, shard, shard.queued.take())
            yield from self._hear(shard, data)
            return
        if self._joins and is_joined(data):
            yield from self._join(key, shard, self._joins, data)
            return
        if is_words(data):
            if shard.queued:
                yield from self._learn(key, shard, shard.queued.take())
            if self._experiments:
                self._experiments.hear(shard, data)
            return
        batch, now = unpack(data), self._clock()
        if not (pause := shard.queued.pause(batch, now)):
            yield from self._learn(key, shard, shard.queued.take(batch))
        elif shard.queued.put(data, batch):
            yield Wake(shard.timers.plan(_QUEUE, now + pause))

    def timer(self, key: int, timestamp: int) -> Iterator[Effect]:
        """Learn waiting batches, write postponed lists and forget idle users; called for the last
        time at the end of the input."""
        self.ended = self.ended or timestamp == END
        restored = key not in self._shards
        shard = yield from self._load(key)
        due = shard.timers.take(END if restored else timestamp)
        done = {_QUEUE} if shard.due else {_QUEUE, LISTS}
        if not (shard.queued or restored or timestamp == END or due - done):
            return  # the last piece, or a batch with these lists, came before the timer
        if timestamp == END or (shard.due and LISTS in due):
            shard.flushed_ms = 0  # nothing is postponed any more
        if shard.queued:
            yield from self._learn(key, shard, shard.queued.take())
        if timestamp == END:
            self._described.end(self._clock)
        if _LOOK in due or shard.recent.version != self._described.version:
            yield from self._look(shard, at_once=timestamp == END)
        began, now, account = time.perf_counter(), self._clock(), shard.account
        if self._joins and AGAIN in due:
            yield from self._joins.again(shard)  # adds to what is due
        # Timers of waiting batches come more often than postponed lists are due.
        if shard.due and now - shard.flushed_ms >= self._settings.options.lists.coalesce_ms:
            yield from self._lists.refresh(shard, _NO_EVENTS, np.zeros(0, np.int32), now)
        if _REFILL in due:
            self._learning.refresh_replica(now)
            if self._replica.settled:
                yield from self._lists.refill(shard, now)
            yield self._every(_REFILL, LOOK_MS, shard)
        if _SWEEP in due:
            rows = *self._rows, self._state.people
            parted, dtype = self._joins is not None, self._learner.users.dtype
            idle = shard.idle.sweep(*rows, dtype, now, elsewhere=parted)
            self._learner.users.forget(*idle)
            if idle and self._settings.topic:
                yield Expire(self._rights.ids_of(idle))
            shard.forget_acts(idle)
            if self._joins:
                self._joins.expire(*idle)
            shard.noted.sweep()
            self._contributions.sweep(day_of(now))
            shard.forgotten.expire(now - self._settings.options.privacy.held_ms)
            yield self._every(_SWEEP, shard.idle.sweep_ms, shard)
        if account != _NOTHING:
            account.spend("user_learner", micros(began))
        # Lists of items may be due when there are no events any more, or all be lost.
        waiting = _REFILL in due and self._learner.shared.waiting
        if _TICK in due or restored or timestamp == END or waiting:
            yield from self._tick(shard, now)
        elif account != _NOTHING:
            yield from self._keep(shard)
        if timestamp == END and self._settings.topic and self._ended(key):
            yield from self.end()  # from `close`, nothing can be sent any more

    def _ended(self, key: int) -> bool:
        """Whether the input has ended for all shards, this one among them."""
        self._over.add(key)
        return self._over >= self._shards.keys()

    def end(self) -> Iterator[Effect]:
        """At the end of a bounded input: write every shared list."""
        yield Write(self._learner.shared.updates(self._clock(), everything=True))

    def _look(self, shard: UserShard, *, at_once: bool = False) -> Iterator[Effect]:
        """Take what has changed of items, and make lists anew that it matters to."""
        now, users = self._clock(), self._learner.users
        self._described.look(now)
        if updates := self._learner.shared.updates(now):
            yield Write(updates)
        names = self._described.due(shard.recent, now, at_once=at_once)
        slots = [slot for name in names if (slot := users.find(name)) >= 0]
        if slots and self._refresh:
            yield from self._lists.write(shard, np.array(slots, np.int32), now)
            yield from self._keep(shard)
        if (at := self._described.next_ms(shard.recent, now)) < NEVER:
            yield Wake(shard.timers.plan(_LOOK, at))

    def _join(self, key: int, shard: UserShard, joins: JoinStep, data: bytes) -> Iterator[Effect]:
        """Take a person's ids, after all that the person did before."""
        if shard.queued:
            yield from self._learn(key, shard, shard.queued.take())
        self._learning.refresh_replica(self._clock())
        yield from joins.take(key, shard, unpack_joined(data))
        yield from self._keep(shard)

    def _hear(self, shard: UserShard, data: bytes) -> Iterator[Effect]:
        """Take searches of users, or what is said of them."""
        self._learning.refresh_replica(now := self._clock())
        if is_searches(data):
            found = [s for s in unpack_searches(data) if shard.forgotten.takes(s.user, s.ts)]
            yield from self._lists.searched(shard, found, now)
        else:
            yield from self._people.take(shard, unpack_people(data), now)
        yield from self._keep(shard)

    def _load(self, key: int) -> Generator[Effect, None, UserShard]:
        """The shard, loaded from its state on first use."""
        shard = self._shards.get(key)
        if shard is None:
            s = self._settings
            s.layout.check(self._state.layout, "the user learner")
            self._people.expect(s.trial.people)
            steps = self._learner.models.steps
            shard = self._shards[key] = UserShard(self._state, key, s, self._marks(key), steps)
            if self._experiments:
                self._experiments.load(shard)
            yield self._every(_SWEEP, shard.idle.sweep_ms, shard)
            if s.refills:
                yield self._every(_REFILL, LOOK_MS, shard)
            yield Wake(END)
        if self._experiments:
            self._experiments.enter(shard)
        return shard

    def _every(self, name: str, interval_ms: int, shard: UserShard) -> Wake:
        return Wake(shard.timers.plan(name, next_tick(self._clock(), interval_ms)))

    def _learn(self, key: int, shard: UserShard, batch: EventBatch) -> Iterator[Effect]:
        yield from self._learning.learn(key, shard, batch)
        yield from self._keep(shard)

    def _keep(self, shard: UserShard) -> Iterator[Effect]:
        """Put what was counted into the state, until the next tick reports it."""
        shard.store()
        shard.noted.searched()
        shard.noted.shown()
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
        shard.noted.offered()
        if shard.account != _NOTHING:
            yield self._learning.report(shard)
            shard.store()
