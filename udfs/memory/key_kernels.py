"""The compiled loops of the table of item keys: finding and inserting many keys at once.

In: keys, uint64, and the table's arrays; out: numbers, or the table changed in place. Like
`udfs.memory.history_kernels` they release the interpreter lock and have plain twins in the tests.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

import numpy as np

from udfs.compiling import njit


@njit(cache=True, nogil=True, inline="always")
def _place(key, factor, bits):
    """Where the search for a key begins: multiply and shift (Dietzfelbinger et al. 1997)."""
    return (key * factor) >> np.uint64(64 - bits)


@njit(cache=True, nogil=True)
def find(keys, factor, bits, held, numbers, out):
    """Set `out` (int32[n]) to the numbers of keys (uint64[n]), −1 where there is none.

    Args:
        factor: uint64, odd. bits: int. held, numbers: uint64[2^bits], int32[2^bits], the table;
            −1: a free place.
    """
    last = np.uint64(held.shape[0] - 1)
    for n in range(keys.shape[0]):
        place = _place(keys[n], factor, bits)
        while numbers[place] >= 0 and held[place] != keys[n]:
            place = (place + np.uint64(1)) & last
        out[n] = numbers[place]


@njit(cache=True, nogil=True)
def insert(keys, given, factor, bits, held, numbers):
    """Put keys that are not there, with the numbers given (int32[n]), into the table of `find`."""
    last = np.uint64(held.shape[0] - 1)
    for n in range(keys.shape[0]):
        place = _place(keys[n], factor, bits)
        while numbers[place] >= 0:
            place = (place + np.uint64(1)) & last
        held[place], numbers[place] = keys[n], given[n]
