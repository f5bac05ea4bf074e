"""The call of the compiled step of a batch, with the arrays of this moment.

In: the events of a batch as slots. Out: factors, histories and counts changed, the users' rows
packed, full pages written. The tuples of arrays are made anew only when a table has grown.
"""

from __future__ import annotations

import numpy as np

from udfs.direct import Direct
from udfs.feed.change_kernels import Demand, People
from udfs.feed.outbox import Outbox
from udfs.learning import batch_kernels, serve_kernels
from udfs.learning.batch_kernels import (
    BATCH,
    OWED,
    PAGES,
    Crowd,
    Given,
    Goods,
    Work,
)
from udfs.memory.catalogue import Catalogue
from udfs.memory.takers import Takers
from udfs.memory.users import Users
from udfs.models.factors import arrays
from udfs.models.factors.arrays import Draws, Ratings, Rule
from udfs.options.learning import Model
from udfs.state.handles import Rows

_NO_AXIS = np.zeros(0, np.float32)


class Steps:
    """See the module.

    Args:
        rule: how far an event moves factors.
        takers: counts who took what for the first time; None: nobody wants to know.
    """

    def __init__(
        self,
        options: Model,
        rule: Rule,
        catalogue: Catalogue,
        users: Users,
        outbox: Outbox,
        takers: Takers | None = None,
    ) -> None:
        self._users, self._catalogue, self._outbox = users, catalogue, outbox
        self._rule = rule
        squared = options.loss == "squared"
        self._step = Direct(batch_kernels.squared if squared else batch_kernels.softmax)
        self._each = options.negatives + options.window
        self._takers = takers
        self._serve = Direct(serve_kernels.serve)
        self._made = np.zeros(7, np.int64)
        self._crowd: Crowd | None = None
        self._goods: Goods | None = None

    def take(self, given: Given, taught: Draws | Ratings, history: Rows) -> tuple[int, int]:
        """Learn a batch.

        Args:
            history: the full pages of the shard's users.

        Returns: how many users were met for the first time, and the latest time.
        """
        users, catalogue, outbox, made = self._users, self._catalogue, self._outbox, self._made
        n = len(given.ts)
        if self._takers is not None:
            outbox.take(self._takers.count(given.batch, users.view))
        owed, spare = outbox.room(n, self._each), users.spare(n)
        made[OWED], made[BATCH], made[PAGES] = outbox.count, outbox.batch, users.free_count
        work = Work(owed, outbox.touched, spare, users.rows(len(given.slots)), made)
        self._step(given, self._crowd_now(), self._goods_now(), self._rule, taught, work)
        outbox.count, _, fresh, newest, users.free_count, full, touched = made.tolist()
        if catalogue.bounded:
            catalogue.measured(touched)
        else:
            catalogue.measure(work.touched[:touched])
        if full:
            users.seal(spare.sealed[:full], history, catalogue)
            users.pack(given.slots, catalogue)
        return fresh, newest

    def serve(self, given: Given, history: Rows) -> int:
        """Let a batch count for its users alone; returns how many were met for the first time."""
        users, catalogue = self._users, self._catalogue
        spare, batch = users.spare(len(given.ts)), given.batch
        crowd, packed = self._crowd_now(), users.rows(len(given.slots))
        fresh: int = self._serve(given, crowd, spare, packed, varying=(given.ts, *batch))
        users.free_count, full = spare.counts.tolist()
        if full:
            users.seal(spare.sealed[:full], history, catalogue)
            users.pack(given.slots, catalogue)
        return fresh

    def _crowd_now(self) -> Crowd:
        users, keys, crowd = self._users, self._catalogue.keys, self._crowd
        history = users.view
        if crowd is None or crowd.history is not history or crowd.stored.keys is not keys:
            crowd = self._crowd = Crowd(
                arrays.user_factors(users),
                history,
                People(users.events, users.last, users.seen),
                users.stored(self._catalogue),
            )
        return crowd

    def _goods_now(self) -> Goods:
        c, goods = self._catalogue, self._goods
        axis = c.axis if c.bounded else _NO_AXIS
        if goods is None or goods.stamp is not c.stamp or goods.axis is not axis:
            goods = self._goods = Goods(
                arrays.item_factors(c),
                Demand(c.popularity, c.popularity_at, c.sums, c.events, c.seen),
                axis,
                c.along,
                c.across,
                c.stamp,
            )
        return goods
