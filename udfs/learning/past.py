"""What a user did, told again: a history made anew, and a factor that learns from events of others.

In: events that were learned before, under other ids of the same person. Out: the user's history as
if all of them had been the user's own; and the user's own factor after those that are new to it.
Items, and what all users share, stay as they are: they have learned from these events already.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from udfs.direct import Direct
from udfs.events.batch import make_batch
from udfs.events.columns import frozen
from udfs.events.rows import CONSUMED
from udfs.learning.learner import Learner
from udfs.memory import history_kernels, random_kernels
from udfs.memory.columns import Table, column
from udfs.memory.history_kernels import Batch
from udfs.models.factors import arrays, rating_kernels, softmax_kernels
from udfs.models.factors.arrays import Draws, Ratings
from udfs.models.settings import Settings
from udfs.state.handles import MemoryRows, Rows

_MASK = 0xFFFFFFFFFFFFFFFF


class Events(NamedTuple):
    """n events of one user in order.

    Attributes:
        keys: uint64[n], the `item_key` of each. weights, ratings: float32[n] twice, ratings may be
            NaN. flags: uint8[n], as in a batch. fresh: bool[n], what the user has not learned yet.
    """

    keys: NDArray[np.uint64]
    weights: NDArray[np.float32]
    ratings: NDArray[np.float32]
    flags: NDArray[np.uint8]
    fresh: NDArray[np.bool_]


class _Memory(Table):
    """See `Draws`."""

    eaten = column(np.int64)


class Past:
    """See the module; for one learner."""

    def __init__(self, learner: Learner) -> None:
        self._learner = learner
        s, model = learner.settings, learner.settings.model
        self._rule = learner.models.rule
        self._squared = model.loss == "squared"
        self._each, self._negatives = model.negatives + model.window, model.negatives
        self._scale = np.float32(s.events.rating_scale)
        self._memory, self._event = learner.catalogue.attach(_Memory()), 1
        self._replay = Direct(history_kernels.replay)
        self._learn = Direct((rating_kernels if self._squared else softmax_kernels).learn)

    def tell(
        self,
        slot: int,
        events: Events,
        gone: NDArray[np.uint64],
        history: Rows,
        seed: int,
        mean: NDArray[np.float64],
    ) -> None:
        """Make the history of a cached user anew, and learn what is fresh.

        What stands in the history and is neither consumed by one of the events nor among what has
        gone is older than all of them: of each id only the last events are remembered.

        Args:
            gone: uint64[m], the keys of what is not the user's any more.
            history: the full pages of the shard's users.
            seed: decides which negatives are drawn. mean: as in `Learner.learn`, not changed.
        """
        users, catalogue = self._learner.users, self._learner.catalogue
        own = events.keys[(events.flags & CONSUMED) > 0]
        kept, liked = users.standing(slot)
        stays = ~np.isin(catalogue.keys[kept], np.concatenate([own, gone]))
        kept, liked, n = kept[stays], liked[stays], int(stays.sum())
        weights = frozen(np.concatenate([np.where(liked, 1.0, -1.0), events.weights]).astype("f4"))
        flags = frozen(np.concatenate([np.full(n, CONSUMED, np.uint8), events.flags]))
        items = np.concatenate([kept, catalogue.slots_of_keys(events.keys)])
        fresh = np.concatenate([np.zeros(n, np.bool_), events.fresh])
        ratings = np.concatenate([np.full(n, np.nan, np.float32), events.ratings])
        fresh &= catalogue.alive[items]
        users.begin_again(slot, history)
        whole = Batch(np.full(len(items), slot, np.int32), items, weights, flags)
        places = (np.flatnonzero(fresh[1:] != fresh[:-1]) + 1).tolist()
        for begin, end in zip([0, *places], [*places, len(items)], strict=True):
            part = Batch(*(values[begin:end] for values in whole))
            if end > begin:
                self._take(part, bool(fresh[begin]), ratings[begin:end], seed + begin, mean)
                self._seal(history)

    def _take(
        self,
        part: Batch,
        fresh: bool,
        ratings: NDArray[np.float32],
        seed: int,
        mean: NDArray[np.float64],
    ) -> None:
        """Events that are all fresh, or none of them."""
        users, catalogue, n = self._learner.users, self._learner.catalogue, len(part.items)
        spare = users.spare(n)
        self._spare = spare
        if not fresh:
            self._replay(part, users.view, spare)
            return
        room = min(n * (1 + self._each), catalogue.size) + n
        outbox = self._learner.outbox
        outbox.batch += 1
        touched = arrays.touched(catalogue, outbox.batch, room)
        taught: Draws | Ratings
        if self._squared:
            taught = Ratings(ratings / self._scale, mean.copy(), 0, np.zeros(2))
        else:
            start = np.array([seed * random_kernels.EVENT_STRIDE & _MASK], np.uint64)
            eaten = self._memory.eaten
            taught = Draws(self._negatives, catalogue.size, start, eaten, self._event)
            self._event += n
        factors, items = arrays.user_factors(users), arrays.item_factors(catalogue)
        rule, places = self._rule, self._rule.places
        scratch = places._replace(weights=places.weights.copy(), squares=places.squares.copy())
        rule = rule._replace(places=scratch)
        count = self._learn(factors, users.view, spare, items, part, rule, taught, touched)
        d, slots, before = catalogue.dimensions, touched.slots[:count], touched.before[:count]
        catalogue.q[slots], catalogue.bias[slots] = before[:, :d], before[:, d]
        catalogue.spread[slots], catalogue.y[slots] = before[:, d + 1 : d + 4], before[:, d + 4 :]

    def _seal(self, history: Rows) -> None:
        """Write the pages that are full."""
        users, spare = self._learner.users, self._spare
        users.free_count, full = spare.counts.tolist()
        if full:
            users.seal(spare.sealed[:full], history, self._learner.catalogue)


def compile_past(settings: Settings) -> None:
    """Compile, or load from Numba's cache, what is called here: before the first link."""
    learner, rows, history = Learner(settings), MemoryRows(), MemoryRows()
    ones = np.ones(2, np.float32)
    batch = make_batch(["a", "a"], ["x", "y"], ones, ones, ones, ["", ""], 0)
    slots = learner.learn(batch, rows, history, 0, 1).slots
    keys, fresh = learner.catalogue.keys[:2].copy(), np.array([False, True])
    events = Events(keys, ones, ones, np.ones(2, np.uint8), fresh)
    Past(learner).tell(int(slots[0]), events, keys[:0], history, 0, np.zeros(2))
