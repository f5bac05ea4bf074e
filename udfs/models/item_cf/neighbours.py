"""Item-based collaborative filtering that learns from each event: the neighbours of every item.

In: batches of event rows, the history pages of `Users`, rows of state. Out: ranked candidates
`(slots, scores)` as in `udfs.models.factors.search`, the history items behind them, rows to keep.
Flink is not used here. For the formulas see `counting_kernels.count` and
`evidence_kernels.gather`.
"""

from __future__ import annotations

from math import floor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from udfs.direct import Direct
from udfs.memory.catalogue import Catalogue
from udfs.memory.columns import Table, column
from udfs.memory.users import Users
from udfs.models.item_cf import counting_kernels, evidence_kernels, row_kernels
from udfs.models.item_cf.arrays import Changed, Counts, Pace
from udfs.models.item_cf.arrays import Windows as Windows
from udfs.models.options import ItemCF
from udfs.models.ranked import Ranked

# The constants of counts and scores (`counting_kernels.count`, `evidence_kernels.gather`): chosen
# on the first half of MovieLens-100K by recall@10, one set for ratings of 5 and all ratings;
# item-cf reaches .176 and .200 with it over the whole stream (docs/models.md). No data set is known
# where other values work better; how much is kept and for how long depends on the shop: the
# options.
WINDOW_DECAY = 3.0
"""After how many items of distance a pair's weight falls to 1/e: items chosen in quick
succession go together most."""
FLOOR = 0.3
"""The minimum that a distant pair counts: tastes outlast a session, which WINDOW_DECAY ignores."""
BACKWARD = 1.0
"""The weight of a pair from the later item to the earlier, relative to the other direction."""
RECENT = 20
"""H, the items of a history that a list is made from; the 20th counts e^(-19/8), a tenth of the
first."""
POSITION_DECAY = 8.0
"""After how many items of a history the weight has fallen to 1/e of the newest item's."""
SHRINK = 4.0
"""Added to each item's number of events, so that a pair seen once counts little."""
TARGET_POWER, SOURCE_POWER = 0.5, 0.6
"""α and β, near the cosine's ½: 0 would favour popular items, 1 rare ones."""

_explain = Direct(evidence_kernels.explain)


class Row(NamedTuple):
    """An item's counts after `clock` learned events, independent of gain and room.

    Attributes:
        weight: n, the decayed sum of the weights of the item's events.
        slots, values: int32[k], float32[k], k ≤ K, its neighbours in the row's order.
    """

    clock: int
    weight: float
    slots: NDArray[np.int32]
    values: NDArray[np.float32]


