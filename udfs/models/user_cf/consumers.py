"""User-based collaborative filtering: who last took what a user took, and what else they took.

In: consumptions in order, the history pages of `Users`. Out: amounts by item for the ranker (see
`udfs.ranking.candidate_kernels`). Memory of a user learner, in no state: filled as events come. The
users of one subtask are each other's neighbours.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from udfs.memory.columns import Table, column
from udfs.memory.users import Users
from udfs.models.options import UserCF
from udfs.models.user_cf import consumer_kernels

# The shape of likeness and scores (`consumer_kernels`): chosen on the first half of MovieLens-100K
# by recall@10, one set for ratings of 5 and all ratings (docs/models.md). No data are known that
# other values suit better; the option is how many consumers of an item are remembered.
RECENT = 10
"""The last items by which users are compared."""
POSITION_DECAY = 5.0
"""After how many of those one weighs 1/e of the newest."""
NEIGHBOURS = 50
"""The most similar users whose items are scored, of up to RECENT times `consumers`: with SAID it
bounds the time of a list."""
SAID = 30
"""The last items of each neighbour that are scored. With 100, the lists of user-cf alone are better
by a fifth, but at recall@10 .120 they are far behind item-cf's .176; the ranker's stay the same."""
SHRINK = 4.0
"""Consumers added to each item's own, so that a shared rare item proves little."""
HERMIT = 10.0
"""Events added to each neighbour's own, so that a user of one event is not the best witness."""
POWER = 0.5
"""The power of these three counts: the cosine's ½."""


class Consumers(Table):
    """The last consumers of every catalogue slot: a table to attach to the catalogue.

    Attributes:
        who, serial: int32[I, R], int64[I, R], the cache slot of a consumer and the `Users.serials`
            it had: a user who has left the cache since, or whose slot is another's, is not asked.
        counts: int64[I], consumptions noted in all; the newest stands at (counts − 1) mod R.
        position: float64[H], the weights of the last H items of a user.
    """

    who = column(np.int32, ("R",))
    serial = column(np.int64, ("R",))
    counts = column(np.int64)

    def __init__(self, settings: UserCF | None = None) -> None:
        self.settings = s = settings or UserCF()
        super().__init__(R=s.consumers)
        self.position = np.exp(-np.arange(RECENT) / POSITION_DECAY)

    def note(self, users: Users, slots: NDArray[np.int32], items: NDArray[np.int32]) -> None:
        """Note n consumptions in order: int32[n] cache slots and int32[n] catalogue slots."""
        consumer_kernels.note(slots, items, users.serials, self.who, self.serial, self.counts)
