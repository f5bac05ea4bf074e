"""Item-based collaborative filtering that learns from each event: the neighbours of every item.

In: batches of event rows, the history pages of `Users`, rows of state. Out: ranked candidates
`(slots, scores)` as in `udfs.ranking`, the history items behind them, rows to keep. No Flink in
here. The formulas stand in `neighbour_kernels.count` and `neighbour_kernels.rank`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from udfs import neighbour_kernels as kernels
from udfs.catalogue import Catalogue
from udfs.ranking import Ranked
from udfs.users import Users


class NeighbourSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How pairs are counted and scored.

    Attributes:
        neighbours: K, the most neighbours an item keeps; 8·K bytes an item.
        window, window_decay, floor: an event is paired with the last `window` items of its user,
            the one d before it with weight exp(−(d − 1) / window_decay) + floor.
        backward: what the pair counts from the later item to the earlier one, 0 or more.
        span: learned events after which a count weighs 1/e; infinite: nothing is forgotten.
        recent, position_decay: a list is made from the last `recent` items of its user, the k-th
            newest (from 0) with weight exp(−k / position_decay).
        shrink, target_power, source_power: a count is divided by (n + shrink)^power of the item it
            speaks for and of the history item that it comes from.
    """

    neighbours: int = 200
    window: int = 50
    window_decay: float = 3.0
    floor: float = 0.3
    backward: float = 1.0
    span: float = float("inf")
    recent: int = 30
    position_decay: float = 8.0
    shrink: float = 4.0
    target_power: float = 0.5
    source_power: float = 0.6


class Row(NamedTuple):
    """What an item has counted, as at `clock` learned events: neither gain nor room show in it.

    Attributes:
        weight: n, the decayed sum of the weights of the item's events.
        slots, values: int32[k], float32[k], k ≤ K, its neighbours in the row's order.
    """

    clock: int
    weight: float
    slots: NDArray[np.int32]
    values: NDArray[np.float32]


class Windows(NamedTuple):
    """Events with what each is paired with; the arrays as in `neighbour_kernels.count`.

    Attributes:
        learned: how many events the batch taught, also those that are left out here.
    """

    learned: int
    order: NDArray[np.int32]
    heads: NDArray[np.int32]
    gains: NDArray[np.float32]
    starts: NDArray[np.int32]
    others: NDArray[np.int32]
    distances: NDArray[np.uint8]


