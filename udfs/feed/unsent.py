"""What of an item shard's changes the replicas do not have yet, and what of that is worth sending.

In: slots as messages change them, with the user learners that sent these. Out: `Changes` for the
item feed (docs/decisions/what-the-feed-carries.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from udfs.feed import mark_kernels
from udfs.feed.changes import Changes
from udfs.feed.deltas import Applied, Deltas
from udfs.feed.mark_kernels import NOBODY, SEVERAL, Copied, Sent, Turn
from udfs.feed.marks import PAIRS, SEND, Marks, SentItems, SentPairs
from udfs.memory.catalogue import Catalogue
from udfs.models.item_cf import row_kernels
from udfs.models.item_cf.neighbours import Neighbours
from udfs.models.item_cf.short_rows import shorten
from udfs.models.item_cf.wire import Counted, KeyIndex
from udfs.state.records import item_dtype

SHARE = 0.05
"""Of the length of an item's factors: what moves less is noise to a list. Learning moves the
factors of a known item by a hundredth in an event."""
PAIRS_SHARE = 0.25
"""Of the counts in a row of pairs: with a quarter more, ranks within it change."""
LATE_MS, PAIRS_LATE_MS = 5_000, 30_000
"""When a change is sent however small it is."""
SETTLE_MS = 1_000
"""The most that changes of a user learner are under way to the owner of an item, as a rule."""
WHOLE_MS = 60_000
"""An item that keeps changing is sent to all at least so often, whoever changes it: that corrects a
replica whose changes were under way for longer."""
_FEW = 8  # a user learner that need not read less than this part of the rows reads all


class _Due(NamedTuple):
    """Rows to send: int32[n], and the only user learner that need not read each, int32[n]."""

    slots: NDArray[np.int32]
    besides: NDArray[np.int32]

    def of(self, besides: int, own: list[int]) -> NDArray[np.int32]:
        """Those that only `besides` need not read; for `SEVERAL`, those of nobody in `own`."""
        chosen = self.besides == besides if besides >= 0 else ~np.isin(self.besides, own)
        found: NDArray[np.int32] = self.slots[chosen]
        return found


class Unsent:
    """See the module.

    Args:
        marks: of the shard's items. index: numbers of neighbours.
    """

    def __init__(
        self, catalogue: Catalogue, neighbours: Neighbours, marks: Marks, index: KeyIndex
    ) -> None:
        self._catalogue, self._neighbours = catalogue, neighbours
        self._marks, self._index = marks, index
        self._items = catalogue.attach(SentItems(d=catalogue.dimensions), slots=False)
        self._pairs = catalogue.attach(SentPairs(), slots=False)

    def note(
        self, told: Sequence[Deltas], applied: Applied, counted: Counted | None, now_ms: int
    ) -> None:
        """Record who changed what.

        Args:
            told: M messages. applied: what they changed. counted: the pairs of those that have any.
        """
        turn = _turn(now_ms, LATE_MS)
        mark_kernels.tag(applied.slots, applied.starts, _origins(told), self._items.sent, turn)
        if counted is not None:
            senders = _origins([message for message in told if message.pairs is not None])
            for rows, at in ((counted.heads, 2), (counted.others, 3)):
                starts = np.concatenate([[0], np.cumsum(counted.sizes[:, at])])
                mark_kernels.tag(rows, starts, senders, self._pairs.sent, turn)

    def note_pairs(self, rows: NDArray[np.int32], now_ms: int) -> None:
        """Record that rows of pairs (int32[n]) were changed for all."""
        sent = self._pairs
        fresh = rows[sent.by[rows] == NOBODY]
        sent.since[fresh] = now_ms
        sent.by[rows] = SEVERAL

    def waiting(self) -> bool:
        """Whether any item or its pairs have changed since they were sent."""
        flags = self._marks.flags[: self._catalogue.size]
        return bool((flags & (SEND | SEND << PAIRS)).any())

    def take(self, room: int, pairs_room: int, now_ms: int) -> list[Changes]:
        """What is to be sent now, the oldest changes first; the rest waits.

        Args:
            room, pairs_room: the maximum bytes of items and of pairs; at least one of each is
                sent. If `pairs_room` is 0, all pairs wait.
        """
        items = self._due_items(room, now_ms)
        pairs = self._due_pairs(pairs_room, now_ms) if pairs_room else _Due(*2 * [_NONE])
        everyone = np.concatenate([items.besides, pairs.besides])
        names, counts = np.unique(everyone[everyone >= 0], return_counts=True)
        own = names[_FEW * counts >= len(everyone)].tolist()
        self._items.to_all(items.of(SEVERAL, own), now_ms)
        self._pairs.to_all(pairs.of(SEVERAL, own), now_ms)
        found = []
        for besides in [*own, SEVERAL]:
            slots, rows = items.of(besides, own), pairs.of(besides, own)
            if len(slots) or len(rows):
                keys = self._catalogue.keys[rows]
                short = shorten(self._neighbours, rows, keys, self._index.keys)
                found.append(Changes(slots, short, besides=besides))
        return found

    def _due_items(self, room: int, now_ms: int) -> _Due:
        c, items, turn = self._catalogue, self._items, _turn(now_ms, LATE_MS)
        waiting = self._waiting(SEND)
        chosen = np.empty(len(waiting), np.bool_)
        owned = Copied(c.q, c.y, c.bias, c.popularity)
        mark_kernels.matter(waiting, owned, items.held, items.since, turn, SHARE, chosen)
        due = _oldest(waiting[chosen], items.since)
        due = due[: max(1, room // item_dtype(c.dimensions).itemsize)]
        mark_kernels.copy(due, owned, items.held)
        return self._hand_over(due, SEND, items.sent, turn)

    def _due_pairs(self, room: int, now_ms: int) -> _Due:
        n, pairs = self._neighbours, self._pairs
        waiting = self._waiting(SEND << PAIRS)
        mass = np.empty(len(waiting))
        row_kernels.masses(waiting, n.table, n.gain, mass)
        known = pairs.mass[waiting] * 2.0 ** -((n.clock - pairs.clock[waiting]) * n.growth)
        late = now_ms - pairs.since[waiting] >= PAIRS_LATE_MS
        due = _oldest(waiting[late | (mass - known > PAIRS_SHARE * mass)], pairs.since)
        sizes = np.cumsum(_HEAD + _NEIGHBOUR * n.lengths[due].astype(np.int64))
        due = due[: max(1, int(np.searchsorted(sizes, room, "right")))]
        mass = np.empty(len(due))
        row_kernels.masses(due, n.table, n.gain, mass)
        pairs.mass[due], pairs.clock[due] = mass, n.clock
        return self._hand_over(due, SEND << PAIRS, pairs.sent, _turn(now_ms, PAIRS_LATE_MS))

    def _waiting(self, flag: int) -> NDArray[np.int32]:
        flags = self._marks.flags[: self._catalogue.size]
        return np.flatnonzero(flags & flag).astype(np.int32)

    def _hand_over(self, due: NDArray[np.int32], flag: int, sent: Sent, turn: Turn) -> _Due:
        self._marks.flags[due] &= 0xFF ^ flag
        besides = np.empty(len(due), np.int32)
        mark_kernels.hand_over(due, sent, turn, besides)
        return _Due(due, besides)


_NONE = np.zeros(0, np.int32)
_HEAD, _NEIGHBOUR = 34, 6  # about the bytes of a row of pairs, as `shorten` packs several


def _origins(told: Sequence[Deltas]) -> NDArray[np.int32]:
    return np.array([message.origin for message in told], np.int32)


def _turn(now_ms: int, late_ms: int) -> Turn:
    return Turn(now_ms, late_ms, SETTLE_MS, WHOLE_MS)


def _oldest(slots: NDArray[np.int32], since: NDArray[np.int64]) -> NDArray[np.int32]:
    """Slots in the order in which they were first changed."""
    found: NDArray[np.int32] = slots[np.argsort(since[slots], kind="stable")]
    return found