class Neighbours(Table):
    """The neighbours of all catalogue slots, at most K each: a table to attach to the catalogue.

    Attributes:
        ids, values, lengths: int32[I, K], float32[I, K], int32[I]: neighbours by row, and g·count.
        counts: float64[I], g·n.
        stamp: int64[I], see `Changed`.
        clock: events learned. log_gain: log2 of g, 0 to 32.
    """

    ids = column(np.int32, ("K",), slots=True)
    values = column(np.float32, ("K",))
    lengths = column(np.int32)
    counts = column(np.float64)
    stamp = column(np.int64)
    _shown = column(np.int32)

    def __init__(self, settings: ItemCF | None = None, room: int = 256) -> None:
        self.settings = s = settings or ItemCF()
        super().__init__(room, K=s.neighbours)
        self.growth = float(np.log2(np.e)) / s.span if s.span else 0.0
        self.clock, self.log_gain = 0, 0.0
        self._batch = 0
        distance = np.arange(s.window) / WINDOW_DECAY
        self._forward = (np.exp(-distance) + FLOOR).astype(np.float32)
        self._position = np.exp(-np.arange(RECENT) / POSITION_DECAY)
        self._count = Direct(counting_kernels.count)

    @property
    def gain(self) -> float:
        """g, the weight of an event learned now."""
        return float(2.0**self.log_gain)

    @property
    def table(self) -> Counts:
        """The arrays that the counting kernels change."""
        return Counts(self.ids, self.values, self.lengths, self.counts)

    @property
    def pace(self) -> Pace:
        """What a pair counts now."""
        return Pace(self.log_gain, self.growth, self._forward, np.float32(BACKWARD))

    def next_batch(self) -> int:
        """The number of a batch that is counted now."""
        self._batch += 1
        return self._batch

    def counted(self, log_gain: float, learned: int) -> None:
        """Go on after a batch of `learned` events was counted; log_gain: as the kernel left it."""
        self.log_gain = log_gain
        self._advance(self.clock + learned)

    def count(
        self, windows: Windows, head_rows: NDArray[np.int32], other_rows: NDArray[np.int32]
    ) -> NDArray[np.int32]:
        """Learn events with the items they are paired with.

        Args:
            head_rows, other_rows: the rows of `windows.heads` and `windows.others`, −1 where an
                item does not belong to this model.

        Returns: int32[r], the distinct rows that changed.
        """
        number, heads, others = self.next_batch(), windows.heads, windows.others
        touched = np.empty(min(len(self.counts), len(heads) + len(others)), np.int32)
        changed = Changed(self.stamp, number, touched)
        rows, log_gain = self._count(windows, head_rows, other_rows, self.table, self.pace, changed)
        self.counted(log_gain, windows.learned)
        return touched[:rows]

    @property
    def pairs(self) -> evidence_kernels.Pairs:
        """The arrays that the ranking kernels read."""
        return evidence_kernels.Pairs(
            self.ids,
            self.values,
            self.lengths,
            self.counts,
            2.0**self.log_gain,
            SHRINK,
            TARGET_POWER,
            SOURCE_POWER,
            self._position,
        )

    def similar(self, catalogue: Catalogue, slots: NDArray[np.integer[Any]], n: int) -> Ranked:
        """The `n` living items that go together with each of `slots` most; scores as shares of the
        largest, 0 to 1. A list is shorter if an item has fewer neighbours.
        """
        items = np.empty((len(slots), n), np.int32)
        scores = np.empty((len(slots), n), np.float32)
        evidence_kernels.similar(slots.astype(np.int32), self.pairs, catalogue.shown, items, scores)
        return items, np.maximum(scores / np.maximum(scores[:, :1], np.float32(1e-30)), 0)

    def explain(
        self, users: Users, slots: NDArray[np.int32], items: NDArray[np.int32], most: int = 3
    ) -> Ranked:
        """The history items that gave most of the score of each item of lists shown.

        Args:
            slots, items: int32[rows], int32[rows, N]: users and their lists, as from `rank`.

        Returns: int32[rows, N, most] and float32[rows, N, most]: slots, −1 where there are fewer,
            and their shares of the score, 0 to 1, the largest first.
        """
        reasons = np.empty((*items.shape, most), np.int32)
        shares = np.empty((*items.shape, most), np.float32)
        given = slots, items, users.view, self.pairs, self._shown, reasons, shares
        _explain(*given, varying=(slots, items))
        return reasons, shares

    def get_row(self, slot: int) -> Row:
        """The counts of the item in `slot`."""
        length, gain = self.lengths[slot], self.gain
        values = (self.values[slot, :length].astype(np.float64) / gain).astype(np.float32)
        return Row(self.clock, self.counts[slot] / gain, self.ids[slot, :length].copy(), values)

    def weights(self, slots: NDArray[np.integer[Any]]) -> NDArray[np.float64]:
        """n of the items in `slots`: float64[k]."""
        counted: NDArray[np.float64] = self.counts[slots] / self.gain
        return counted

    def put_row(self, slot: int, row: Row) -> None:
        """Set the item in `slot` to `row`, aged by the events learned since.

        A row with a later clock advances the clock. Of a row longer than K the largest are kept.
        """
        self.age(row.clock)
        gain = 2.0 ** (self.log_gain - (self.clock - row.clock) * self.growth)
        slots, values = row.slots, row.values
        if len(slots) > self.settings.neighbours:
            kept = np.sort(np.argsort(-values, kind="stable")[: self.settings.neighbours])
            slots, values = slots[kept], values[kept]
        self.lengths[slot], self.counts[slot] = len(slots), row.weight * gain
        self.ids[slot, : len(slots)] = slots
        self.values[slot] = 0
        self.values[slot, : len(slots)] = values * gain

    def put_rows(
        self,
        rows: NDArray[np.int32],
        clocks: NDArray[np.int64],
        weights: NDArray[np.float64],
        starts: NDArray[np.int64],
        slots: NDArray[np.int32],
        values: NDArray[np.float32],
    ) -> None:
        """Set many rows at once, as `put_row` does.

        Args:
            rows: int32[r], −1: skipped. clocks, weights: int64[r], float64[r], as in `Row`.
            starts: int64[r + 1], where the neighbours of each stand in `slots`, int32[k], and
                `values`, float32[k]; of a row longer than K the first are kept.
        """
        self.age(int(clocks.max(initial=self.clock)))
        gains = 2.0 ** (self.log_gain - (self.clock - clocks) * self.growth)
        each = np.repeat(gains, np.diff(starts))
        row_kernels.put(
            rows, starts, slots, (values * each).astype(np.float32), weights * gains, self.table
        )

    def age(self, clock: int) -> None:
        """Age all counts to `clock`, if that is later."""
        if clock > self.clock:
            self._advance(clock)

    def _advance(self, clock: int) -> None:
        self.log_gain += (clock - self.clock) * self.growth
        self.clock = clock
        whole = floor(self.log_gain / counting_kernels.STEP) * counting_kernels.STEP
        if whole > 0:
            self.values *= np.float32(2.0**-whole)
            self.counts *= 2.0**-whole
            self.log_gain -= whole

    def renumber(self, place: NDArray[np.int32]) -> None:
        """Follow slots that have moved: a removed neighbour leaves no gap in its row."""
        for row in np.flatnonzero(self.lengths).tolist():
            length = self.lengths[row]
            moved = place[self.ids[row, :length]]
            kept = moved >= 0
            self.lengths[row] = end = int(kept.sum())
            self.ids[row, :end] = moved[kept]
            self.values[row, :end] = self.values[row, :length][kept]
            self.values[row, end:] = 0
