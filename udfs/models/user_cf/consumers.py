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


class Consumers(Table):
    """The last consumers of every catalogue slot: a table to attach to the catalogue.

    Attributes:
        who, serial: int32[I, R], int64[I, R], the cache slot of a consumer and the `Users.serials`
            it had: a user who has left the cache since, or whose slot is another's, is not asked.
        counts: int64[I], consumptions noted in all; the newest stands at (counts − 1) mod R.
    """

    who = column(np.int32, ("R",))
    serial = column(np.int64, ("R",))
    counts = column(np.int64)

    def __init__(self, settings: UserCF | None = None) -> None:
        self.settings = s = settings or UserCF()
        super().__init__(R=s.consumers)
        self._position = np.exp(-np.arange(s.recent) / s.position_decay)

    def note(self, users: Users, slots: NDArray[np.int32], items: NDArray[np.int32]) -> None:
        """Note n consumptions in order: int32[n] cache slots and int32[n] catalogue slots."""
        consumer_kernels.note(slots, items, users.serials, self.who, self.serial, self.counts)

    @property
    def noted(self) -> consumer_kernels.Noted:
        """What the ranking kernels read."""
        s = self.settings
        return consumer_kernels.Noted(
            self.who, self.serial, self.counts, self._position, s.shrink, s.hermit, s.power,
            s.neighbours, s.said,
        )  # fmt: skip
