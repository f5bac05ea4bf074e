"""All that makes the lists of a user learner: items, users, the sources of candidates, the ranker.

In: cache slots of users. Out: `Lists`, of one source or blended by the ranker. What is learned
when is in `udfs.learning.learner`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from udfs.memory.catalogue import Catalogue
from udfs.memory.history_kernels import Batch
from udfs.memory.users import Users
from udfs.models.content.source import Content
from udfs.models.factors.arrays import Rule
from udfs.models.factors.source import Factors
from udfs.models.item_cf.neighbours import Neighbours, Row, Windows
from udfs.models.item_cf.source import TakenTogether
from udfs.models.item_cf.wire import KeyRow
from udfs.models.model import Model, Moment, Shop
from udfs.models.popular.source import OF_ALL, Popular, Trends
from udfs.models.ranked import Lists, Ranked, Served, Told, of_one
from udfs.models.segments.source import Segments
from udfs.models.settings import Settings
from udfs.models.social.source import Social
from udfs.models.user_cf.consumers import Consumers
from udfs.models.user_cf.source import LikeMinded
from udfs.options.sources import SOURCES, built, position
from udfs.ranking import young
from udfs.ranking.blend import FEW, Blend
from udfs.ranking.counting import Counting
from udfs.ranking.fill_kernels import fill_up
from udfs.ranking.interleaving import Drafts
from udfs.ranking.log import ranker_log
from udfs.ranking.own_ranker import files_of
from udfs.ranking.ranker import RANKER, ranker_of
from udfs.ranking.reasons import REASONS, explain, explaining
from udfs.ranking.similar import similar
from udfs.ranking.steps.rules import longer
from udfs.ranking.steps.steps import Steps
from udfs.ranking.ways import Way, Ways
from udfs.threads import Threads, nothing

M = TypeVar("M", bound=Model)


class Recommender:
    """The catalogue, the users, the sources and the ranker of one subtask.

    Attributes:
        sources: by name, in the order of `SOURCES`; some of them: content, social, popular,
            trends, segments.
        counting: whether what gives evidence is counted: somebody's lists are made from it.
        steps: what is done with ranked lists. ways: the same for each variant of experiments;
            drafts: for two at once.
        own_files: as of `own_ranker.files_of`.
        log: where it is told what was ranked, if anywhere. blend: the sources, blended.
        shared: what has parameters that all user learners share, by name, with `put`, which sets
            them: what users take first; the ranker and each source that has `parameters`,
            float64[P] that begin at 0.
    """

    def __init__(
        self, settings: Settings, catalogue: Catalogue, users: Users, threads: Threads | None = None
    ) -> None:
        self.settings = settings
        self.shop = Shop(longer(settings), catalogue, users, threads or Threads())
        self.sources: dict[str, Model] = {
            name: source.load()(self.shop, settings.of(source.section))
            for name, source in built(settings).items()
        }
        self.content, self.social = self._source("content", Content), self._source("social", Social)
        self.popular = self._source("popular", Popular)
        self.trends = self._source("trending", Trends)
        self.segments = self._source("segments", Segments)
        self.steps = Steps(settings, self.shop, self.content, self.social, self.popular)
        self.ways = Ways(settings, self.steps, self.shop)
        self.drafts = Drafts(self.made, self.parts, users)
        self.ranker = ranker_of(settings)
        holders: dict[str, Any] = self.sources | self.steps.learning
        self.shared: dict[str, Any] = {RANKER: self.ranker, OF_ALL: self.popular.first} | {
            name: one for name, one in holders.items() if hasattr(one, "parameters")
        }
        self.blend = Blend(self.shop, self.sources, self.ranker)
        self.own_files = files_of(self.sources, self.blend.own)
        self.log = ranker_log(settings, self.shop, self.blend.measure)
        self.counting = settings.lists.model in ("ranker", *self.blend.evident)
        for name, model in self.sources.items():
            for table in model.tables if self.counting or name not in self.blend.evident else ():
                catalogue.attach(table)
        self._moment: Moment | None = None
        own = [m for m in self.sources.values() if type(m).count is not Model.count]
        self._counts = Counting(self.shop, self.neighbours, self.consumers, own)
        self._explaining = explaining(self.sources) if self.counting else []

    def count(self, batch: Batch) -> Callable[[], object]:
        """Let the sources count n events, before these belong to the histories; the function
        returned waits until all have counted, for nothing else looks at the counts meanwhile."""
        self._moment = None
        self.steps.count(batch)
        return self._counts.take(batch) if self.counting else nothing

    def learned(self) -> None:
        """Forget what was found of users: something was learned otherwise, or loaded."""
        self._moment = None

    def counted(self) -> Windows | None:
        """The windows of all batches since the last call, for the item learners; valid until the
        next batch. None if there are none."""
        return self._counts.gathered()

    def moment(self, slots: NDArray[np.int32], now_ms: int) -> Moment:
        """The users in `slots` now; what was found out of the same users at the same time, and
        before anything was learned, is known of them."""
        if not (known := self._moment and self._moment.at(slots, now_ms)):
            known = self._moment = Moment(self.shop, slots, now_ms)
        return known

    def candidates(self, name: str, moment: Moment) -> Ranked | None:
        """The candidates of one source, see `Model.candidates`."""
        return self.blend.candidates(name, moment)

    def rank(
        self, slots: NDArray[np.int32], now_ms: int, model: str = ""
    ) -> list[tuple[str, NDArray[np.intp], Lists]]:
        """The lists of the users in `slots`, in parts: the source, which of `slots`, their lists.

        Args:
            model: "ranker", one of `sources.models()` or of `own.beside`; by default the one that
                is served. Users with fewer than `minimum_events` events get what users like them
                begin with, or what is popular.
        """
        found = self.parts(slots, now_ms, model or self.settings.lists.model)
        way = self.ways.usual
        made = ((name, at, self._lists(name, moment, (0, 0), way)) for name, at, moment in found)
        return [(name, at, told.lists.first(self.settings.lists.length)) for name, at, told in made]

    def tell(
        self, slots: NDArray[np.int32], now_ms: int
    ) -> list[tuple[str, NDArray[np.intp] | slice, Served]]:
        """The lists that are served, as from `rank`, with reasons and what was consumed; each user
        has those of the variants that the user is in."""
        if not self.ways.experiments:
            return self.told(slots, now_ms, self.ways.usual)
        groups = self.ways.groups([self.users.names[slot] for slot in slots.tolist()])
        return [
            (name, rows[at], served)
            for way, rows in groups
            for name, at, served in self.told(slots[rows], now_ms, way)
        ]

    def told(
        self, slots: NDArray[np.int32], now_ms: int, way: Way
    ) -> list[tuple[str, NDArray[np.intp] | slice, Served]]:
        """The same of users whose lists are made in one way."""
        lists, blend = self.settings.lists, self.blend
        size, near = (REASONS, self.popular.noted), self.popular.near(now_ms)
        served, steps, few = way.model, way.steps, blend.lasting and 0 < len(slots) <= FEW
        few = few and way.rival is None and self.catalogue.clusters is None
        few = few and served in ("ranker", *blend.evident)
        if few and min(self.users.events[slots].tolist()) >= lists.minimum_events:
            slots = np.ascontiguousarray(slots, np.int32)
            told, short = blend.make_few(served, slots, near, size)
            self._finish(slots, now_ms, told, short)
            return [(served, slice(None), steps.served(told, slots, True))]
        found = self.parts(slots, now_ms, served)
        return [(name, at, self._lists(name, moment, size, way)) for name, at, moment in found]

    def parts(self, slots: NDArray[np.int32], now_ms: int, served: str) -> list[young.Part]:
        """The users in parts, each with the source of their lists, see `young.parts`."""
        first = "segments" if self.segments.some else "popular"
        known, least = self.users.events[slots], self.settings.lists.minimum_events
        return young.parts(self.moment(slots, now_ms), known, least, served, first)

    def _lists(self, model: str, moment: Moment, size: tuple[int, int], way: Way) -> Served:
        """Lists of one model; `size` is R and K of `Told`, 0 for lists that are not served."""
        if way.rival is not None:
            return self.drafts.served(way, model, moment, size)
        return way.steps.served(self.made(model, moment, size), moment.slots, size[0] > 0)

    def made(self, model: str, moment: Moment, size: tuple[int, int]) -> Told:
        """The same before their steps."""
        slots, now_ms = moment.slots, moment.now_ms
        if model in SOURCES and model not in self.blend.evident:
            lists = self._listed(model, moment)
            reasons = np.full((*lists.items.shape, size[0]), -1, np.int32)
            return Told(*lists, reasons, self.popular.consumed(slots, now_ms, size[1]))
        told, short = self.blend.make(model, moment, self.popular.near(now_ms), size)
        self._finish(slots, now_ms, told, short)
        return told

    def _listed(self, model: str, moment: Moment) -> Lists:
        """The lists of one source that needs no ranker."""
        if model == "segments":
            near = self.neighbours if self.counting else None
            return young.begin(self.segments, self.popular, near, moment)
        found = self.candidates(model, moment)
        assert found is not None, f"{model} has neither evidence nor candidates"
        return of_one(found, model)

    def _finish(self, slots: NDArray[np.int32], now_ms: int, told: Told, short: bool) -> None:
        """Do what the kernels have left over: fill short lists, explain other sources' items."""
        if short:
            fill_up(*told.lists, self.by_popularity(slots, now_ms)[0], position("popular"))
        if told.reasons.shape[2] and self._explaining:
            explain(self._explaining, slots, told)

    def by_popularity(self, slots: NDArray[np.int32], now_ms: int) -> Ranked:
        """Lists by decayed popularity; a slot of −1 is nobody in particular."""
        found = self.candidates("popular", self.moment(slots, now_ms))
        assert found is not None
        return found

    def vectors(self, slots: NDArray[np.int32], now_ms: int = 0) -> NDArray[np.float32]:
        """What the factors of items are multiplied by, for each user: float32[n, d]."""
        return self._source("mf", Factors).vectors(self.moment(slots, now_ms))

    def similar(self, slots: NDArray[np.integer[Any]]) -> Lists:
        """Items like each of `slots`, see `udfs.ranking.similar`."""
        neighbours, n = self.neighbours if self.counting else None, self.settings.lists.length
        return similar(self.catalogue, neighbours, self.content, slots, n)

    def put(
        self,
        items: Sequence[str],
        rows: NDArray[np.void],
        counted: Sequence[str],
        pairs: Sequence[KeyRow],
        parameters: Mapping[str, NDArray[np.float64]],
    ) -> None:
        """Set items, what was taken together with some, and shared parameters by name to absolute
        values."""
        catalogue, self._moment = self.catalogue, None
        if len(items):
            catalogue.put_rows(items, rows)
        if self.counting:
            for slot, row in zip(catalogue.find(counted).tolist(), pairs, strict=True):
                if slot >= 0:
                    slots = catalogue.slots_of_keys(row.keys)
                    self.neighbours.put_row(slot, Row(row.clock, row.weight, slots, row.values))
        for name, values in parameters.items():
            if name in self.shared:
                self.shared[name].put(values)
        self.segments.put(parameters)

    def describe(self, slots: NDArray[np.int32], content: NDArray[np.int8]) -> None:
        """Let the sources know what the items in `slots` (int32[n]) are: int8[n, WIDTH]."""
        self._moment = None
        self.steps.forget()
        for model in self.sources.values():
            model.describe(slots, content)

    def forget_popular(self) -> None:
        """Look at popularity again next time."""
        self._moment = None
        self.popular.forget()
        self.steps.forget()

    @property
    def catalogue(self) -> Catalogue:
        """The items."""
        return self.shop.catalogue

    @property
    def users(self) -> Users:
        """The users."""
        return self.shop.users

    @property
    def clock_ms(self) -> float:
        """The newest event time."""
        return self.shop.clock_ms

    @clock_ms.setter
    def clock_ms(self, at_ms: float) -> None:
        self.shop.clock[0] = at_ms

    @property
    def rule(self) -> Rule:
        """How far an event moves the factors of mf."""
        return self._source("mf", Factors).rule

    @property
    def neighbours(self) -> Neighbours:
        """What was taken together."""
        return self._source("item-cf", TakenTogether).neighbours

    @property
    def consumers(self) -> Consumers:
        """Who took what last."""
        return self._source("user-cf", LikeMinded).consumers

    def _source(self, name: str, kind: type[M]) -> M:
        model = self.sources[name]
        assert isinstance(model, kind)
        return model
