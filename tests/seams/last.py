"""A toy candidate source and a toy ranker feature, registered in `test_candidates`.

The source `last` has a table of its own: the item that was taken right after each item, by
whoever. It is evidence for that item, and the reason is the item before it. The feature is 1 for
every item with an even number.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

import numpy as np
from msgspec import Meta, Struct

from udfs.compiling import njit
from udfs.memory.columns import Table, column
from udfs.memory.history_kernels import recent
from udfs.models.evidence import line, speaks
from udfs.models.model import Events, Model, Shop
from udfs.ranking import feature_kernels
from udfs.threads import nothing


class LastOptions(Struct, frozen=True, kw_only=True):
    """What came right after."""

    strength: Annotated[float, Meta(description="The evidence of one item.", gt=0, le=9)] = 1.0


class After(Table):
    """The item that was last taken right after each item, and that item plus 1."""

    following = column(np.int32)


class Followed(NamedTuple):
    """What the kernels read."""

    following: Any
    strength: float


@njit(cache=True, nogil=True)
def gather(view, user, history, evidence, touched):
    """The item after the last one."""
    last, following = np.empty(1, np.int32), view.following
    if recent(user, history, 0, last) and last[0] >= 0 and following[last[0]] > 0:
        j = np.uint32(following[last[0]] - 1)
        evidence[j] += np.float32(view.strength)
        touched[line(j)] = 1


@njit(cache=True, nogil=True)
def damp(view, slots, out):
    """No damping."""
    out[:] = 1.0


speaks(Followed, gather, damp)


class Last(Model):
    """See the module."""

    def __init__(self, shop: Shop, options: LastOptions | None = None) -> None:
        super().__init__(shop, options)
        self.after = After()
        self.tables = (self.after,)

    def evidence(self, thread: int) -> Followed:
        return Followed(self.after.following, (self.options or LastOptions()).strength)

    def count(self, events: Events) -> Callable[[], object]:
        w = events.windows
        for k, head in enumerate(w.heads.tolist()):
            if w.starts[k] < w.starts[k + 1]:
                self.after.following[w.others[w.starts[k]]] = head + 1
        return nothing

    def explain(self, slots: Any, items: Any) -> Any:
        reasons = np.full((*items.shape, 1), -1, np.int32)
        for row, column_ in np.argwhere(items >= 0).tolist():
            before = np.flatnonzero(self.after.following == items[row, column_] + 1)
            reasons[row, column_, : len(before[:1])] = before[:1]
        return reasons


class Even(NamedTuple):
    """Nothing is read."""

    one: float


@njit(cache=True, nogil=True)
def price_even(view, slots, out):
    """1 for even slots."""
    for k in range(slots.shape[0]):
        out[k] = view.one * (slots[k] % 2 == 0)


feature_kernels.prices(Even, price_even)
