"""All models of a user learner and the lists they make: each alone, or blended by the ranker.

In: cache slots of users. Out: `Lists`. What is learned when stands in `udfs.learning.learner`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from udfs.memory.catalogue import Catalogue
from udfs.memory.users import Users
from udfs.models.factors.search import rank_by_factors, rank_similar, user_vectors
from udfs.models.item_cf.neighbours import Neighbours, Row, Windows
from udfs.models.item_cf.wire import KeyRow
from udfs.models.popular.popular import Popular, by_popularity, rank_by_popularity
from udfs.models.popular.trending import Trending
from udfs.models.settings import Settings
from udfs.models.sources import SOURCES, Lists, Ranked
from udfs.models.user_cf.consumers import Consumers
from udfs.ranking import fill_kernels
from udfs.ranking.ranker import Ranker
from udfs.threads import Threads, nothing

_POPULAR = SOURCES.index("popular")


class Models:
    """The catalogue's and the users' models in one subtask.

    Attributes:
        clock_ms: the newest event time.
        shared: what has parameters that all user learners share, by name: has `parameters`,
            float64[P], and `put`. Nothing else is needed to let those of another model travel.
    """

    def __init__(
        self, settings: Settings, catalogue: Catalogue, users: Users,
        threads: Threads | None = None,
    ) -> None:  # fmt: skip
        self.settings, self.catalogue, self.users = settings, catalogue, users
        self._threads = threads or Threads()
        self.counting = settings.lists.model not in ("mf", "popular")
        self.neighbours = Neighbours(settings.item_cf)
        self.consumers = Consumers(settings.user_cf)
        self.trending = Trending(settings.lists.trending_window_s * 1000.0, settings.half_life_ms)
        counted = (self.neighbours, self.consumers) if self.counting else ()
        for table in (*counted, self.trending):
            catalogue.attach(table)
        self.ranker = Ranker(settings.ranker, self._threads)
        self.shared = {"ranker": self.ranker}
        position = np.exp(-np.arange(settings.model.window) / settings.model.window_decay)
        self.position = position.astype(np.float32)
        self.clock_ms = 0.0
        self._popular: Popular | None = None
        self._popular_at = 0

    def count(
        self, event_users: NDArray[np.int32], event_items: NDArray[np.int32],
        weights: NDArray[np.float32], flags: NDArray[np.uint8],
    ) -> tuple[Windows | None, Callable[[], object]]:  # fmt: skip
        """Count pairs and consumers of n events, before they belong to the histories.

        Returns: the pairs, for the item learners, None where no model counts them; and what waits
            until they are counted, for nothing else looks at the counts meanwhile.
        """
        if not self.counting:
            return None, nothing
        neighbours = self.neighbours
        found = neighbours.windows(self.users, event_users, event_items, weights, flags)
        counted = self._threads.beside(
            lambda: neighbours.count(found, found.heads, found.others), len(event_users)
        )
        self.consumers.note(self.users, found.users, found.heads)
        return found, counted

    def train(
        self, slots: NDArray[np.int32], taken: NDArray[np.int32], now_ms: int,
        random: NDArray[np.uint64],
    ) -> None:  # fmt: skip
        """Let the ranker learn that the users in `slots` (int32[n]) took the items `taken` next."""
        if len(slots):
            s = self.settings
            vectors = self.vectors(slots)
            self.ranker.train(
                self.users, self.catalogue, self.neighbours, self.consumers, slots, taken,
                vectors, self._extra(slots, vectors, now_ms), s.lists.exclude_consumed,
                self.clock_ms, s.half_life_ms, random,
            )  # fmt: skip

    def vectors(self, slots: NDArray[np.int32]) -> NDArray[np.float32]:
        """What the factors of items are multiplied by, for each user: float32[n, d]."""
        return user_vectors(self.catalogue, self.users, slots, self.position)

    def _extra(
        self, slots: NDArray[np.int32], vectors: NDArray[np.float32], now_ms: int
    ) -> NDArray[np.int32]:
        """The best of the models that give no evidence by item, int32[n, 2N]."""
        by_factors = self.by_factors(slots, vectors)[0]
        return np.hstack([by_factors, self.by_popularity(slots, now_ms)[0]])

    def rank(
        self, slots: NDArray[np.int32], now_ms: int, model: str = ""
    ) -> list[tuple[str, NDArray[np.intp], Lists]]:
        """The lists of the users in `slots`, in parts: the source, which of `slots`, their lists.

        Args:
            model: "ranker" or one of `ranker.MODELS`; by default the one that is served. Users
                with fewer than `minimum_events` events get what is popular.
        """
        young = self.users.events[slots] < self.settings.lists.minimum_events
        parts = []
        for source, chosen in ((model or self.settings.lists.model, ~young), ("popular", young)):
            if len(at := np.flatnonzero(chosen)):
                parts.append((source, at, self._lists(source, slots[at], now_ms)))
        return parts

    def _lists(self, model: str, slots: NDArray[np.int32], now_ms: int) -> Lists:
        if model == "popular":
            return of_one(self.by_popularity(slots, now_ms), model)
        if model == "mf":
            return of_one(self.by_factors(slots), model)
        s, vectors = self.settings, self.vectors(slots)
        lists = self.ranker.rank(
            model, self.users, self.catalogue, self.neighbours, self.consumers, slots,
            vectors, self._extra(slots, vectors, now_ms), s.lists.length, s.lists.exclude_consumed,
            self.clock_ms, s.half_life_ms,
        )  # fmt: skip
        if (lists.items[:, -1] < 0).any():
            popular = self.by_popularity(slots, now_ms)[0]
            fill_kernels.fill_up(lists.items, lists.scores, lists.models, popular, _POPULAR)
        return lists

    def by_factors(
        self, slots: NDArray[np.int32], vectors: NDArray[np.float32] | None = None
    ) -> Ranked:
        """Lists by factors alone; `vectors` as from `vectors`, where they are known."""
        s = self.settings
        vectors = self.vectors(slots) if vectors is None else vectors
        return rank_by_factors(
            self.catalogue,
            self.users,
            slots,
            vectors,
            s.lists.length,
            s.lists.exclude_consumed,
            self._threads,
        )

    def by_popularity(self, slots: NDArray[np.int32], now_ms: int) -> Ranked:
        """Lists by decayed popularity, which is looked at anew each `popular_every_s`, in strict
        mode after each event; a slot of −1 is nobody in particular."""
        s = self.settings
        stale = now_ms - self._popular_at >= s.lists.popular_every_s * 1000
        if self._popular is None or stale:
            self._popular = by_popularity(self.catalogue, self.clock_ms, s.half_life_ms)
            self._popular_at = now_ms
        return rank_by_popularity(
            self._popular, self.users, slots, s.lists.length, s.lists.exclude_consumed
        )

    def by_trend(self) -> Ranked:
        """The one list of what is trending, looked at anew; it may be empty."""
        return self.trending.look(self.catalogue, self.clock_ms, self.settings.lists.length)

    def similar(self, slots: NDArray[np.integer[Any]]) -> Lists:
        """Items like each of `slots`: those taken with it, then those with the nearest factors."""
        n = self.settings.lists.length
        if not self.counting:
            return of_one(rank_similar(self.catalogue, slots, n), "mf")
        lists = of_one(self.neighbours.similar(self.catalogue, slots, n), "item-cf")
        if len(short := np.flatnonzero(lists.items[:, -1] < 0)):
            more = np.full_like(lists.items, -1)
            more[short] = rank_similar(self.catalogue, slots[short], n)[0]
            fill_kernels.fill_up(*lists, more, SOURCES.index("mf"))
        return lists

    def reasons(self, slots: NDArray[np.int32], lists: Lists) -> NDArray[np.int32]:
        """The history items behind each item that item-cf put into a list, the weightiest first.

        Returns: int32[n, N, 2], −1 where there are fewer.
        """
        by_item_cf = lists.models == SOURCES.index("item-cf")
        if not self.counting or not by_item_cf.any():
            return np.full((*lists.items.shape, 2), -1, np.int32)
        shown = np.where(by_item_cf, lists.items, np.int32(-1))
        return self.neighbours.explain(self.users, slots, shown, 2)[0]

    def put(
        self, items: Sequence[str], rows: NDArray[np.void], counted: Sequence[str],
        pairs: Sequence[KeyRow], parameters: Mapping[str, NDArray[np.float64]],
    ) -> None:  # fmt: skip
        """Set items, what was taken together with some, and shared parameters by name to absolute
        values."""
        catalogue = self.catalogue
        catalogue.put_rows(items, rows)
        if self.counting:
            for slot, row in zip(catalogue.find(counted).tolist(), pairs, strict=True):
                if slot >= 0:
                    slots = catalogue.slots_of_keys(row.keys)
                    self.neighbours.put_row(slot, Row(row.clock, row.weight, slots, row.values))
            for name, values in parameters.items():
                if name in self.shared:
                    self.shared[name].put(values)

    def forget_popular(self) -> None:
        """Look at popularity anew next time."""
        self._popular = None


def of_one(ranked: Ranked, model: str) -> Lists:
    """Lists that one of `SOURCES` made alone."""
    items, scores = ranked
    return Lists(items, scores, np.full(items.shape, SOURCES.index(model), np.int8))
