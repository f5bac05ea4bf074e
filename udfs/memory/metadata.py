"""What a user learner knows of items besides events, as columns beside those of the catalogue.

In: the metadata of items, as the item learners tell it. Out: which items may be shown at a moment,
and columns for sources and rules: 54 bytes for each slot of the catalogue.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from udfs.memory.columns import Table, column

GROUPS = 4
"""An item's first three categories, and its provider."""
CATEGORY, PROVIDER = "category:", "provider:"
"""How the names of groups begin."""
NEVER = 2**62
"""The time, in ms, of what never happens."""


class Metadata(Table):
    """A row for each slot of the catalogue.

    Attributes:
        described: bool[I], whether there is metadata of the item. at: int64[I], its newest time.
        allowed: bool[I], whether it may be shown between `published` and `expires`, int64[I], ms.
        groups: int32[I, GROUPS], numbers of `labels`; −1: none.
        price: float32[I]; NaN: none. boost: float32[I], the logarithm of what the item's chance is
            multiplied by. bits: uint32[I], the rules that hold for it.
        labels: the names of all groups, such as "category:books" and "provider:acme".
        changes_at: when the next item comes to be shown, or not any more, by itself, ms.
    """

    described = column(np.bool_)
    at = column(np.int64)
    allowed = column(np.bool_)
    published = column(np.int64)
    expires = column(np.int64)
    groups = column(np.int32, (GROUPS,), fill=-1)
    price = column(np.float32, fill=float("nan"))
    boost = column(np.float32)
    bits = column(np.uint32)

    def __init__(self) -> None:
        super().__init__()
        self.labels: list[str] = []
        self._numbers: dict[str, int] = {}
        self.changes_at = NEVER

    def label(self, name: str) -> int:
        """The number of a group, a new one for a name that is new."""
        number = self._numbers.setdefault(name, len(self.labels))
        if number == len(self.labels):
            self.labels.append(name)
        return number

    def number(self, name: str) -> int:
        """The number of a group; −1 if no item was ever in it."""
        return self._numbers.get(name, -1)

    def group(self, categories: Sequence[str], provider: str) -> list[int]:
        """A row of `groups`."""
        most = GROUPS - 1
        found = [self.label(CATEGORY + name) for name in categories[:most]]
        found += [-1] * (most - len(found))
        return [*found, self.label(PROVIDER + provider) if provider else -1]

    def put(self, slots: NDArray[np.int32], **columns: Any) -> None:
        """Set rows to n values of each column; all of them are described from now on."""
        for name, values in columns.items():
            getattr(self, name)[slots] = values
        self.described[slots] = True

    def may_be_shown(self, slots: NDArray[Any], now_ms: int) -> NDArray[np.bool_]:
        """Whether lists may have each of these items at a time, bool[n]: those that are not
        described may be shown."""
        within = (self.published[slots] <= now_ms) & (now_ms < self.expires[slots])
        shown: NDArray[np.bool_] = ~self.described[slots] | (self.allowed[slots] & within)
        return shown

    def show(
        self,
        slots: NDArray[np.integer[Any]],
        now_ms: int,
        alive: NDArray[np.bool_],
        shown: NDArray[np.bool_],
    ) -> NDArray[np.integer[Any]]:
        """Set `shown` of these slots; returns those of them that changed.

        Args:
            alive, shown: bool[I], columns of the catalogue.
        """
        now = alive[slots] & self.may_be_shown(slots, now_ms)
        changed: NDArray[np.integer[Any]] = slots[now != shown[slots]]
        shown[slots] = now
        return changed

    def look(self, size: int, now_ms: int) -> NDArray[np.intp]:
        """Those of the first `size` slots that have metadata, and `changes_at` as of now."""
        slots = np.flatnonzero(self.described[:size])
        times = np.concatenate([self.published[slots], self.expires[slots]])
        later = times[(times > now_ms) & np.tile(self.allowed[slots], 2)]
        self.changes_at = int(later.min(initial=NEVER))
        return slots
