"""The learning step of a user shard: a batch of events into factors, histories, lists and deltas.

In: an `EventBatch`, and the shard's rows of state. Out: state written, the lists of its users, and
the messages for the item learners. No Flink in here.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from udfs.accounts import RATINGS
from udfs.events.batch import EventBatch, make_batch
from udfs.feed import change_kernels
from udfs.feed.deltas import Touched, pack_deltas
from udfs.feed.parameters import Parameters
from udfs.learning.shared_lists import SharedLists
from udfs.lists.items_json import ItemsJson
from udfs.lists.keys import USER
from udfs.lists.update import ListUpdates
from udfs.memory import popularity_kernels, random_kernels
from udfs.memory.catalogue import Catalogue
from udfs.memory.history_kernels import Batch
from udfs.memory.users import Users
from udfs.models.factors import arrays, rating_kernels, softmax_kernels
from udfs.models.factors.arrays import Draws, Ratings, Rule
from udfs.models.item_cf.neighbours import Windows
from udfs.models.item_cf.wire import split_pairs
from udfs.models.settings import Settings
from udfs.ranking.recommender import Recommender
from udfs.state.handles import MemoryRows, Rows
from udfs.threads import Threads

_MASK, _SEED_STRIDE = 0xFFFFFFFFFFFFFFFF, 0x2545F4914F6CDD1D
_SAMPLE_STRIDE = 0x9FB21C651E98DF25


class _Events(NamedTuple):
    """n events: int32[n] slots of users and items (−1: there is no room), float32[n], int64[n]."""

    users: NDArray[np.int32]
    items: NDArray[np.int32]
    weights: NDArray[np.float32]
    ts: NDArray[np.int64]


class Learned(NamedTuple):
    """What a batch changed: distinct user slots, messages by item shard, users met first; and sums
    of `udfs.learning.quality` of the ratings that were predicted."""

    slots: NDArray[np.int32]
    messages: dict[int, bytes]
    new_users: int
    quality: dict[str, float]


class Learner:
    """The state of one subtask: a replica of the catalogue and a cache of users.

    Args:
        threads: in how many the kernels of a batch run.
    """

    def __init__(self, settings: Settings, threads: int = 1) -> None:
        self.settings = s = settings
        self.half_life_ms = s.half_life_ms
        d, seed = s.model.dimensions, s.model.seed
        self.catalogue = Catalogue(d, seed, s.state.max_items, s.lists.search)
        self.users = Users(d, seed, s.state.user_cache, s.state.history)
        self.models = Recommender(s, self.catalogue, self.users, Threads(threads))
        self._writer = ItemsJson()
        self.shared = SharedLists(s, self.models, self._writer)
        self._batch = 0
        self._random, self._samples = np.zeros(1, np.uint64), np.zeros(1, np.uint64)

    def compile(self) -> None:
        """Compile, or load from Numba's cache, all that a batch calls: before the first event."""
        trial, rows, history = Learner(self.settings), MemoryRows(), MemoryRows()
        ones = np.ones(3)
        for users, items in (("aab", "xyx"), ("bba", "yzz")):  # the second time the ranker learns
            batch = make_batch([*users], [*items], ones, ones, ones, [""] * 3, 0)
            slots = trial.learn(batch, rows, history, 0, 1).slots
            made = trial.user_lists(slots, 1)
        trial.users.events[slots] = 0
        made += trial.user_lists(slots, 1) + trial.shared.updates(1, everything=True)
        _ = [updates.json for updates in made]
        if self.settings.lists.search == "auto":  # from exact to approximate, when there are many
            trial.catalogue.cluster()
            trial.models.rank(slots, 2, "mf")
            trial.models.similar(np.arange(3))

    def learn(
        self,
        batch: EventBatch,
        rows: Rows,
        history: Rows,
        number: int,
        now_ms: int,
        mean: NDArray[np.float64] | None = None,
        first: int = 0,
    ) -> Learned:
        """Learn n events in order and write their users to state.

        Args:
            rows, history: the current shard's users and full history pages.
            number: how many events the shard has learned before: together with the seed it fixes
                which negatives are drawn, so a replay draws the same.
            mean: float64[2], how many ratings the shard has learned and their mean, changed.
            first: the position of the first event whose rating's error counts.
        """
        s, users, catalogue = self.settings, self.users, self.catalogue
        slot_of = users.locate(batch.users, rows, history, catalogue)
        slots = np.fromiter(slot_of.values(), np.int32, len(slot_of))
        event_users = np.fromiter(map(slot_of.__getitem__, batch.users), np.int32, len(batch))
        known = catalogue.size
        event_items = catalogue.slots(batch.items)
        weights, ts = batch.weights, batch.ts
        new_users = int((users.seen[slots] == 0).sum())
        events = _Events(event_users, event_items, weights, ts)
        shared_before = {name: one.parameters for name, one in self.models.shared.items()}
        self._train(events, number, now_ms)
        windows, counted = self.models.count(event_users, event_items, weights, batch.flags)
        self._batch += 1
        seed = s.model.seed * _SEED_STRIDE
        self._random[0] = (seed + number * random_kernels.EVENT_STRIDE) & _MASK
        room = min(len(batch) * (1 + s.model.negatives + s.model.window), catalogue.size)
        touched, spare = arrays.touched(catalogue, self._batch, room), users.spare(len(batch))
        position = self.models.position
        given = (
            arrays.user_factors(users),
            users.view,
            spare,
            arrays.item_factors(catalogue),
            Batch(event_users, event_items, weights, batch.flags),
            Rule(np.float32(s.model.learning_rate), np.float32(s.model.regularisation), position),
        )
        error = np.zeros(2)
        if s.model.loss == "squared":
            values = batch.ratings / np.float32(s.events.rating_scale)
            ratings = Ratings(values, np.zeros(2) if mean is None else mean, first, error)
            count = rating_kernels.learn(*given, ratings, touched)
        else:
            draws = Draws(s.model.negatives, known, self._random)
            count = softmax_kernels.learn(*given, draws, touched)
        users.free_count, full = spare.counts.tolist()
        catalogue.measure(touched.slots[:count])
        # What was only shown says nothing about its user.
        said = (weights != 0) | batch.consumed
        np.add.at(users.events, event_users[said], 1)
        np.maximum.at(users.last, event_users, ts)
        users.seen[slots] = now_ms
        users.write(slots, spare.sealed[:full], rows, history, catalogue)
        self.models.clock_ms = max(self.models.clock_ms, float(ts.max()))
        if s.job.strict:
            self.models.forget_popular()
        counted()
        change = touched.slots[:count], touched.before[:count]
        messages = self._deltas(events, change, now_ms, windows, self._added(shared_before))
        quality = {}
        if error[0]:
            squares = float(error[1]) * s.events.rating_scale**2
            quality = {f"{RATINGS}:tests": float(error[0]), f"{RATINGS}:squared_error": squares}
        return Learned(slots, messages, new_users, quality)

    def _added(self, before: Parameters) -> Parameters:
        """What was added to the shared parameters, of those that have changed."""
        found = {name: one.parameters - before[name] for name, one in self.models.shared.items()}
        return {name: change for name, change in found.items() if change.any()}

    def _train(self, events: _Events, number: int, now_ms: int) -> None:
        """Let the ranker learn from some of the events, before any model does: what known users
        took of what was known."""
        if self.settings.lists.model != "ranker":
            return
        known = (events.items >= 0) & (events.weights > 0) & (self.users.events[events.users] > 0)
        known &= self.catalogue.events[events.items] > 0
        chosen = np.flatnonzero(known)
        most = self.settings.ranker.train_per_batch
        if len(chosen) > most:
            chosen = chosen[np.linspace(0, len(chosen) - 1, most).astype(np.int64)]
        seed = self.settings.model.seed * _SEED_STRIDE
        self._samples[0] = (seed ^ number * _SAMPLE_STRIDE) & _MASK
        self.models.train(events.users[chosen], events.items[chosen], now_ms, self._samples)

    def _deltas(
        self,
        given: _Events,
        changed: tuple[NDArray[np.int32], NDArray[np.float32]],
        now_ms: int,
        windows: Windows | None,
        shared: Parameters,
    ) -> dict[int, bytes]:
        """The changes of this batch as messages; the replica's popularity follows at once.

        Args:
            changed: the slots whose factors have changed, and what those were before.
            shared: what was added to shared parameters.
        """
        catalogue, (touched, before) = self.catalogue, changed
        _, items, weights, ts = given
        sums = catalogue.popularity, catalogue.popularity_at, catalogue.events
        popularity_kernels.add_popularity(items, weights, ts, self.half_life_ms, *sums)
        seen = np.unique(items[items >= 0])
        catalogue.seen[seen] = now_ms
        self.shared.touch(seen)
        # An event of weight 0 touches no factor but counts all the same.
        silent = seen[catalogue.stamp[seen] != self._batch]
        slots = np.concatenate([touched, silent.astype(np.int32)])
        change = np.zeros((len(slots), before.shape[1]), np.float32)
        change_kernels.changes(
            touched, before, catalogue.q, catalogue.y, catalogue.bias, catalogue.spread, change
        )
        place = np.empty(catalogue.size, np.int32)
        place[slots] = np.arange(len(slots), dtype=np.int32)
        local = np.where(items >= 0, place[items], -1).astype(np.int32)
        weight, weight_at = np.zeros(len(slots)), np.zeros(len(slots))
        events = np.zeros(len(slots), np.int64)
        popularity_kernels.add_popularity(
            local, weights, ts, self.half_life_ms, weight, weight_at, events
        )
        names = {n: catalogue.ids[slots[n]] or "" for n in np.flatnonzero(events).tolist()}
        count = self.settings.job.item_shards
        shards = catalogue.shards(count)
        pairs = split_pairs(windows, catalogue.keys, shards, count) if windows else []
        message = Touched(
            catalogue.keys[slots], names, change, weight, weight_at, events, shards[slots]
        )
        return pack_deltas(message, now_ms, pairs, shared)

    def user_lists(self, slots: NDArray[np.int32], now_ms: int) -> list[ListUpdates]:
        """The lists of the users in `slots` (distinct), and their factors if these are wanted."""
        users, models = self.users, self.models
        vectors = models.vectors(slots, now_ms) if self.settings.redis.factors else None
        made = []
        for source, at, lists in models.rank(slots, now_ms):
            found = slots[at]
            made.append(
                ListUpdates(
                    USER,
                    [users.names[slot] for slot in found.tolist()],
                    source,
                    now_ms,
                    lists,
                    self.catalogue,
                    self._writer,
                    models.reasons(found, lists),
                    users.events[found].tolist(),
                    None if vectors is None else vectors[at],
                    models.consumed(found, now_ms),
                )
            )
        return made

    def expire_items(self, before_ms: int) -> None:
        """Drop idle items from the replica, and the space of those dropped before."""
        self.catalogue.expire(before_ms)
        self.models.forget_popular()
        if self.catalogue.wasteful:
            place = self.catalogue.compact(self.users.consumed())
            self.users.renumber(place)
            self.shared.renumber(place)
