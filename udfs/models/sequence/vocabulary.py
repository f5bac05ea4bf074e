"""Where the items of a sequence model are in the catalogue.

In: the keys of the model's items, and the catalogue as it grows and moves. Out: the row of each
slot, and the slot of each row.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from udfs.memory.catalogue import Catalogue
from udfs.memory.columns import Table, column
from udfs.models.sequence.network import SequenceNetwork


class Vocabulary(Table):
    """A table to attach to the catalogue. Also items of histories that are not alive have a row:
    their users looked at them.

    Attributes:
        row: int32[I], of the model's vocabulary, 0: the model does not know the item.
        slot: int32[V], of the catalogue, −1: nobody has met the item.
    """

    row = column(np.int32)

    def __init__(self) -> None:
        super().__init__()
        self.slot = np.full(1, -1, np.int32)
        self._network: SequenceNetwork | None = None
        self._looked = 0

    def follow(self, network: SequenceNetwork, catalogue: Catalogue) -> None:
        """Bring the table up to date with the model and with new items."""
        if network is not self._network:
            self._network, self._looked = network, 0
            self.slot = np.full(len(network.vectors), -1, np.int32)
        begin, end = self._looked, catalogue.size
        if begin == end:
            return
        keys = catalogue.keys[begin:end]
        at = np.searchsorted(network.keys, keys).clip(max=len(network.keys) - 1)
        rows = np.where(network.keys[at] == keys, network.rows[at], np.int32(0))
        self.row[begin:end] = rows
        known = np.flatnonzero(rows)
        self.slot[rows[known]] = (begin + known).astype(np.int32)
        self._looked = end

    def clear(self, slots: NDArray[np.integer[Any]] | int) -> None:
        """Nothing: which row an item has depends on its id, which an expired item keeps."""

    def renumber(self, place: NDArray[np.int32]) -> None:
        """Slots have moved: look at all of them again."""
        self._network = None
