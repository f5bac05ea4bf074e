"""What a step of re-ranking sees: candidates whose chances are logarithms, which it changes.

In: nothing. Out: `Candidates`, and the interface `Step`. A step that weighs items by themselves
adds to their values; one that looks at the rest of the list chooses the next item again and again,
and sets each to what it was worth when it was chosen. As that only falls from one chosen item to
the next, the order of the values is the order of the list.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray


class Candidates(NamedTuple):
    """M ranked candidates for each of n lists.

    Attributes:
        users: int32[n], cache slots; −1 is nobody in particular.
        items: int32[n, M], slots, −1 where a list has ended.
        values: float32[n, M], the logarithm of each one's chance, up to a constant of the list;
            −inf where it has ended. Steps change it.
    """

    users: NDArray[np.int32]
    items: NDArray[np.int32]
    values: NDArray[np.float32]


class Step(Protocol):
    """One step."""

    def weigh(self, candidates: Candidates) -> None:
        """Change the values of candidates, finite ones to finite ones."""