class Neighbours:
    """The neighbours of all catalogue slots, at most K each.

    Attributes:
        ids, values, lengths: int32[I, K], float32[I, K], int32[I]: neighbours by row and g·count.
        counts: float64[I], g·n.
        clock: events learned. log_gain: log2 of g, 0 to 32.
    """

    def __init__(self, settings: NeighbourSettings | None = None, room: int = 256) -> None:
        self.settings = s = settings or NeighbourSettings()
        self.growth = float(np.log2(np.e)) / s.span
        self.clock, self.log_gain = 0, 0.0
        self._batch = self._call = 0
        distance = np.arange(s.window) / s.window_decay
        self._forward = (np.exp(-distance) + s.floor).astype(np.float32)
        self._position = np.exp(-np.arange(s.recent) / s.position_decay)
        self._latest = np.full(0, -1, np.int32)
        self._allocate(room)

    def _allocate(self, room: int) -> None:
        width = self.settings.neighbours
        self.ids = np.zeros((room, width), np.int32)
        self.values = np.zeros((room, width), np.float32)
        self.lengths = np.zeros(room, np.int32)
        self.counts = np.zeros(room, np.float64)
        self._stamp = np.zeros(room, np.int64)
        self._damping = np.zeros(room, np.float32)
        self._damped = np.zeros(room, np.int64)
        self._total = np.zeros(room, np.float32)
        self._found = np.zeros(room, np.int32)
        self._shown = np.zeros(room, np.int32)

    def reserve(self, room: int) -> None:
        """Make room for the slots below `room`; doubles, so that growing costs little per slot."""
        if room <= len(self.counts):
            return
        ids, values, lengths, counts = self.ids, self.values, self.lengths, self.counts
        self._allocate(max(room, 2 * len(counts)))
        self._batch = self._call = 0
        self.ids[: len(ids)], self.values[: len(ids)] = ids, values
        self.lengths[: len(ids)], self.counts[: len(ids)] = lengths, counts

    @property
    def gain(self) -> float:
        """g, the weight of an event learned now."""
        return float(2.0**self.log_gain)

    def windows(
        self, users: Users, event_users: NDArray[np.int32], event_items: NDArray[np.int32],
        weights: NDArray[np.float32], flags: NDArray[np.uint8],
    ) -> Windows:  # fmt: skip
        """What n events are paired with, before `kernels.remember` puts them into the pages.

        Args:
            event_users, event_items: int32[n], cache slots and catalogue slots (−1: none).
            weights, flags: float32[n], uint8[n] (1: consumed), as in `EventBatch`.
        """
        if len(self._latest) < len(users.tail):
            self._latest = np.full(len(users.tail), -1, np.int32)
        n, reach = len(event_users), self.settings.window
        heads, gains = np.empty(n, np.int32), np.empty(n, np.float32)
        starts = np.empty(n + 1, np.int32)
        others, distances = np.empty(n * reach, np.int32), np.empty(n * reach, np.uint8)
        m = kernels.windows(
            event_users, event_items, weights, flags,
            users.tail, users.fill, users.older, users.pages, reach, self._latest,
            heads, gains, starts, others, distances,
        )  # fmt: skip
        p = starts[m]
        order = np.arange(m, dtype=np.int32)
        return Windows(m, order, heads[:m], gains[:m], starts[: m + 1], others[:p], distances[:p])

    def count(
        self, windows: Windows, head_rows: NDArray[np.int32], other_rows: NDArray[np.int32]
    ) -> NDArray[np.int32]:
        """Learn events from what they are paired with.

        Args:
            head_rows, other_rows: the rows of `windows.heads` and `windows.others`, −1 where an
                item is not of this model; rows beyond the room must have been reserved.

        Returns: int32[r], the distinct rows that have changed.
        """
        self._batch += 1
        w, s = windows, self.settings
        touched = np.empty(min(len(self.counts), len(w.heads) + len(w.others)), np.int32)
        rows, self.log_gain = kernels.count(
            w.order, head_rows, w.heads, w.gains, w.starts, other_rows, w.others, w.distances,
            self.ids, self.values, self.lengths, self.counts, self.log_gain, self.growth,
            self._forward, np.float32(s.backward), self._stamp, self._batch, touched,
        )  # fmt: skip
        self._advance(self.clock + w.learned)
        return touched[:rows]

    def learn(
        self, users: Users, catalogue: Catalogue, event_users: NDArray[np.int32],
        event_items: NDArray[np.int32], weights: NDArray[np.float32], flags: NDArray[np.uint8],
    ) -> Windows:  # fmt: skip
        """Learn n events in order as one who has all items; arguments as for `windows`."""
        self.reserve(catalogue.size)
        windows = self.windows(users, event_users, event_items, weights, flags)
        self.count(windows, windows.heads, windows.others)
        return windows

    def rank(
        self, users: Users, catalogue: Catalogue, slots: NDArray[np.int32], n: int, exclude: bool
    ) -> Ranked:
        """The `n` items with the largest s / (1 + s) for each user in `slots`.

        A list is shorter where the history has fewer neighbours.

        Args:
            exclude: leave out what a user has consumed.
        """
        self.reserve(catalogue.size)
        self._call += 1
        s = self.settings
        items = np.empty((len(slots), n), np.int32)
        scores = np.empty((len(slots), n), np.float32)
        kernels.rank(
            slots, exclude, users.tail, users.fill, users.older, users.pages,
            self.ids, self.values, self.lengths, self.counts, catalogue.alive,
            self.gain, s.shrink, s.target_power, s.source_power, self._position,
            self._damping, self._damped, self._call, self._total, self._found, items, scores,
        )  # fmt: skip
        found = items >= 0
        scores[found] /= 1 + scores[found]
        return items, scores

    def explain(
        self, users: Users, slots: NDArray[np.int32], items: NDArray[np.int32], most: int = 3
    ) -> Ranked:
        """The history items that gave most of the score of each item of lists shown.

        Args:
            slots, items: int32[rows], int32[rows, N]: users and their lists, as from `rank`.

        Returns: int32[rows, N, most] and float32[rows, N, most]: slots, −1 where there are fewer,
            and their shares of the score, 0 to 1, the largest first.
        """
        s = self.settings
        reasons = np.empty((*items.shape, most), np.int32)
        shares = np.empty((*items.shape, most), np.float32)
        kernels.explain(
            slots, items, users.tail, users.fill, users.older, users.pages,
            self.ids, self.values, self.lengths, self.counts,
            self.gain, s.shrink, s.source_power, self._position, self._shown, reasons, shares,
        )  # fmt: skip
        return reasons, shares

    def get_row(self, slot: int) -> Row:
        """What the item in `slot` has counted."""
        length, gain = self.lengths[slot], self.gain
        values = (self.values[slot, :length] / gain).astype(np.float32)
        return Row(self.clock, self.counts[slot] / gain, self.ids[slot, :length].copy(), values)

    def put_row(self, slot: int, row: Row) -> None:
        """Set the item in `slot` to what `row` says, aged by what has been learned since.

        A row of a later clock moves the clock there. Of a row longer than K the largest stay.
        """
        self.reserve(max(slot, int(row.slots.max(initial=0))) + 1)
        if row.clock > self.clock:
            self._advance(row.clock)
        gain = 2.0 ** (self.log_gain - (self.clock - row.clock) * self.growth)
        slots, values = row.slots, row.values
        if len(slots) > self.settings.neighbours:
            kept = np.sort(np.argsort(-values, kind="stable")[: self.settings.neighbours])
            slots, values = slots[kept], values[kept]
        self.lengths[slot], self.counts[slot] = len(slots), row.weight * gain
        self.ids[slot, : len(slots)] = slots
        self.values[slot] = 0
        self.values[slot, : len(slots)] = values * gain

    def _advance(self, clock: int) -> None:
        """Let all counts age to `clock`."""
        self.log_gain += (clock - self.clock) * self.growth
        self.clock = clock
        whole = np.floor(self.log_gain / kernels.STEP) * kernels.STEP
        if whole > 0:
            self.values *= np.float32(2.0**-whole)
            self.counts *= 2.0**-whole
            self.log_gain -= whole

    def clear(self, slots: NDArray[np.integer[Any]]) -> None:
        """Forget what the items in `slots` have counted: expired ones."""
        self.lengths[slots], self.counts[slots], self.values[slots] = 0, 0, 0

    def compact(self, slots: NDArray[np.integer[Any]]) -> Neighbours:
        """New neighbours where slot k is what `slots[k]` is here; all other items are left out."""
        fresh = Neighbours(self.settings, max(256, len(slots)))
        fresh.clock, fresh.log_gain = self.clock, self.log_gain
        place = np.full(len(self.counts), -1, np.int32)
        place[slots] = np.arange(len(slots), dtype=np.int32)
        for new, old in enumerate(slots.tolist()):
            length = self.lengths[old]
            moved = place[self.ids[old, :length]]
            kept = moved >= 0
            fresh.lengths[new] = end = int(kept.sum())
            fresh.ids[new, :end] = moved[kept]
            fresh.values[new, :end] = self.values[old, :length][kept]
            fresh.counts[new] = self.counts[old]
        return fresh
