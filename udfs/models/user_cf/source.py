"""The source `user-cf`: what people who chose a user's last items chose besides.

In: the arrays of `consumers`, which `udfs.ranking.counting` fills as events arrive: they are not
in state. Out: evidence by item for the ranker. The neighbours of a user are users of the same
subtask.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from udfs.models.model import Model, Shop
from udfs.models.options import UserCF
from udfs.models.user_cf import consumers
from udfs.models.user_cf.consumer_kernels import Noted
from udfs.models.user_cf.consumers import Consumers


class LikeMinded(Model):
    """See the module."""

    def __init__(self, shop: Shop, options: UserCF | None = None) -> None:
        super().__init__(shop, options)
        self.consumers = Consumers(options)
        self.tables = (self.consumers,)
        self._memory: dict[int, tuple[NDArray[Any], ...]] = {}

    def evidence(self, thread: int) -> Noted:
        """What was recorded, with memory of the thread."""
        c, room = self.consumers, len(self.shop.users.tail)
        if thread not in self._memory or len(self._memory[thread][0]) < room:
            self._memory[thread] = (
                np.zeros(room, np.float32),
                np.zeros(room + 1, np.int32),
                np.zeros(room, np.float32),
            )
        return Noted(
            c.who,
            c.serial,
            c.counts,
            c.position,
            consumers.SHRINK,
            consumers.ACTIVITY_SHRINK,
            consumers.POWER,
            consumers.NEIGHBOURS,
            consumers.ITEMS,
            consumers.DEPTH,
            c.around,
            *self._memory[thread],
        )
