"""Packs rows of pairs for the item feed, smaller than they are in state.

In: rows of `Neighbours`. Out: `PairRows`, which `feed_rows` reads.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from udfs.models.item_cf import row_kernels
from udfs.models.item_cf.feed_rows import PART, PairRows
from udfs.models.item_cf.neighbours import Neighbours


def shorten(
    neighbours: Neighbours,
    rows: NDArray[np.int32],
    own: NDArray[np.uint64],
    keys: NDArray[np.uint64],
) -> PairRows:
    """Rows for the item feed.

    Args:
        rows, own: int32[r], uint64[r], rows and the keys of their items. keys: the key of each
            number that neighbours have.
    """
    n = neighbours
    lengths = n.lengths[rows]
    total = int(lengths.sum())
    place, used = np.full(len(keys), -1, np.int32), np.empty(min(total, len(keys)), np.int32)
    heads = np.zeros(len(rows), PART)
    largest = np.empty(len(rows), np.float32)
    numbers, shares = np.empty(total, np.int32), np.empty(total, np.uint16)
    names = row_kernels.shorten(rows, n.table, n.gain, place, used, largest, numbers, shares)
    heads["key"], heads["clock"], heads["weight"] = own, n.clock, n.weights(rows)
    heads["largest"], heads["length"] = largest, lengths
    small = "<u2" if names <= 1 << 16 else "<u4"
    named = keys[used[:names]].tobytes()
    return PairRows(heads.tobytes(), named, numbers.astype(small).tobytes(), shares.tobytes())
