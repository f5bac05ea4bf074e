"""From item keys to numbers, for whole arrays at once: an open-addressing hash table.

In: item keys, uint64. Out: the number of each, int32, in the order in which they first occurred.
Places depend on a random factor of each table, so that nobody can choose ids that collide.
"""

from __future__ import annotations

import secrets
from typing import Any

import numpy as np
from numpy.typing import NDArray

from udfs.memory import key_kernels
from udfs.memory.columns import Table, column
from udfs.memory.slots import distinct


class _Places(Table):
    """The places of the table: a key and its number, −1 if a place is free."""

    keys = column(np.uint64)
    numbers = column(np.int32, fill=-1)


class KeyTable:
    """Numbers of keys, from 0 without a gap; a key keeps its number.

    >>> table = KeyTable()
    >>> numbers, fresh = table.number(np.array([7, 2**63, 7], np.uint64))
    >>> numbers.tolist(), fresh.tolist(), len(table)
    ([0, 1, 0], [7, 9223372036854775808], 2)
    >>> table.find(np.array([2**63, 8], np.uint64)).tolist()
    [1, -1]
    """

    def __init__(self) -> None:
        self._factor = np.uint64(secrets.randbits(64) | 1)
        self._count, self._bits = 0, 8
        self._places = _Places(1 << self._bits)

    def __len__(self) -> int:
        return self._count

    def find(self, keys: NDArray[np.uint64]) -> NDArray[np.int32]:
        """The number of each key, int32[n]; −1 if there is none."""
        found = np.empty(len(keys), np.int32)
        # A copy is writable and contiguous: the kernel is compiled only for such arrays.
        given = np.array(keys, np.uint64)
        places = self._places
        key_kernels.find(given, self._factor, self._bits, places.keys, places.numbers, found)
        return found

    def number(self, keys: NDArray[np.uint64]) -> tuple[NDArray[np.int32], NDArray[np.uint64]]:
        """The number of each key, int32[n], and the new keys, uint64[f], which get the last f
        numbers."""
        found = self.find(keys)
        missing = found < 0
        fresh = distinct(keys[missing])
        if len(fresh):
            known = self._count
            self._put(fresh, np.arange(known, known + len(fresh), dtype=np.int32))
            found[missing] = self.find(keys[missing])
        return found, fresh

    def _put(self, keys: NDArray[np.uint64], numbers: NDArray[np.int32]) -> None:
        self._count += len(keys)
        old = self._places
        if 2 * self._count > old.room:
            self._bits = (2 * self._count).bit_length() + 1
            self._places = _Places(1 << self._bits)
            held = old.numbers >= 0
            self._insert(old.keys[held], old.numbers[held])
        self._insert(keys, numbers)

    def _insert(self, keys: NDArray[Any], numbers: NDArray[Any]) -> None:
        given = np.array(keys, np.uint64), np.array(numbers, np.int32)
        places = self._places
        key_kernels.insert(*given, self._factor, self._bits, places.keys, places.numbers)
