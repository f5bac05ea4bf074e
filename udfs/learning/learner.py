"""The learning step of a user shard: a batch of events into factors, histories, lists and deltas.

In: an `EventBatch`, and the shard's rows of state. Out: state written, the Redis commands of the
refreshed lists, and the messages for the item learners. No Flink in here.
"""

from __future__ import annotations

from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from udfs.accounts import RATINGS
from udfs.events.batch import EventBatch, make_batch
from udfs.feed import change_kernels
from udfs.feed.deltas import pack_deltas
from udfs.lists.contract import ListWriter
from udfs.memory import popularity_kernels, random_kernels
from udfs.memory.catalogue import Catalogue
from udfs.memory.users import Users
from udfs.models.factors import rating_kernels, softmax_kernels
from udfs.models.item_cf.neighbours import Windows
from udfs.models.item_cf.wire import split_pairs
from udfs.models.settings import Settings
from udfs.ranking.recommender import Models, of_one
from udfs.state.handles import MemoryRows, Rows
from udfs.stores.redis_writer import Command
from udfs.threads import Threads

V = TypeVar("V")
_MASK, _SEED_STRIDE = 0xFFFFFFFFFFFFFFFF, 0x2545F4914F6CDD1D
_SAMPLE_STRIDE = 0x9FB21C651E98DF25
_SIMILAR_PAUSE_MS, _SIMILAR_AT_ONCE = 1000, 256


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
        self.lists = ListWriter(self.catalogue, s.redis.prefix, s.redis.expiry_s, s.redis.publish)
        self.models = Models(s, self.catalogue, self.users, Threads(threads))
        self._batch = 0
        self._random, self._samples = np.zeros(1, np.uint64), np.zeros(1, np.uint64)
        self._popular_written = self._similar_looked = 0
        self._similar_due: dict[int, None] = {}
        self._similar_at: dict[int, int] = {}

    def compile(self) -> None:
        """Compile, or load from Numba's cache, all that a batch calls: before the first event."""
        trial, rows, history = Learner(self.settings), MemoryRows(), MemoryRows()
        ones = np.ones(3)
        for users, items in (("aab", "xyx"), ("bba", "yzz")):  # the second time the ranker learns
            batch = make_batch([*users], [*items], ones, ones, ones, [""] * 3, 0)
            slots = trial.learn(batch, rows, history, 0, 1).slots
            trial.user_lists(slots, 1)
        trial.users.events[slots] = 0
        trial.user_lists(slots, 1)
        trial.shared_lists(1, everything=True)
        if self.settings.lists.search == "auto":  # from exact to approximate, when there are many
            trial.catalogue.cluster()
            trial.models.by_factors(slots)
            trial.models.similar(np.arange(3))

    def learn(
        self, batch: EventBatch, rows: Rows, history: Rows, number: int, now_ms: int,
        mean: NDArray[np.float64] | None = None, first: int = 0,
    ) -> Learned:  # fmt: skip
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
        parameters = self.models.ranker.parameters
        self._train(event_users, event_items, weights, number, now_ms)
        windows, counted = self.models.count(event_users, event_items, weights, batch.flags)
        self._batch += 1
        seed = s.model.seed * _SEED_STRIDE
        self._random[0] = (seed + number * random_kernels.EVENT_STRIDE) & _MASK
        room = min(len(batch) * (1 + s.model.negatives + s.model.window), catalogue.size)
        touched = np.empty(room, np.int32)
        before = np.empty((room, 2 * s.model.dimensions + 4), np.float32)
        users.reserve_pages(len(batch))
        sealed = np.empty((len(batch), 2), np.int32)
        shared = (
            users.p, users.spread, users.tail, users.fill, users.older, users.pages, users.disliked,
            users.free, users.free_count, sealed,
            catalogue.q, catalogue.y, catalogue.bias, catalogue.spread, catalogue.alive,
        )  # fmt: skip
        rates = np.float32(s.model.learning_rate), np.float32(s.model.regularisation)
        notes = catalogue.stamp, self._batch, touched, before
        error = np.zeros(2)
        if s.model.loss == "squared":
            count, full, users.free_count = rating_kernels.learn(
                *shared, event_users, event_items, weights,
                batch.ratings / np.float32(s.events.rating_scale), batch.flags, *rates,
                self.models.position, np.zeros(2) if mean is None else mean, first, error, *notes,
            )  # fmt: skip
        else:
            count, full, users.free_count = softmax_kernels.learn(
                *shared, known, event_users, event_items, weights, batch.flags, *rates,
                s.model.negatives, self.models.position, self._random, *notes,
            )  # fmt: skip
        catalogue.measure(touched[:count])
        # What was only shown says nothing about its user.
        said = (weights != 0) | batch.consumed
        np.add.at(users.events, event_users[said], 1)
        np.maximum.at(users.last, event_users, ts)
        users.seen[slots] = now_ms
        users.write(slots, sealed[:full], rows, history, catalogue)
        self.models.clock_ms = max(self.models.clock_ms, float(ts.max()))
        if s.job.strict:
            self.models.forget_popular()
        counted()
        messages = self._deltas(
            event_items, weights, ts, touched[:count], before[:count], now_ms, windows,
            self.models.ranker.parameters - parameters,
        )  # fmt: skip
        quality = {}
        if error[0]:
            squares = float(error[1]) * s.events.rating_scale**2
            quality = {f"{RATINGS}:tests": float(error[0]), f"{RATINGS}:squared_error": squares}
        return Learned(slots, messages, new_users, quality)

    def _train(
        self, event_users: NDArray[np.int32], event_items: NDArray[np.int32],
        weights: NDArray[np.float32], number: int, now_ms: int,
    ) -> None:  # fmt: skip
        """Let the ranker learn from some of the events, before any model does: what known users
        took of what was known."""
        if self.settings.lists.model != "ranker":
            return
        known = (event_items >= 0) & (weights > 0) & (self.users.events[event_users] > 0)
        known &= self.catalogue.events[event_items] > 0
        chosen = np.flatnonzero(known)
        most = self.settings.ranker.train_per_batch
        if len(chosen) > most:
            chosen = chosen[np.linspace(0, len(chosen) - 1, most).astype(np.int64)]
        seed = self.settings.model.seed * _SEED_STRIDE
        self._samples[0] = (seed ^ number * _SAMPLE_STRIDE) & _MASK
        self.models.train(event_users[chosen], event_items[chosen], now_ms, self._samples)

    def _deltas(
        self, items: NDArray[np.int32], weights: NDArray[np.float32], ts: NDArray[np.int64],
        touched: NDArray[np.int32], before: NDArray[np.float32], now_ms: int,
        windows: Windows | None, ranker: NDArray[np.float64],
    ) -> dict[int, bytes]:  # fmt: skip
        """The changes of this batch as messages; the replica's popularity follows at once."""
        catalogue = self.catalogue
        popularity_kernels.add_popularity(
            items, weights, ts, self.half_life_ms,
            catalogue.popularity, catalogue.popularity_at, catalogue.events,
        )  # fmt: skip
        seen = np.unique(items[items >= 0])
        catalogue.seen[seen] = now_ms
        self._similar_due.update(dict.fromkeys(seen.tolist()))
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
        return pack_deltas(
            catalogue.keys[slots], names, change, weight, weight_at, events, shards[slots], now_ms,
            pairs, ranker.tobytes() if ranker.any() else b"",
        )  # fmt: skip

    def user_lists(self, slots: NDArray[np.int32], now_ms: int) -> list[Command]:
        """The commands that refresh the lists of the users in `slots` (distinct)."""
        commands: list[Command] = []
        users, writer = self.users, self.lists
        for source, at, lists in self.models.rank(slots, now_ms):
            found = slots[at]
            written = writer.items(lists, self.models.reasons(found, lists))
            numbers = users.events[found].tolist()
            for slot, number, items in zip(found.tolist(), numbers, written, strict=True):
                commands += writer.user_list(users.names[slot], number, now_ms, source, items)
        if self.settings.redis.factors:
            for slot, vector in zip(slots.tolist(), self.models.vectors(slots), strict=True):
                commands.append(writer.user_factor(users.names[slot], vector))
        return commands

    def shared_lists(self, now_ms: int, *, everything: bool = False) -> list[Command]:
        """The commands for `popular`, `trending` and the `similar:` lists due, or all changed."""
        s, lists = self.settings, self.lists
        commands: list[Command] = []
        if everything or now_ms - self._popular_written >= s.lists.popular_every_s * 1000:
            self._popular_written = now_ms
            self.models.forget_popular()
            ranked = self.models.by_popularity(np.array([-1], np.int32), now_ms)
            commands.append(lists.popular_list(now_ms, lists.items(of_one(ranked, "popular"))[0]))
            trend = of_one(self.models.by_trend(), "trending")
            commands.append(lists.trending_list(now_ms, lists.items(trend)[0]))
        if everything or now_ms - self._similar_looked >= _SIMILAR_PAUSE_MS:
            self._similar_looked = now_ms
            commands += self._similar_lists(now_ms, everything)
        return commands

    def _similar_lists(self, now_ms: int, everything: bool) -> list[Command]:
        old = now_ms - self.settings.lists.similar_every_s * 1000
        alive, written = self.catalogue.alive, self._similar_at
        due = [
            slot
            for slot in self._similar_due
            if alive[slot] and (everything or written.get(slot, 0) <= old)
        ]
        if not everything:
            due = due[:_SIMILAR_AT_ONCE]
        commands: list[Command] = []
        if due:
            similar = self.models.similar(np.array(due))
            source = "item-cf" if self.models.counting else "mf"
            for slot, text in zip(due, self.lists.items(similar), strict=True):
                name = self.catalogue.ids[slot] or ""
                commands.append(self.lists.similar_list(name, now_ms, source, text))
                written[slot] = now_ms
                del self._similar_due[slot]
        return commands

    @property
    def similar_due(self) -> bool:
        """Whether any item's `similar:` list is to be written, now or later."""
        return bool(self._similar_due)

    def forget_similar(self) -> None:
        """Take it that no `similar:` list is written yet, of any item."""
        self._similar_due.update(dict.fromkeys(self.catalogue.living_slots().tolist()))
        self._similar_at.clear()

    def expire_items(self, before_ms: int) -> None:
        """Drop idle items from the replica, and the space of those dropped before."""
        self.catalogue.expire(before_ms)
        self.models.forget_popular()
        if self.catalogue.wasteful:
            place = self.catalogue.compact(self.users.consumed())
            self.users.renumber(place)
            self._similar_due = _moved(self._similar_due, place)
            self._similar_at = _moved(self._similar_at, place)


def _moved(by_slot: dict[int, V], place: NDArray[np.int32]) -> dict[int, V]:
    """What was noted by slot, after a compaction; in the same order."""
    slots = place[np.fromiter(by_slot, np.int32, len(by_slot))].tolist()
    return {slot: value for slot, value in zip(slots, by_slot.values(), strict=True) if slot >= 0}
