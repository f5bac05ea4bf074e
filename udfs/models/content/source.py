"""The source `content`: new items that are like a user's last items, by what they are.

In: vectors of items as their metadata arrives. Out: candidates for the ranker, what each user likes
as a vector, reasons, similar items. An item that has many events is known better by these, and is
left to the other sources. Nothing is learned here, so nothing is kept in state.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from udfs.direct import Direct
from udfs.memory.columns import Table, column
from udfs.memory.history_kernels import Batch
from udfs.models.content import group_kernels, near_kernels
from udfs.models.content.features import WIDTH
from udfs.models.content.group_kernels import ITEMS, Groups
from udfs.models.content.near_kernels import Alike
from udfs.models.model import Model, Moment, Shop
from udfs.models.ranked import Ranked, no_lists

RECENT = 20
"""H, the items of a history that say what a user likes."""
POSITION_DECAY = 8.0
"""After how many items of a history the weight has fallen to 1/e of the newest item's: as in
item-cf."""
FEW = 20
"""Events from which on an item is no candidate by its content: other sources say more of it."""
LEAD = 2.0
"""How many times as much as all of the last items what was touched last counts, where it is asked
for what is like that: enough to find its twin, whatever else the user likes."""
LOOKED = 128
"""Items with fewer that are looked at for a list, in the groups that promise most."""
MOST_GROUPS = 1024
"""Groups of items: with 64 items each when they are split, enough for 65,000. Of a larger catalogue
each list looks at a smaller part."""
_THOROUGH = 2048  # items that are looked at where no user waits
_ALL = 1 << 62
_REASONS = 2
_near, _explain = Direct(near_kernels.near), Direct(near_kernels.explain)


class Described(Table):
    """What items are: a table to attach to the catalogue; see `Groups`. 84 bytes an item."""

    vectors = column(np.int8, (WIDTH,))
    of = column(np.int32)
    after = column(np.int32)
    before = column(np.int32)
    marks = column(np.int64)

    def __init__(self) -> None:
        super().__init__()
        self._centres = np.zeros((MOST_GROUPS, WIDTH), np.int8)
        self._heads, self._members = np.zeros((2, MOST_GROUPS), np.int32)
        self.counts = np.zeros(2, np.int64)

    @property
    def some(self) -> bool:
        """Whether any item is described."""
        return bool(self.counts[ITEMS])

    @property
    def groups(self) -> Groups:
        """The arrays that the kernels take; those of groups are never replaced."""
        return Groups(
            self.vectors,
            self.of,
            self.after,
            self.before,
            self._centres,
            self._heads,
            self._members,
            self.counts,
        )

    def put(self, slots: NDArray[np.int32], vectors: NDArray[np.int8]) -> None:
        """Set what items are: int32[m], int8[m, WIDTH]; all 0 takes it away."""
        self.vectors[slots] = vectors
        group_kernels.place(slots, self.groups)

    def clear(self, slots: NDArray[np.integer[Any]] | int) -> None:
        """Reset rows, which are then in no group."""
        if self.some:
            gone = np.atleast_1d(np.asarray(slots, np.int32))
            self.put(gone, np.zeros((len(gone), WIDTH), np.int8))
        super().clear(slots)

    def renumber(self, place: NDArray[np.int32]) -> None:
        """Follow slots that have moved: the groups are made again."""
        if self.some:
            self.of[:] = self.after[:] = self.before[:] = 0
            self._heads[:] = self._members[:] = 0
            self.counts[:] = 0
            described = np.flatnonzero(self.vectors.any(axis=1)).astype(np.int32)
            group_kernels.place(described, self.groups)


class Touched(Table):
    """What each user touched last, as a vector, all 0 if that is not known. A history does not say
    so: an item that is touched again keeps its place there. 64 bytes a user."""

    vector = column(np.int8, (WIDTH,))


class Content(Model):
    """See the module."""

    lasting = True

    def __init__(self, shop: Shop, options: Any = None) -> None:
        super().__init__(shop, options)
        self.described = Described()
        self.tables = (self.described,)
        self._touched = Touched()  # follows the users as soon as an item is described
        self._position = np.exp(-np.arange(RECENT) / POSITION_DECAY).astype(np.float32)
        self._call = np.zeros(3, np.int64)

    def compile(self, slots: NDArray[np.int32], users: NDArray[np.int32]) -> None:
        """Compile what is called once an item is described, by describing some; not in use."""
        self.describe(slots, np.ones((len(slots), WIDTH), np.int8))
        self.candidates(Moment(self.shop, users, 1))
        self.explain(users, np.tile(slots, (len(users), 1)))
        self.similar(slots, 1)

    def describe(self, slots: NDArray[np.int32], content: NDArray[np.int8]) -> None:
        """Set what the items in `slots` (int32[m]) are, int8[m, WIDTH], all 0 where nothing is
        known. The next list is made with it."""
        if self._touched not in self.shop.users.attached:
            self.shop.users.attach(self._touched)
        self.described.put(slots, content)

    def touch(self, batch: Batch) -> None:
        """Note what users like of the items of n events, the last where there are several."""
        if self.described.some:
            items, liked = batch.items, batch.weights > 0
            at = np.flatnonzero(liked & (items >= 0) & (self.described.of[items] > 0))
            self._touched.vector[batch.users[at]] = self.described.vectors[items[at]]

    def view(self, moment: Moment) -> Alike:
        """What the kernels read, with room for the users' vectors; the same for naming candidates
        and for the ranker's features."""
        name = "what users like" if self.described.some else "room for what users like"
        profiles = moment.once(name, np.empty, (len(moment.slots), WIDTH), np.int16)
        return self._alike(profiles)

    def _alike(
        self,
        likes: NDArray[np.int16],
        few: int = FEW,
        most: int = LOOKED,
        *,
        known: bool = False,
        lead: float = 0.0,
    ) -> Alike:
        c, groups, touched = self.shop.catalogue, self.described.groups, self._touched.vector
        own = groups, c.shown, c.events, self._position
        return Alike(*own, few, most, likes, known, touched, lead)

    def naming(self, moment: Moment) -> Alike:
        """New items, named by a kernel."""
        return self.view(moment)

    def named(self, moment: Moment) -> NDArray[np.int32] | None:
        """The same; None if no item is described."""
        if not self.described.some:
            return None
        n = near_kernels.named.py_func(self.shop.settings.lists.length)
        found = np.empty((len(moment.slots), n), np.int32)
        self._find(moment.slots, self.view(moment), found)
        return found

    def latest(
        self, slots: NDArray[np.int32], n: int
    ) -> tuple[NDArray[np.int32], NDArray[np.int16]]:
        """The `n` new items most like what each of n users touched last and, less, the last items:
        int32[rows, n], −1 where there are fewer; and what that is, int16[rows, WIDTH]."""
        likes = np.empty((len(slots), WIDTH), np.int16)
        found = np.empty((len(slots), n), np.int32)
        self._find(slots, self._alike(likes, lead=LEAD), found)
        return found, likes

    def candidates(self, moment: Moment) -> Ranked:
        """The same, with their cosines with what each user likes."""
        found = self.named(moment)
        if found is None:
            return no_lists(len(moment.slots), self.shop.settings.lists.length)
        return found, self._cosines(self.view(moment).profiles, found)

    def explain(self, slots: NDArray[np.int32], items: NDArray[np.int32]) -> NDArray[np.int32]:
        """The history items that are most like each item."""
        reasons = np.empty((*items.shape, _REASONS), np.int32)
        moment = Moment(self.shop, slots, 0)
        _explain(
            moment.slots,
            np.ascontiguousarray(items, np.int32),
            self.shop.users.view,
            self.view(moment),
            reasons,
        )
        return reasons

    def similar(self, slots: NDArray[np.integer[Any]], n: int) -> Ranked:
        """The `n` items most like each of `slots`, themselves left out, with their cosines; none
        for items that are not described."""
        items, scores = self.search(self.described.vectors[slots], n + 1)
        kept = np.argsort(items == slots[:, None], axis=1, kind="stable")[:, :n]
        return np.take_along_axis(items, kept, axis=1), np.take_along_axis(scores, kept, axis=1)

    def search(self, vectors: NDArray[np.int8], n: int) -> Ranked:
        """The `n` items whose vectors are most like each of `vectors`, int8[rows, WIDTH], such as
        those of queries, with their cosines; −1 and −inf where there are fewer."""
        wanted = vectors.astype(np.int16) * np.int16(near_kernels.LENGTH / 127)
        found, nobody = np.empty((len(vectors), n), np.int32), np.full(len(vectors), -1, np.int32)
        self._find(nobody, self._alike(wanted, _ALL, _THOROUGH, known=True), found)
        return found, self._cosines(wanted, found)

    def _find(self, users: NDArray[np.int32], alike: Alike, found: NDArray[np.int32]) -> None:
        exclude, history = self.shop.settings.lists.exclude_consumed, self.shop.users.view
        marks = self.described.marks, self._call
        some = 0, len(users), exclude, history, alike, *marks, found, 0, found.shape[1]
        _near(users, *some, varying=(users,))

    def _cosines(self, wanted: NDArray[np.int16], found: NDArray[np.int32]) -> NDArray[np.float32]:
        of = self.described.vectors[found].astype(np.float32)
        products = np.einsum("rf,rnf->rn", wanted.astype(np.float32), of)
        scores = products / np.float32(127 * near_kernels.LENGTH)
        return np.where(found >= 0, scores, np.float32(-np.inf)).astype(np.float32)
