"""One item shard in memory: its items, their neighbours, the shared parameters.

In: messages of the user learners, rows of state. Out: rows to write back, and the
changes since they were last published. Always equal to the rows in state plus the messages in the
inbox.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from udfs.feed import parameters
from udfs.feed.changes import Changes
from udfs.feed.deltas import Deltas, Touched, apply_deltas, pack_deltas, unpack_deltas
from udfs.feed.mark_kernels import SEVERAL
from udfs.feed.marks import FOLD, NEW, PAIRS, SEND, SNAP, Marks
from udfs.feed.parameters import Parameters, Shared
from udfs.feed.reader import put_counts
from udfs.feed.unsent import Unsent
from udfs.memory.catalogue import Catalogue
from udfs.memory.popularity_kernels import SPANS
from udfs.models.item_cf.feed_rows import PairRows, read_short
from udfs.models.item_cf.neighbours import Neighbours, Row, Windows
from udfs.models.item_cf.short_rows import shorten
from udfs.models.item_cf.taking_back import is_back, take_back, unpack_back
from udfs.models.item_cf.wire import (
    Counted,
    KeyIndex,
    PackedRows,
    apply_pairs,
    pack_rows,
    read_row,
    split_pairs,
)
from udfs.models.settings import Settings
from udfs.state.records import read_rows

CHUNK = 256  # items in one field of the snapshot
_CHANGED = FOLD | SEND | SNAP


class Cut(NamedTuple):
    """What of a shard differs from the rows in state, as of one moment.

    Attributes:
        items, rows: int32[n], and the bytes of their records, one after the other.
        counted, pairs: int32[r], and their rows of pairs. parameters: all shared ones.
    """

    items: NDArray[np.int32]
    rows: NDArray[np.uint8]
    counted: NDArray[np.int32]
    pairs: PackedRows
    parameters: Parameters


class ItemShard:
    """See the module.

    Args:
        follow: whether replicas follow its changes.

    Attributes:
        neighbours: row k belongs to slot k of the catalogue; neighbours are numbers of `index`.
        shared: the parameters that user learners share, in the first shard only.
        changed: whether anything differs from the last snapshot.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        neighbours: Neighbours,
        shared: Shared | None,
        index: KeyIndex,
        half_life_ms: float,
        follow: bool = True,
    ) -> None:
        self.catalogue, self.neighbours, self.shared = catalogue, neighbours, shared
        self._index, self._half_life_ms = index, half_life_ms
        catalogue.attach(neighbours, slots=False)
        self.marks = catalogue.attach(Marks(), slots=False)
        self._unsent = Unsent(catalogue, neighbours, self.marks, index) if follow else None
        self._whole = {False: True, True: True}  # items, pairs: whether all chunks are stale
        self.changed = True

    @staticmethod
    def compile(options: Settings) -> None:
        """Compile all kernels that a message calls, or load them from Numba's cache, beforehand."""
        dimensions = options.model.dimensions
        catalogue = Catalogue(dimensions, 0, 2)
        one = np.zeros(1, np.int32)
        gains, starts = np.ones(1, np.float32), np.array([0, 1], np.int32)
        pair = Windows(1, one, one, one, gains, starts, one + 1, one.astype(np.uint8))
        touched = Touched(
            keys=np.ones(2, np.uint64),
            names=dict(enumerate("ab")),
            change=np.zeros((2, 2 * dimensions + 4), np.float32),
            weight=np.ones(2),
            weight_at=np.ones(2),
            events=np.ones(2, np.int64),
            sums=np.ones((2, len(SPANS))),
            shards=np.zeros(2, np.int32),
        )
        pairs = split_pairs(pair, touched.keys, touched.shards, 1)
        message = pack_deltas(touched, 0, pairs, {})[0]
        trial = ItemShard(catalogue, Neighbours(options.item_cf), None, KeyIndex(), 1.0)
        trial.apply(message)
        trial.changes(1, 1)
        trial.cut()
        for number, _ in trial.stale(pairs=True):
            rows = trial.chunk(number, pairs=True)[1]
            put_counts(catalogue, trial.neighbours, read_short(rows))  # what replicas do

    def load(
        self, items: Mapping[str, bytes], pairs: Mapping[str, bytes], shared: Parameters
    ) -> None:
        """Take rows and shared parameters from state.

        Raises:
            ServiceError: they have another version or are damaged.
        """
        data = b"".join(items.values())
        self.catalogue.put_rows(
            list(items), read_rows(data, self.catalogue.dtype, "the items in state")
        )
        slots = self.catalogue.find(list(pairs)).tolist()
        for slot, (name, stored) in zip(slots, pairs.items(), strict=True):
            row = read_row(stored, f"what was taken with {name!r}")
            if slot >= 0:
                numbers = self._index.numbers(row.keys)
                self.neighbours.put_row(slot, Row(row.clock, row.weight, numbers, row.values))
        self.marks.flags[: self.catalogue.size] |= NEW
        if self.shared is not None:
            self.shared.put(shared)

    def wind(self, rows: Iterable[bytes], messages: Iterable[bytes]) -> None:
        """Age the counts to the clock before `messages`, the last that packed `rows` contain: no
        other row may have been counted as late."""
        clock = max((read_row(row, "a row of pairs").clock for row in rows), default=0)
        told = [unpack_deltas(message).pairs for message in messages if not is_back(message)]
        self.neighbours.age(clock - sum(pairs.learned for pairs in told if pairs is not None))

    def apply(self, *messages: bytes, now_ms: int = 0) -> int:
        """Apply messages as one; returns how many changes of items they had."""
        changed = 0
        for back, group in groupby(messages, is_back):
            if back:
                self._take_back(group, now_ms)
            else:
                changed += self._apply([*group], now_ms)
        self.changed = True
        return changed

    def _take_back(self, messages: Iterable[bytes], now_ms: int) -> None:
        """Lower the counts of what forgotten users have taken; every replica gets these rows."""
        for history in map(unpack_back, messages):
            rows, names = self.catalogue.known(history.keys), self._index.numbers(history.keys)
            changed = take_back(self.neighbours, history, rows, names)
            self.marks.flags[changed] |= _CHANGED << PAIRS
            if self._unsent is not None:
                self._unsent.note_pairs(changed, now_ms)

    def _apply(self, messages: Sequence[bytes], now_ms: int) -> int:
        told = [unpack_deltas(message) for message in messages]
        known = self.catalogue.size
        applied = apply_deltas(told, self.catalogue, self._half_life_ms)
        flags = self.marks.flags
        flags[known : self.catalogue.size] |= NEW
        changed = applied.slots[applied.slots >= 0]
        flags[changed] |= _CHANGED
        counted = self._count(told)
        if self._unsent is not None:
            self._unsent.note(told, applied, counted, now_ms)
        if self.shared is not None:
            self.shared.add(parameters.total([message.parameters for message in told]))
        return len(changed)

    def _count(self, told: list[Deltas]) -> Counted | None:
        pairs = [message.pairs for message in told if message.pairs is not None]
        if not pairs:
            return None
        counted = apply_pairs(pairs, self.neighbours, self._index, self.catalogue.known)
        self.marks.flags[counted.rows] |= _CHANGED << PAIRS
        return counted

    @property
    def unfolded(self) -> bool:
        """Whether anything differs from the rows in state."""
        return bool((self._flags & (FOLD | FOLD << PAIRS)).any())

    @property
    def _flags(self) -> NDArray[np.uint8]:
        return self.marks.flags[: self.catalogue.size]

    def cut(self) -> Cut:
        """What has changed since the last call, for state."""
        items, counted = self._marked(FOLD), self._marked(FOLD << PAIRS)
        self._flags[:] &= 0xFF ^ (FOLD | FOLD << PAIRS)
        rows = self.catalogue.rows(items).view(np.uint8)
        pairs = pack_rows(self.neighbours, counted, self._index.keys)
        return Cut(items, rows, counted, pairs, self.parameters)

    def _marked(self, flag: int) -> NDArray[np.int32]:
        return np.flatnonzero(self._flags & flag).astype(np.int32)

    @property
    def parameters(self) -> Parameters:
        """All shared parameters, if this is the shard that has them."""
        return {} if self.shared is None else self.shared.values

    @property
    def waiting(self) -> bool:
        """Whether anything has changed that `changes` has not returned since."""
        shared_changed = self.shared is not None and self.shared.changed
        return shared_changed or (self._unsent is not None and self._unsent.waiting())

    def changes(self, room: int, pairs_room: int, now_ms: int = 0) -> list[Changes]:
        """What replicas do not have and should get now, oldest changes first; see `Unsent.take`."""
        found = [] if self._unsent is None else self._unsent.take(room, pairs_room, now_ms)
        shared = self.shared.take_changed(now_ms) if self.shared is not None else {}
        if shared:
            if not found or found[-1].besides != SEVERAL:
                found.append(Changes())  # what one need not read stays apart
            found[-1] = found[-1]._replace(parameters=shared)
        return found

    def stale(self, *, pairs: bool) -> list[tuple[int, bool]]:
        """The chunks that differ from the snapshot: numbers, and whether of pairs or of items.

        Args:
            pairs: whether pairs are wanted; if not, their changes wait.
        """
        found = []
        for kind in (False, True) if pairs else (False,):
            flag = SNAP << PAIRS if kind else SNAP
            slots = np.arange(self.catalogue.size) if self._whole[kind] else self._marked(flag)
            found += [(int(number), kind) for number in np.unique(slots // CHUNK)]
        return found

    def whole(self, *, pairs: bool) -> bool:
        """Whether the snapshot has nothing that may stay; afterwards, it counts as emptied."""
        found, self._whole[pairs] = self._whole[pairs], False
        return found

    def chunk(self, number: int, *, pairs: bool) -> tuple[NDArray[np.int32], PairRows]:
        """The living items of a chunk of the snapshot, or their rows of pairs instead."""
        part = slice(number * CHUNK, min((number + 1) * CHUNK, self.catalogue.size))
        flags, c = self.marks.flags[part], self.catalogue
        slots = (np.flatnonzero(c.alive[part]) + part.start).astype(np.int32)
        if not pairs:
            # What has not been sent yet is named in the log too.
            flags[c.alive[part] & (flags & SEND == 0)] &= 0xFF ^ NEW
            flags &= 0xFF ^ SNAP
            return slots, PairRows()
        flags &= 0xFF ^ (SNAP << PAIRS)
        rows = slots[self.neighbours.counts[slots] > 0]
        return slots[:0], shorten(self.neighbours, rows, c.keys[rows], self._index.keys)

    def admit(self, items: Sequence[str], now_ms: int) -> None:
        """Know items that have metadata: they are published, and are as fresh as if they had been
        taken now."""
        known = self.catalogue.size
        slots = self.catalogue.slots(items)
        slots = slots[slots >= 0]
        flags, seen = self.marks.flags, self.catalogue.seen
        flags[slots[slots >= known]] |= NEW
        flags[slots] |= _CHANGED
        seen[slots] = np.maximum(seen[slots], now_ms)
        self.changed = self.changed or len(slots) > 0

    def forget_snapshot(self) -> None:
        """Assume that there is no snapshot, so that the next one is whole."""
        self.changed = True
        self._whole = {False: True, True: True}

    def idle(self, before_ms: int) -> bool:
        """Whether any item was last seen before `before_ms`."""
        c = self.catalogue
        return bool((c.alive[: c.size] & (c.seen[: c.size] < before_ms)).any())

    def expire(self, before_ms: int) -> list[str]:
        """Drop the items last seen before `before_ms`; returns their ids."""
        living = self.catalogue.living_slots()
        expired = self.catalogue.expire(before_ms)
        gone = living[~self.catalogue.alive[living]]
        self.changed = self.changed or len(gone) > 0
        self.marks.flags[gone] = NEW | SNAP | SNAP << PAIRS
        return expired

    def compact(self) -> None:
        """Free the slots of expired items; everything must be folded."""
        self.catalogue.compact()
        self.forget_snapshot()
