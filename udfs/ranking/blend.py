"""The calls of the ranker's kernels: candidates of all sources, in one order.

In: users at a moment, the sources and the features of the tables. Out: `Lists`, or what the ranker
has learned. What a call hands to the kernels besides arrays is made once, here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from udfs.direct import Direct
from udfs.memory.history_kernels import History
from udfs.models.model import Model, Moment, Shop
from udfs.models.ranked import Ranked, Told
from udfs.options import sources
from udfs.ranking import list_kernels, log_kernels, ranker, ranker_kernels
from udfs.ranking.candidate_kernels import Asked, Items
from udfs.ranking.features import Asking, features
from udfs.ranking.list_kernels import Offers
from udfs.ranking.own_ranker import NOTHING, Given, built_in, own_ranker
from udfs.ranking.ranker import Memory, Ranker

FEW = 64
"""Up to so many lists at once, what the kernels are given is kept for the next time: putting it
together costs as much as a list."""


class Frame(NamedTuple):
    """What the kernels are given besides the users and the evidence, for up to `FEW` users.

    Attributes:
        near, history, keys, axis: as long as these are the same arrays, no other was replaced;
            `keys` stands for all tables of the catalogue. size: of the catalogue.
        asked, views, items, offers: made for `FEW` users.
    """

    near: NDArray[np.uint8]
    history: History
    keys: NDArray[np.uint64]
    axis: NDArray[np.float32]
    size: int
    asked: Asked
    views: tuple[Any, ...]
    items: Items
    offers: Offers


class Candidates(NamedTuple):
    """The c candidates of one user: int32[c], their slots; float32[F, c], features in the order of
    the table; float32[c], logits; and the user's `candidate_kernels.activity`."""

    slots: NDArray[np.int32]
    features: NDArray[np.float32]
    scores: NDArray[np.float32]
    activity: float


