"""User-based collaborative filtering: who last took what a user took, and what else they took.

In: consumptions in order, the history pages of `Users`. Out: amounts by item for the ranker (see
`udfs.ranking.candidate_kernels`). Memory of a user learner, in no state: filled as events come. The
users of one subtask are each other's neighbours.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from udfs.memory.users import Users
from udfs.models.options import UserCF
from udfs.models.user_cf import consumer_kernels


class Consumers:
    """The last consumers of every catalogue slot.

    Attributes:
        who, serial: int32[I, R], int64[I, R], the cache slot of a consumer and the `Users.serials`
            it had: a slot that has been given to another user since is not asked.
        counts: int64[I], consumptions noted in all; the newest stands at (counts − 1) mod R.
        position: float64[H], the weights of the last H items of a user.
    """

    def __init__(self, settings: UserCF | None = None) -> None:
        self.settings = s = settings or UserCF()
        self.position = np.exp(-np.arange(s.recent) / s.position_decay)
        self._allocate(256)

    def _allocate(self, room: int) -> None:
        self.who = np.zeros((room, self.settings.consumers), np.int32)
        self.serial = np.zeros((room, self.settings.consumers), np.int64)
        self.counts = np.zeros(room, np.int64)

    def reserve(self, items: int) -> None:
        """Make room for the catalogue slots below `items`."""
        if items > (n := len(self.counts)):
            who, serial, counts = self.who, self.serial, self.counts
            self._allocate(max(items, 2 * n))
            self.who[:n], self.serial[:n], self.counts[:n] = who, serial, counts

    def note(self, users: Users, slots: NDArray[np.int32], items: NDArray[np.int32]) -> None:
        """Note n consumptions in order: int32[n] cache slots and int32[n] catalogue slots."""
        self.reserve(int(items.max(initial=-1)) + 1)
        consumer_kernels.note(slots, items, users.serials, self.who, self.serial, self.counts)

    def compact(self, slots: NDArray[np.integer[Any]]) -> Consumers:
        """New consumers where slot k is what `slots[k]` is here; all other items are left out."""
        fresh, at = Consumers(self.settings), np.flatnonzero(slots < len(self.counts))
        fresh._allocate(max(256, int(at.max(initial=-1)) + 1))
        fresh.who[at], fresh.serial[at] = self.who[slots[at]], self.serial[slots[at]]
        fresh.counts[at] = self.counts[slots[at]]
        return fresh
