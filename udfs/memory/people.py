"""What users in memory say of themselves: a table attached to `Users`.

In: the numbers of a user's segments, and what a questionnaire says is liked. Out: both by slot.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from udfs.memory.columns import Table, column

SEGMENTS = 8
"""Segments of a user."""


class Profiles(Table):
    """See the module.

    Attributes:
        segments: int32[U, SEGMENTS], −1 where there are fewer.
        known: bool[U], whether the user's record was looked for.
        likes: what the user in a slot likes: items, `category:…`, `provider:…`.
    """

    segments = column(np.int32, (SEGMENTS,), fill=-1)
    known = column(np.bool_)

    def __init__(self) -> None:
        super().__init__(64)
        self.likes: dict[int, tuple[str, ...]] = {}

    def put(self, slot: int, segments: list[int], likes: tuple[str, ...]) -> None:
        """Set what is known of the user in `slot`."""
        own = [number for number in segments if number >= 0][:SEGMENTS]
        self.segments[slot] = -1
        self.segments[slot, : len(own)] = own
        self.known[slot] = True
        self.likes.pop(slot, None)
        if likes:
            self.likes[slot] = likes

    def of(self, slot: int) -> list[int]:
        """The segments of a user."""
        found = self.segments[slot]
        numbers: list[int] = found[found >= 0].tolist()
        return numbers

    def clear(self, slots: NDArray[np.integer[Any]] | int) -> None:
        """Forget users."""
        super().clear(slots)
        for slot in np.atleast_1d(np.asarray(slots)).tolist() if self.likes else ():
            self.likes.pop(slot, None)
