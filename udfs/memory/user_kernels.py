"""The compiled loop that packs users' rows for the state.

In: the columns of `Users`, the pages of `Pages`. Out: the records of `udfs.state.records`. Like
`udfs.memory.history_kernels` it releases the interpreter lock and has a plain twin in the tests.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from udfs.compiling import njit
from udfs.memory.history_kernels import PAGE
from udfs.state.records import USER_VERSION

HEAD = 10
"""Words of 32 bits in a record before the factor."""


class Stored(NamedTuple):
    """What a row holds of U users and H pages, besides their `History`.

    Attributes:
        p, spread: float32[U, d], float32[U]. last, seen, first, sealed: int64[U].
        keys: uint64[I], the `item_key` of each catalogue slot.
    """

    p: Any
    spread: Any
    last: Any
    seen: Any
    first: Any
    sealed: Any
    keys: Any


@njit(cache=True, nogil=True)
def pack_rows(slots, history, stored, out):
    """Write the records of the users in `slots` (int32[n]), little endian.

    Args:
        history, stored: `History` and `Stored`.
        out: uint32[n, HEAD + d + 2·PAGE], set: the records of `user_dtype` in words. A full page
            is in the history state, so such a record has none of it.
    """
    tail, fill, pages, disliked = history.tail, history.fill, history.pages, history.disliked
    events, last, seen, keys = history.events, stored.last, stored.seen, stored.keys
    first, sealed = stored.first, stored.sealed
    p, spread = stored.p.view(np.uint32), stored.spread.view(np.uint32)
    d = p.shape[1]
    for n in range(slots.shape[0]):
        u, row = slots[n], out[n]
        page = tail[u]
        length = fill[u] if page >= 0 and fill[u] < PAGE else 0
        row[0] = USER_VERSION | length << 8 | d << 16
        row[1], row[2], row[3] = first[u], sealed[u], events[u]
        row[4], row[5] = last[u], last[u] >> 32
        row[6], row[7] = seen[u], seen[u] >> 32
        row[8] = spread[u]
        row[9] = disliked[page] if length > 0 else np.uint32(0)
        for f in range(d):
            row[HEAD + f] = p[u, f]
        for k in range(PAGE):
            key = keys[pages[page, k]] if k < length else np.uint64(0)
            row[HEAD + d + 2 * k] = key
            row[HEAD + d + 2 * k + 1] = key >> np.uint64(32)
