"""The compiled loop that packs items as records of `udfs.state.records.item_dtype`.

In: the columns of a `Catalogue`. Out: bytes. Like `udfs.memory.history_kernels` it releases the
interpreter lock and is compared with plain NumPy in the tests. Names of sizes: `d` factors, `n`
items.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from udfs.compiling import njit


class Columns(NamedTuple):
    """The columns of a catalogue that are in a record."""

    q: Any
    y: Any
    bias: Any
    spread: Any
    events: Any
    seen: Any
    popularity: Any
    popularity_at: Any
    sums: Any
    takers: Any


@njit(cache=True, nogil=True)
def pack(slots, columns, version, out):
    """Write the records of `slots`: int32[n].

    Args:
        columns: `Columns`. version: of the records.
        out: float32[n, 21 + 2d], set; the bytes of row k are the record of `slots[k]`.
    """
    d = columns.q.shape[1]
    q, y, bias, spread = columns.q, columns.y, columns.bias, columns.spread
    whole, real = np.empty(2, np.int64), np.empty(6, np.float64)
    head = np.empty(1, np.uint32)
    words, halves, first = whole.view(np.float32), real.view(np.float32), head.view(np.float32)
    takers, begin = columns.takers, np.uint32(version) | (np.uint32(d) << np.uint32(16))
    for k in range(slots.shape[0]):
        j = slots[k]
        head[0] = begin | (np.uint32(takers[j]) << np.uint32(8))
        whole[0], whole[1] = columns.events[j], columns.seen[j]
        real[0], real[1] = columns.popularity[j], columns.popularity_at[j]
        for a in range(4):
            real[2 + a] = columns.sums[j, a]
        out[k, 0], out[k, 1] = first[0], bias[j]
        for a in range(4):
            out[k, 2 + a] = words[a]
            out[k, 6 + a] = halves[a]
        for a in range(3):
            out[k, 10 + a] = spread[j, a]
        for a in range(8):
            out[k, 13 + a] = halves[4 + a]
        for f in range(d):
            out[k, 21 + f] = q[j, f]
            out[k, 21 + d + f] = y[j, f]
