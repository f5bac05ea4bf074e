"""What the kernels of pairs take: the arrays that belong together, as named tuples.

In: the columns of `Neighbours`, a batch's pairs. Out: views of them. Names of sizes: `I` catalogue
slots, `K` neighbours of an item, `L` history items an event is paired with, `m` events, `p` pairs.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Windows(NamedTuple):
    """Events with what each is paired with.

    Attributes:
        learned: how many events the batch taught, also those that are left out here.
        order: int32[m], ascending, which of them each event is.
        users, heads, gains: int32[m], int32[m], float32[m], cache slot, item and weight (at most
            `counting_kernels.HEAVIEST`) of each.
        starts, others, distances: int32[m + 1], int32[p], uint8[p]: the items paired with event k
            stand from `starts[k]` to `starts[k + 1]`, the newest first, with the distance of each
            less one.
    """

    learned: int
    order: NDArray[np.int32]
    users: NDArray[np.int32]
    heads: NDArray[np.int32]
    gains: NDArray[np.float32]
    starts: NDArray[np.int32]
    others: NDArray[np.int32]
    distances: NDArray[np.uint8]

    @classmethod
    def room(cls, events: int, pairs: int) -> Windows:
        """Room for so many, to be set by a kernel."""
        users, heads = np.empty(events, np.int32), np.empty(events, np.int32)
        order, gains = np.arange(events, dtype=np.int32), np.empty(events, np.float32)
        starts, others = np.empty(events + 1, np.int32), np.empty(pairs, np.int32)
        distances = np.zeros(pairs, np.uint8)  # np.empty may hold bytes of a forgotten user's id
        return cls(events, order, users, heads, gains, starts, others, distances)

    def first(self, learned: int, events: int, pairs: int) -> Windows:
        """The first so many of them."""
        m, p = events, pairs
        return Windows(
            learned,
            self.order[:m],
            self.users[:m],
            self.heads[:m],
            self.gains[:m],
            self.starts[: m + 1],
            self.others[:p],
            self.distances[:p],
        )


class Counts(NamedTuple):
    """What was counted, changed in place.

    Attributes:
        ids, values, lengths: int32[I, K], float32[I, K], int32[I]: C by rows, names of neighbours
            in `ids`. counts: float64[I], n.
    """

    ids: Any
    values: Any
    lengths: Any
    counts: Any


class Pace(NamedTuple):
    """What a pair counts, see `counting_kernels.count`.

    Attributes:
        log_gain, growth: float64, ≥ 0. forward: float32[L]. backward: float32, ≥ 0.
    """

    log_gain: float
    growth: float
    forward: Any
    backward: Any


class Changed(NamedTuple):
    """The rows that a call has changed.

    Attributes:
        stamp: int64[I], `batch` where this call changed a row.
        rows: int32[min(I, m + p)], set to the changed rows.
    """

    stamp: Any
    batch: int
    rows: Any
