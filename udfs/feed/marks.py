"""What is still to be done with the items of a shard: tables attached to its catalogue.

In: slots that have changed. Out: flags, and what was last sent of each item and its pairs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from udfs.feed.mark_kernels import NOBODY, SEVERAL, Copied, Sent
from udfs.memory.columns import Table, column

FOLD, SEND, SNAP = 1, 2, 4
"""Flags of an item: its row differs from the one in state, in the feed, in the snapshot."""
PAIRS = 3
"""The same of its pairs: the flags, shifted by so many bits."""
NEW = 64
"""No snapshot has named the item yet."""
_NEVER = -1e15


class Marks(Table):
    """The flags of each item, uint8[I]."""

    flags = column(np.uint8)


class SentRows(Table):
    """When rows were last sent; the columns are those of `mark_kernels.Sent`."""

    by = column(np.int32, fill=NOBODY)
    besides = column(np.int32, fill=SEVERAL)
    at = column(np.int64, fill=_NEVER)
    whole_at = column(np.int64, fill=_NEVER)
    since = column(np.int64)

    @property
    def sent(self) -> Sent:
        """The columns for kernels."""
        return Sent(self.by, self.besides, self.at, self.whole_at, self.since)

    def to_all(self, rows: NDArray[np.int32], now_ms: int) -> None:
        """Record that rows (int32[n]) that are sent now go to all, also to who changed them."""
        self.besides[rows], self.whole_at[rows] = SEVERAL, now_ms


class SentItems(SentRows):
    """Rows of items, with the values that were sent."""

    q = column(np.float32, ("d",))
    y = column(np.float32, ("d",))
    bias = column(np.float32)
    popularity = column(np.float64)

    @property
    def held(self) -> Copied:
        """The values for kernels."""
        return Copied(self.q, self.y, self.bias, self.popularity)


class SentPairs(SentRows):
    """Rows of pairs, with the sum of their counts (divided by the gain) that was sent, and when:
    `mass` as of the clock `clock`."""

    mass = column(np.float64)
    clock = column(np.int64)
