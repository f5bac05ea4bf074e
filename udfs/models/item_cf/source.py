"""The source `item-cf`: items that go together with a user's last items.

In: the counts of `neighbours`, which `udfs.ranking.counting` makes from batches. Out: evidence by
item for the ranker, similar items, reasons; and rows that the item learners share (`wire`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from udfs.models.item_cf import reason_kernels as reason_kernels
from udfs.models.item_cf.evidence_kernels import Pairs
from udfs.models.item_cf.neighbours import Neighbours
from udfs.models.model import Model, Shop
from udfs.models.options import ItemCF

_REASONS = 2  # history items named as reasons for a list item


class TakenTogether(Model):
    """See the module."""

    def __init__(self, shop: Shop, options: ItemCF | None = None) -> None:
        super().__init__(shop, options)
        self.neighbours = Neighbours(options)
        self.tables = (self.neighbours,)

    def evidence(self, thread: int) -> Pairs:
        """Read-only, so all threads share it."""
        return self.neighbours.pairs

    def explain(self, slots: NDArray[np.int32], items: NDArray[np.int32]) -> NDArray[np.int32]:
        """The history items that contributed most to the score."""
        return self.neighbours.explain(self.shop.users, slots, items, _REASONS)[0]
