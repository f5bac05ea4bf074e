"""How often each segment took each item early on, in a table of bounded size.

In: events with the numbers of their segments; absolute counts of all learners. Out: counts as of
now; what was added since the last message. Items share buckets by a hash of their ids, see
`udfs.models.popular.first`.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from udfs.models.popular.first import BUCKETS, Taken, weight
from udfs.models.segments.names import EARLY

MOST, MOST_OF_NAME = 256, 64
"""Segments in all, and of one name: a country has a place, the millionth postal code has not."""


class Counts:
    """The counts of one subtask; row 0 is that of `EARLY`."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._numbers: dict[str, int] = {}
        self._of_name: Counter[str] = Counter()
        self._taken: list[Taken] = []
        self.number(EARLY)

    @property
    def some(self) -> bool:
        """Whether any segment is known."""
        return len(self.names) > 1

    def number(self, name: str) -> int:
        """The number of a segment, a new one if it is not known yet; −1: there is no room."""
        found = self._numbers.get(name, -1)
        kind = name.partition(":")[0]
        if found >= 0 or len(self.names) >= MOST or self._of_name[kind] >= MOST_OF_NAME:
            return found
        self._of_name[kind] += 1
        self._numbers[name] = number = len(self.names)
        self.names.append(name)
        self._taken.append(Taken())
        return number

    def add(self, numbers: list[int], place: int, at_ms: float) -> None:
        """Count an event in bucket `place` for each of these segments."""
        value = weight(at_ms)
        for number in numbers:
            self._taken[number].add(place, value)

    def added(self) -> dict[str, NDArray[np.float64]]:
        """What was added since the last call, by name: float64[BUCKETS]."""
        each = zip(self.names, self._taken, strict=True)
        return {name: sums for name, one in each if (sums := one.added()) is not None}

    def put(self, name: str, sums: NDArray[np.float64]) -> None:
        """Set the sums of a segment, as `Taken.put` does."""
        number = self.number(name) if len(sums) == BUCKETS else -1
        if number >= 0:
            self._taken[number].put(sums)

    def now(self, number: int, now_ms: float) -> NDArray[np.float64]:
        """The decayed counts of a segment, float64[BUCKETS], in events of this moment."""
        return self._taken[number].now(now_ms)

    def get(self, name: str) -> int:
        """The number of a segment, −1 if it is not known."""
        return self._numbers.get(name, -1)