class Blend:
    """The sources, blended by the ranker.

    Attributes:
        lasting: whether `Frame`s can be made of all sources and features, and the built-in ranker
            serves.
        own: the ranker of a team's own, if there is one.
        evident: the names of the sources that give evidence by item.
    """

    def __init__(self, shop: Shop, models: dict[str, Model], ranker: Ranker) -> None:
        evident = sources.evident()
        self.evident = tuple(source.name for source in evident)
        self._shop, self._models, self._ranker = shop, models, ranker
        self._speaking = tuple(models[name] for name in self.evident)
        finding = {
            name: model
            for name, model in models.items()
            if sources.SOURCES[name].serves(shop.settings)
            and type(model).candidates != Model.candidates
        }
        # Those that name candidates before the call, and those that do so in it.
        self._finding = tuple(finding)
        self._naming = tuple([m for m in finding.values() if type(m).naming != Model.naming])
        self._before = tuple([m for m in finding.values() if type(m).naming == Model.naming])
        self._positions = tuple(sources.position(name) for name in self.evident)
        self._priors = tuple(np.float32(source.prior) for source in evident)
        known = features(shop.settings)
        self._features = tuple(feature.view for feature in known)
        self._memory = Memory(shop.threads.count)
        named = not self._before and all(model.lasting for model in self._naming)
        self.own = own_ranker(shop.settings)
        served = self.own is None or not self.own.makes("ranker")
        self.lasting = served and named and all(feature.lasting for feature in known)
        self._frame: Frame | None = None
        self._networks = {
            name: ranker.network(name if name in self.evident else "")
            for name in ("ranker", *self.evident)
        }
        self._make = Direct(list_kernels.make_lists)

    def candidates(self, name: str, moment: Moment) -> Ranked | None:
        """The candidates of one source, see `Model.candidates`."""
        found: Ranked | None = moment.once(name, self._models[name].candidates, moment)
        return found

    def _extra(self, moment: Moment) -> NDArray[np.int32]:
        """The best of the sources that name items without the ranker, int32[n, E]."""
        found = [self._models[name].named(moment) for name in self._finding]
        named = [slots for slots in found if slots is not None]
        return np.concatenate(named, axis=1, dtype=np.int32, casting="same_kind")

    def _asked(
        self, moment: Moment, extra: NDArray[np.int32]
    ) -> tuple[Asked, tuple[Any, ...], Items]:
        """All users of a moment as the kernels take them, the views of all features, the items."""
        lists, catalogue = self._shop.settings.lists, self._shop.catalogue
        asking = Asking(self._shop, self._models, moment)
        views = tuple([view(asking) for view in self._features])
        self._memory.reserve(len(catalogue.alive), views, extra.shape[1])
        asked = Asked(
            moment.slots,
            extra,
            0,
            len(moment.slots),
            self._memory.mark(0),
            lists.exclude_consumed,
            ranker.CANDIDATES,
            self._priors,
        )
        return asked, views, Items(catalogue.shown, catalogue.events, catalogue.size)

    def _evidence(self, thread: int) -> tuple[Any, ...]:
        """The views of all sources of evidence, for one thread."""
        return tuple([model.evidence(thread) for model in self._speaking])

    def _offers(self, moment: Moment, near: NDArray[np.uint8]) -> tuple[Offers, NDArray[np.int32]]:
        """What is named in the call, and the array for it, which is known to the moment from now
        on; its first columns are set to what is named before."""
        naming = tuple([model.naming(moment) for model in self._naming])
        extra = moment.found("extra")
        if extra is not None:
            return Offers(naming, 0, True, self._positions, near, NOTHING), extra
        before = [found for m in self._before if (found := m.named(moment)) is not None]
        first, n = sum(found.shape[1] for found in before), self._shop.settings.lists.length
        extra = np.empty((len(moment.slots), first + len(naming) * n), np.int32)
        if before:
            np.concatenate(before, axis=1, out=extra[:, :first], casting="same_kind")
        moment.keep("extra", extra)
        return Offers(naming, first, False, self._positions, near, NOTHING), extra

    def make(
        self, model: str, moment: Moment, near: NDArray[np.uint8], told: tuple[int, int] = (0, 0)
    ) -> tuple[Told, bool]:
        """The best by the ranker, or by the evidence of the source `model` alone; and whether a
        list is shorter than it should be.

        Args:
            model: the name of such a source, "ranker", or of one of two rankers
                (`udfs.options.own`).
            near: as in `Popular.near`. told: R and K of `Told`; 0: it is not looked for. Reasons
                are only those of sources that explain by a kernel.
        """
        rows, n = len(moment.slots), self._shop.settings.lists.length
        own_ranks = self.own is not None and self.own.makes(model)
        if own_ranks:  # candidates are scored before the call that makes the lists
            moment.once("extra", self._extra, moment)
        offers, extra = self._offers(moment, near)  # first: it finds the users' vectors too
        asked, views, items = self._asked(moment, extra)
        if own_ranks:
            offers = offers._replace(given=self._given(asked, views, items))
        network, out = self._networks[built_in(model)], _room(rows, n, *told)
        history, memory, threads = self._shop.users.view, self._memory, self._shop.threads
        # Before any thread begins: what each has priced holds for all its parts of this call.
        own = [
            (memory.mark(thread), self._evidence(thread), memory.scratch(thread))
            for thread in range(threads.count)
        ]
        short: list[int] = []

        def some(thread: int, begin: int, end: int) -> None:
            since, evidence, scratch = own[thread]
            part = asked
            if since != asked.since or end - begin < rows:
                part = asked._replace(begin=begin, end=end, since=since)
            given = part, history, evidence, views, items, scratch, network, offers, out
            short.append(self._make(*given))

        threads.each(some, rows)
        return out, any(short)

    def _given(self, asked: Asked, views: tuple[Any, ...], items: Items) -> Given:
        """The scores of a ranker of a team's own; none if it says nothing."""
        assert self.own is not None
        history, scratch = self._shop.users.view, self._memory.scratch(0)
        found = self.own.scores(asked, history, self._evidence(0), views, items, scratch)
        return NOTHING if found is None else found

    def make_few(
        self, model: str, slots: NDArray[np.int32], near: NDArray[np.uint8], told: tuple[int, int]
    ) -> tuple[Told, bool]:
        """The same for up to `FEW` users, where all is `lasting` and no clusters are searched."""
        frame, catalogue, rows = self._frame, self._shop.catalogue, len(slots)
        if (
            frame is None
            or frame.near is not near
            or frame.history is not self._shop.users.view
            or frame.keys is not catalogue.keys
            or frame.axis is not catalogue.axis
            or frame.size != catalogue.size
        ):
            frame = self._frame = self._new_frame(near)
        asked, scratch = frame.asked, self._memory.scratch(0)
        out = _room(rows, self._shop.settings.lists.length, *told)
        short = self._make(
            Asked(slots, asked.extra, 0, rows, int(scratch.call[0]) + 1, *asked[5:]),
            frame.history,
            self._evidence(0),
            frame.views,
            frame.items,
            scratch,
            self._networks[model],
            frame.offers,
            out,
        )
        return out, short > 0

    def _new_frame(self, near: NDArray[np.uint8]) -> Frame:
        nobody = Moment(self._shop, np.zeros(FEW, np.int32), 0)
        offers, extra = self._offers(nobody, near)
        asked, views, items = self._asked(nobody, extra)
        c = self._shop.catalogue
        return Frame(
            near, self._shop.users.view, c.keys, c.axis, c.size, asked, views, items, offers
        )

    def train(
        self, moment: Moment, taken: NDArray[np.int32], worth: NDArray[np.float32] | None = None
    ) -> None:
        """Let the ranker learn that the users of a moment took the items `taken` next.

        Args:
            worth: float32[n], how much each of these counts; None: all the same.
        """
        extra = moment.once("extra", self._extra, moment)  # first: it finds the users' vectors too
        asked, views, items = self._asked(moment, extra)
        worth = np.ones(len(taken), np.float32) if worth is None else worth
        rule = ranker_kernels.Training(taken, self._ranker.squares, ranker.LEARNING_RATE, worth)
        ranker_kernels.train(
            asked,
            self._shop.users.view,
            self._evidence(0),
            views,
            items,
            self._memory.scratch(0),
            self._ranker.network(),
            rule,
        )

    def measure(self, moment: Moment) -> Iterator[Candidates]:
        """The candidates of each user of a moment."""
        extra = moment.once("extra", self._extra, moment)
        asked, views, items = self._asked(moment, extra)
        history, evidence, scratch = (
            self._shop.users.view,
            self._evidence(0),
            self._memory.scratch(0),
        )
        network = self._ranker.network()
        given = history, evidence, views, items, scratch, network
        for row in range(len(moment.slots)):
            one = asked._replace(begin=row, end=row + 1)
            count, activity = log_kernels.measure(one, *given)
            yield Candidates(
                scratch.slots[:count].copy(),
                scratch.x[:, :count].copy(),
                scratch.z[:count].copy(),
                float(activity),
            )


def _room(rows: int, n: int, reasons: int, consumed: int) -> Told:
    """Lists that are not yet set."""
    return Told(
        np.empty((rows, n), np.int32),
        np.empty((rows, n), np.float32),
        np.empty((rows, n), np.int8),
        np.empty((rows, n, reasons), np.int32),
        np.empty((rows, consumed), np.int32),
    )
