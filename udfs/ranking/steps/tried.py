"""How often each new item was offered: in lists, or, where the shop tells, in lists that were seen.

In: the lists in which items were explored, and what users saw of lists, as slots. Out: the counts
by which `udfs.ranking.steps.explore` chooses, and what has been added to them, for the state.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from udfs.memory.columns import Table, column

SILENT_MS = 86_400_000
"""A shop of which nothing has been heard for so long does not tell what was seen: lists count."""


class Tried(Table):
    """A table to attach to the catalogue.

    Attributes:
        count: int64[I], how often each item was offered. kept: int64[I], what of it is in state.
        heard_ms: the event time of the last word of what was seen; 0: there was none.
    """

    count = column(np.int64)
    kept = column(np.int64)

    def __init__(self) -> None:
        super().__init__()
        self.heard_ms = 0

    def told(self, clock_ms: float) -> bool:
        """Whether the shop tells what is seen of lists, at an event time, ms."""
        return self.heard_ms > 0 and clock_ms - self.heard_ms < SILENT_MS

    def see(self, slots: NDArray[np.int32], at_ms: int) -> None:
        """Count that these items were seen in lists: int32[n], −1 for one that is not known."""
        np.add.at(self.count, slots[slots >= 0], 1)
        self.heard_ms = max(self.heard_ms, at_ms)

    def recall(self, slots: NDArray[np.int32], counts: NDArray[np.int64]) -> None:
        """Add what is in state already, int64[n], of the items in `slots`, int32[n] as above."""
        known = slots >= 0
        np.add.at(self.count, slots[known], counts[known])
        np.add.at(self.kept, slots[known], counts[known])

    def added(self) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
        """The slots whose count has grown since the last call, and by how much."""
        slots = np.flatnonzero(self.count != self.kept)
        grown = self.count[slots] - self.kept[slots]
        self.kept[slots] = self.count[slots]
        return slots, grown
