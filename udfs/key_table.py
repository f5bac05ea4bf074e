"""From item keys to numbers, for whole arrays at once: an open-addressing hash table.

In: item keys, uint64. Out: the number each was given, int32. The table's places follow from a
random factor of its own, so that nobody can choose ids that collide.
"""

from __future__ import annotations

import secrets
from typing import Any

import numpy as np
from numpy.typing import NDArray

from udfs import key_kernels


class KeyTable:
    """Numbers of keys; a key keeps its number.

    >>> table = KeyTable()
    >>> table.put(np.array([7, 2**63], np.uint64), np.array([0, 5], np.int32))
    >>> table.find(np.array([2**63, 8, 7], np.uint64)).tolist(), len(table)
    ([5, -1, 0], 2)
    """

    def __init__(self) -> None:
        self._factor = np.uint64(secrets.randbits(64) | 1)
        self._count = 0
        self._allocate(8)

    def _allocate(self, bits: int) -> None:
        self._bits = bits
        self._keys = np.zeros(1 << bits, np.uint64)
        self._numbers = np.full(1 << bits, -1, np.int32)

    def __len__(self) -> int:
        return self._count

    def find(self, keys: NDArray[np.uint64]) -> NDArray[np.int32]:
        """The number of each key, int32[n]; −1 where there is none."""
        found = np.empty(len(keys), np.int32)
        # A copy can be written to and lies in one piece: the kernel is compiled for such alone.
        given = np.array(keys, np.uint64)
        key_kernels.find(given, self._factor, self._bits, self._keys, self._numbers, found)
        return found

    def put(self, keys: NDArray[np.uint64], numbers: NDArray[np.int32]) -> None:
        """Give distinct keys that have none a number, int32[n], none negative."""
        self._count += len(keys)
        if 2 * self._count > len(self._keys):
            old, held = self._keys, self._numbers >= 0
            old_numbers = self._numbers
            self._allocate((2 * self._count).bit_length() + 1)
            self._insert(old[held], old_numbers[held])
        self._insert(keys, numbers)

    def _insert(self, keys: NDArray[Any], numbers: NDArray[Any]) -> None:
        given = np.array(keys, np.uint64), np.array(numbers, np.int32)
        key_kernels.insert(*given, self._factor, self._bits, self._keys, self._numbers)
