"""The learning step of a user shard: a batch of events into factors, histories, lists and deltas.

In: an `EventBatch`, and the shard's rows of state. Out: state written, the lists of its users, and
the messages for the item learners. No Flink in here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from udfs.accounts import RATINGS
from udfs.events.batch import EventBatch, make_batch
from udfs.feed.metadata import Described, contents, put_described
from udfs.feed.outbox import Outbox
from udfs.learning.batch_kernels import Given
from udfs.learning.prepared import Prepared, prepare
from udfs.learning.shared_lists import SharedLists
from udfs.learning.steps import Steps
from udfs.learning.strangers import Strangers
from udfs.learning.training import Training
from udfs.lists.keys import KEPT, USER
from udfs.lists.lists_json import ListsJson
from udfs.lists.update import ListUpdates
from udfs.memory import random_kernels
from udfs.memory.catalogue import Catalogue
from udfs.memory.columns import Table, column
from udfs.memory.left_out import left_out
from udfs.memory.takers import Takers
from udfs.memory.users import Users
from udfs.models.factors.arrays import Draws, Ratings
from udfs.models.popular.source import OF_ALL
from udfs.models.settings import Settings
from udfs.options.own import beside
from udfs.ranking.ranker import RANKER
from udfs.ranking.recommender import Recommender
from udfs.ranking.steps.examination import EXAMINATION
from udfs.ranking.steps.exposure import EXPOSURE
from udfs.state.handles import MemoryRows, Rows
from udfs.threads import Threads

_MASK, _SEED_STRIDE = 0xFFFFFFFFFFFFFFFF, 0x2545F4914F6CDD1D


class Learned(NamedTuple):
    """What a batch changed: distinct user slots, users met first; sums of `udfs.learning.quality`
    of the ratings that were predicted; and what was held back, see `Account.crowd`."""

    slots: NDArray[np.int32]
    new_users: int
    quality: dict[str, float]
    held: Mapping[str, int] = MappingProxyType({})


class _Memory(Table):
    """See `Draws`."""

    eaten = column(np.int64)


class Learner:
    """The state of one subtask: a replica of the catalogue and a cache of users.

    Args:
        threads: of a batch's kernels. origin: the subtask, which its messages name.

    Attributes:
        outbox: what the item learners have not been told yet. writer: makes the JSON of lists.
        strangers: what is learned of users' first events.
    """

    def __init__(self, settings: Settings, threads: int = 1, origin: int = 0) -> None:
        self.settings = s = settings
        self.half_life_ms = s.half_life_ms
        d, seed = s.model.dimensions, s.model.seed
        self.catalogue = Catalogue(d, seed, s.state.max_items, s.lists.search)
        self.users = Users(
            d, seed, s.state.user_cache, s.state.history, not s.lists.exclude_consumed
        )
        self.models = Recommender(s, self.catalogue, self.users, Threads(threads))
        self.strangers = Strangers(self.models)
        self.writer = ListsJson()
        self.shared = SharedLists(s, self.models, self.writer)
        self.outbox = Outbox(self.catalogue, s.job.item_shards, origin)
        self._training = Training(self.models)
        own = self.models.rule, self.catalogue, self.users, self.outbox
        self.steps = Steps(s.model, *own, Takers(self.catalogue) if s.privacy.min_users else None)
        self._memory, self._event = self.catalogue.attach(_Memory()), 1
        self._random, self._seed = np.zeros(1, np.uint64), s.model.seed * _SEED_STRIDE
        # Shared parameters as of the last messages; the ranker learns from few of the batches, and
        # what users take first and what lists show tell what was added by themselves.
        self._before: dict[str, NDArray[np.float64]] = {}
        others = RANKER, OF_ALL, EXPOSURE, EXAMINATION
        self._learning = {k: one for k, one in self.models.shared.items() if k not in others}

    def compile(self) -> None:
        """Compile, or load from Numba's cache, all that a batch calls: before the first event."""
        everyone = replace(self.settings, ranker=replace(self.settings.ranker, sample=1.0))
        trial, rows, history = Learner(everyone), MemoryRows(), MemoryRows()
        ones = np.ones(3)
        for users, items in (("aab", "xyx"), ("bba", "yzz")):  # the second time the ranker learns
            batch = make_batch([*users], [*items], ones, ones, ones, [""] * 3, 0)
            slots = trial.learn(batch, rows, history, 0, 1).slots
            trial.messages(1)
            made = trial.user_lists(slots, 1)
        trial.learn(batch, rows, history, 0, 1)
        trial.users.pack(slots, trial.catalogue)  # as where pages are full
        if (windows := trial.models.counted()) is not None:  # as beside the factors' step
            trial.models.neighbours.count(windows, windows.heads, windows.others)
        trial.models.content.compile(trial.catalogue.slots("xyz"), slots)
        for name in beside(self.settings):
            trial.models.rank(slots, 1, name)
        for way in trial.models.ways.possible():
            trial.models.told(slots, 1, way)
        with left_out(trial.users, int(slots[0]), 0):  # as for the answer to a question why
            if trial.models.counting:
                _ = [*trial.models.blend.measure(trial.models.moment(slots, 1))]
        trial.users.events[slots] = 0
        made += trial.user_lists(slots, 1) + trial.shared.updates(1, everything=True)
        _ = [updates.json for updates in made]
        trial.search_by_cluster(slots)

    def search_by_cluster(self, slots: NDArray[np.int32]) -> None:
        """Compile what is called when the catalogue has become large; three items are known.

        Args:
            slots: some users.
        """
        if self.settings.lists.search == "auto":
            self.catalogue.cluster()
            self.models.rank(slots, 2, "mf")
            self.models.similar(np.arange(3))

    def learn(
        self,
        batch: EventBatch,
        rows: Rows,
        history: Rows,
        number: int,
        now_ms: int,
        mean: NDArray[np.float64] | None = None,
        first: int = 0,
        prepared: Prepared | None = None,
    ) -> Learned:
        """Learn n events in order and write their users to state.

        Args:
            rows, history: the current shard's users and full history pages.
            number: of events learned before; with the seed it fixes which negatives are drawn.
            mean: float64[2], how many ratings the shard has learned and their mean, changed.
            first: the position of the first event whose rating's error counts.
            prepared: the batch, if somebody has prepared it already.
        """
        if not len(batch):  # which has no newest event to set the clock by
            return Learned(np.zeros(0, np.int32), 0, {})
        s, users, catalogue = self.settings, self.users, self.catalogue
        prepared = prepared or prepare(batch, users, catalogue, rows, history)
        slots, events, known = prepared
        had = users.events[slots]
        for name, one in self._learning.items():
            self._before.setdefault(name, one.parameters)
        self.strangers.meet(events, batch, slots, now_ms)
        worth = batch.columns.get("worth")
        was = self._training.learn(events, batch.ts, now_ms, worth)  # before any model does
        if was is not None:
            self._before.setdefault(RANKER, was)
        counted = self.models.count(events)
        given = Given(events, batch.ts, slots, now_ms, self.half_life_ms)
        self._random[0] = (self._seed + number * random_kernels.EVENT_STRIDE) & _MASK
        error = np.zeros(2)
        if s.model.loss == "squared":
            scaled = batch.ratings / np.float32(s.events.rating_scale)
            taught: Draws | Ratings = Ratings(
                scaled, np.zeros(2) if mean is None else mean, first, error
            )
        else:
            taught = Draws(s.model.negatives, known, self._random, self._memory.eaten, self._event)
            self._event += len(batch)
        new_users, newest = self.steps.take(given, taught, history)
        self.strangers.stay(slots, had)
        self.shared.touch(events.items)
        users.write(slots, rows)
        self.models.clock_ms = max(self.models.clock_ms, float(newest))
        if s.job.strict:
            self.models.forget_popular()
        counted()
        quality = {}
        if error[0]:
            squares = float(error[1]) * s.events.rating_scale**2
            quality = {f"{RATINGS}:tests": float(error[0]), f"{RATINGS}:squared_error": squares}
        return Learned(slots, new_users, quality)

    def messages(self, now_ms: int) -> dict[int, bytes]:
        """What the item learners are to be told of all that was learned since the last call, by
        item shard. Before it is called, nothing may be put into the replica or expire there."""
        shared, found = self.models.shared, {}
        for name, before in self._before.items():
            change = shared[name].parameters - before
            if change.any():
                found[name] = change
        self._before.clear()
        found |= self.strangers.counted()
        if (shown := self.models.steps.rerank.exposure.added()) is not None:
            found[EXPOSURE] = shown
        if (seen := self.models.steps.examination.added()) is not None:
            found[EXAMINATION] = seen
        return self.outbox.pack(now_ms, self.models.counted(), found)

    def user_lists(self, slots: NDArray[np.int32], now_ms: int) -> list[ListUpdates]:
        """The lists of the users in `slots` (distinct), their factors and what follows their lists,
        if these are wanted."""
        users, models, n = self.users, self.models, self.settings.lists.length
        vectors = models.vectors(slots, now_ms) if self.settings.redis.factors else None
        made = []
        for source, at, told in models.tell(slots, now_ms):
            found, drawn = slots[at], None if told.explored is None else told.explored[:, :n]
            if models.log is not None:
                models.log.listed(found, told.lists.items[:, :n], drawn)
            names = [users.names[slot] for slot in found.tolist()]
            own = names, source, now_ms
            lists, reasons = told.lists, told.reasons
            if lists.items.shape[1] > n:
                lists, reasons = lists.part(0, n), np.ascontiguousarray(reasons[:, :n])
                rest = told.lists.part(n)
                made.append(ListUpdates(KEPT, *own, rest, self.catalogue, self.writer))
            made.append(
                ListUpdates(
                    USER,
                    *own,
                    lists,
                    self.catalogue,
                    self.writer,
                    reasons,
                    users.events[found],
                    None if vectors is None else vectors[at],
                    told.consumed,
                    drawn,
                    models.steps.followed.names(found, lists),
                    None if told.teams is None else told.teams[:, :n],
                )
            )
        return [some.under_all(users.others) for some in made] if users.others else made

    def describe(self, entries: Sequence[Described], now_ms: int) -> bool:
        """Take metadata of items, and know these items from now on; returns whether lists that
        were made before may have to change.

        Raises:
            RuntimeError: as in `expire_items`.
        """
        self._require_empty()
        c = self.catalogue
        slots = c.slots([one.item for one in entries])
        told = [one for one, slot in zip(entries, slots.tolist(), strict=True) if slot >= 0]
        slots = slots[slots >= 0]
        fresh = not c.metadata.described[slots].all()
        put_described(c.metadata, slots, told)
        c.seen[slots] = np.maximum(c.seen[slots], now_ms)
        self.models.describe(slots, contents(told))
        return self.show_items(now_ms) or fresh

    def show_items(self, now_ms: int) -> bool:
        """Show what may be shown by now, and nothing else; returns whether anything has changed."""
        c = self.catalogue
        slots = c.metadata.look(c.size, now_ms)
        changed = c.metadata.show(slots, now_ms, c.alive, c.shown)
        if len(changed):
            self.models.forget_popular()
            self.shared.at_once(changed)
        return len(changed) > 0

    def _require_empty(self) -> None:
        if not self.outbox.empty:
            raise RuntimeError(
                "items cannot change in the middle of a batch: call messages() first, which tells "
                "the item learners what was learned of them."
            )

    def expire_items(self, before_ms: int) -> None:
        """Drop idle items from the replica, and the space of those dropped before.

        Raises:
            RuntimeError: `messages` still has to tell of items that could move.
        """
        self._require_empty()
        self.catalogue.expire(before_ms)
        self.models.forget_popular()
        if self.catalogue.wasteful:
            place = self.catalogue.compact(self.users.consumed())
            self.users.renumber(place)
            self.shared.renumber(place)
