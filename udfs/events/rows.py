"""Events as columns: what a decoded line and a batch have in common.

In: the columns of `udfs.events.columns`. Out: `Events`, with typed access to the built-in columns
and `take`, which works on all of them.
"""

from __future__ import annotations

from operator import itemgetter
from typing import Any, TypeVar

import msgspec
import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from udfs.events.columns import COLUMNS, Values, frozen

CONSUMED = 1
"""Bit 0 of `flags`: the user has consumed the item, so it need not be recommended again."""

CONVERTED = 2
"""Bit 1 of `flags`: the event is one of `CONVERSIONS`; only where lists are attributed."""

Self = TypeVar("Self", bound="Events")


class Events(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """n events in order; every column has n entries.

    Attributes:
        columns: by name, as in `udfs.events.columns.COLUMNS`; a column that is left out is empty
            for every event.
    """

    columns: dict[str, Any]

    def __len__(self) -> int:
        return len(self.columns["users"])

    def column(self, name: str) -> Any:
        """A column by its name: list[str], or an array of shape (n,); do not change it.

        Raises:
            KeyError: no such column is registered.
        """
        found = self.columns.get(name)
        return COLUMNS[name].filled(len(self)) if found is None else found

    @property
    def users(self) -> list[str]:
        """The users' ids."""
        users: list[str] = self.columns["users"]
        return users

    @property
    def items(self) -> list[str]:
        """The items' ids."""
        items: list[str] = self.columns["items"]
        return items

    @property
    def weights(self) -> NDArray[np.float32]:
        """The weight of each event, negative for a dislike: float32, shape (n,), finite."""
        weights: NDArray[np.float32] = self.columns["weights"]
        return weights

    @property
    def flags(self) -> NDArray[np.uint8]:
        """The flags: uint8, shape (n,); see `CONSUMED`."""
        flags: NDArray[np.uint8] = self.columns["flags"]
        return flags

    @property
    def consumed(self) -> NDArray[np.bool_]:
        """Whether each event counts as consumed: bool, shape (n,)."""
        return (self.flags & CONSUMED).astype(np.bool_)

    @property
    def ts(self) -> NDArray[np.int64]:
        """The times: int64, shape (n,), milliseconds since 1970-01-01 UTC."""
        ts: NDArray[np.int64] = self.columns["ts"]
        return ts

    @property
    def ids(self) -> list[str]:
        """The events' own ids, "" where there is none."""
        ids: list[str] = self.column("ids")
        return ids

    @property
    def ratings(self) -> NDArray[np.float32]:
        """The ratings as given: float32, shape (n,), NaN for an event without one, and for all
        events if ratings are not learned."""
        ratings: NDArray[np.float32] = self.column("ratings")
        return ratings

    @property
    def seen(self) -> NDArray[np.bool_]:
        """Which events only tell that an item was seen in a list, bool[n]: those of weight 0 that
        consume nothing and name the list. Nothing is learned of them."""
        seen: NDArray[np.bool_] = (self.weights == 0) & ~self.consumed
        if "recs" not in self.columns:
            seen[:] = False
        elif seen.any():
            seen &= np.fromiter(map(bool, self.column("recs")), np.bool_, len(self))
        return seen

    def take(self: Self, rows: NDArray[Any]) -> Self:
        """The events of some rows, in the order of `rows`: int[m], or bool[n] for those to keep."""
        at = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        places = at.tolist()
        if len(places) > 1:
            pick = itemgetter(*places)
            texts = {name: list(pick(values)) for name, values in self._texts()}
        else:
            texts = {name: [values[n] for n in places] for name, values in self._texts()}
        columns: dict[str, Values] = {
            name: texts[name] if name in texts else frozen(values[at])
            for name, values in self.columns.items()
        }
        return replace(self, columns=columns)

    def _texts(self) -> list[tuple[str, list[str]]]:
        return [(n, values) for n, values in self.columns.items() if isinstance(values, list)]
