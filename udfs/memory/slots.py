"""Distinct values in the order of their first occurrence, and a set of slots in that order.

In: arrays in which values may recur. Out: each value once.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T", bound=np.generic)


def distinct(values: NDArray[T]) -> NDArray[T]:
    """Each value of an array of shape (n,) once, in the order of its first occurrence.

    >>> distinct(np.array([7, 3, 7])).tolist()
    [7, 3]
    """
    return values[np.sort(np.unique(values, return_index=True)[1])]


class SlotSet:
    """Distinct slots, in the order in which they were first added.

    >>> slots = SlotSet()
    >>> slots.add(np.array([7, 3, 7], np.int32))
    >>> slots.add(np.array([3, 5], np.int32))
    >>> slots.take(2).tolist(), slots.array.tolist(), len(slots)
    ([7, 3], [5], 1)
    """

    def __init__(self) -> None:
        self._held = np.zeros(256, np.bool_)
        self._parts: list[NDArray[np.int32]] = []
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, slots: NDArray[np.int32]) -> None:
        """Add slots, int32[n], none negative, unless they are already there."""
        most = int(slots.max(initial=-1)) + 1
        if most > len(self._held):
            larger = np.zeros(max(most, 2 * len(self._held)), np.bool_)
            larger[: len(self._held)] = self._held
            self._held = larger
        fresh = slots[~self._held[slots]]
        if not len(fresh):
            return
        fresh = distinct(fresh)
        self._held[fresh] = True
        self._parts.append(fresh)
        self._count += len(fresh)

    @property
    def array(self) -> NDArray[np.int32]:
        """The slots in order, int32[len]."""
        if len(self._parts) != 1:
            self._parts = [np.concatenate([np.zeros(0, np.int32), *self._parts])]
        return self._parts[0]

    def take(self, most: int) -> NDArray[np.int32]:
        """Remove and return the first slots, at most `most`."""
        slots = self.array
        found = slots[:most]
        self._held[found] = False
        self._parts = [slots[most:]]
        self._count -= len(found)
        return found

    def renumber(self, place: NDArray[np.int32]) -> None:
        """Follow slots that have moved: each slot s becomes `place[s]`, or leaves where that is
        −1.

        >>> slots = SlotSet()
        >>> slots.add(np.array([2, 0, 1], np.int32))
        >>> slots.renumber(np.array([-1, 0, 1], np.int32))
        >>> slots.array.tolist()
        [1, 0]
        """
        moved = place[self.take(self._count)]
        self.add(moved[moved >= 0])

    def clear(self) -> None:
        """Leave nothing."""
        self.take(self._count)
