"""One item shard in memory: its items, their neighbours, the shared parameters.

In: messages of the user learners, rows of state. Out: rows to write back, and the
changes since they were last published. Always equal to the rows in state plus the messages in the
inbox.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from udfs.feed import parameters
from udfs.feed.changes import Changes
from udfs.feed.deltas import Touched, apply_deltas, pack_deltas, unpack_deltas
from udfs.feed.parameters import Parameters, Shared
from udfs.memory.catalogue import Catalogue
from udfs.memory.slots import SlotSet
from udfs.models.item_cf.neighbours import Neighbours, Row, Windows
from udfs.models.item_cf.wire import (
    PAIR,
    PAIRS_HEAD,
    KeyIndex,
    apply_pairs,
    pack_rows,
    read_row,
    split_pairs,
)
from udfs.models.settings import Settings
from udfs.state.records import read_rows

CHUNK = 256  # items whose pairs are in one field of the snapshot


class ItemShard:
    """See the module.

    Attributes:
        neighbours: row k belongs to slot k of the catalogue; neighbours are numbers of `index`.
        shared: the parameters that user learners share, in the first shard only.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        neighbours: Neighbours,
        shared: Shared | None,
        index: KeyIndex,
        half_life_ms: float,
    ) -> None:
        self.catalogue, self.neighbours, self.shared = catalogue, neighbours, shared
        self._index, self._half_life_ms = index, half_life_ms
        catalogue.attach(neighbours, slots=False)
        self._unfolded, self._uncounted = SlotSet(), SlotSet()
        self._unpublished, self._unpublished_pairs = SlotSet(), SlotSet()
        self._chunks: set[int] = set()
        self._whole = True  # whether the next snapshot must hold all pairs
        self.changed = True

    @staticmethod
    def compile(options: Settings) -> None:
        """Compile all kernels that a message calls, or load them from Numba's cache, beforehand."""
        dimensions = options.model.dimensions
        catalogue = Catalogue(dimensions, 0, 2)
        one = np.zeros(1, np.int32)
        pair = Windows(
            1,
            one,
            one,
            one,
            np.ones(1, np.float32),
            np.array([0, 1], np.int32),
            one + 1,
            one.astype(np.uint8),
        )
        touched = Touched(
            keys=np.ones(2, np.uint64),
            names=dict(enumerate("ab")),
            change=np.zeros((2, 2 * dimensions + 4), np.float32),
            weight=np.ones(2),
            weight_at=np.ones(2),
            events=np.ones(2, np.int64),
            shards=np.zeros(2, np.int32),
        )
        pairs = split_pairs(pair, touched.keys, touched.shards, 1)
        message = pack_deltas(touched, 0, pairs, {})[0]
        trial = ItemShard(catalogue, Neighbours(options.item_cf), None, KeyIndex(), 1.0)
        trial.apply(message)
        trial.fold()
        trial.snapshot()

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
        if self.shared is not None:
            self.shared.put(shared)

    def apply(self, data: bytes) -> int:
        """Apply one message; returns how many items it changed."""
        message = unpack_deltas(data)
        slots = apply_deltas(message, self.catalogue, self._half_life_ms)
        self._unfolded.add(slots)
        self._unpublished.add(slots)
        if message.pairs is not None:
            rows = apply_pairs(message.pairs, self.neighbours, self._index, self.catalogue.known)
            self._uncounted.add(rows)
            self._unpublished_pairs.add(rows)
        if self.shared is not None:
            self.shared.add(parameters.read(message.parameters))
        self.changed = True
        return len(slots)

    @property
    def unfolded(self) -> bool:
        """Whether anything differs from the rows in state."""
        return bool(self._unfolded or self._uncounted)

    def fold(self) -> tuple[dict[str, bytes], dict[str, bytes], Parameters]:
        """The rows of items and of pairs that have changed since the last call, and all shared
        parameters, for state."""
        catalogue = self.catalogue
        slots = self._living(self._unfolded.array)
        data, size = catalogue.rows(slots).tobytes(), catalogue.dtype.itemsize
        names = catalogue.names(slots.tolist())
        items = {name: data[n * size : (n + 1) * size] for n, name in enumerate(names)}
        counted = self._pairs(self._living(self._uncounted.array))
        self._unfolded.clear()
        self._uncounted.clear()
        return items, dict(zip(counted.counted, counted.pairs, strict=True)), self._parameters

    def _living(self, slots: NDArray[np.int32]) -> NDArray[np.int32]:
        living: NDArray[np.int32] = slots[self.catalogue.alive[slots]]
        return living

    def _pairs(self, slots: NDArray[np.int32]) -> Changes:
        rows = pack_rows(self.neighbours, slots, self._index.keys)
        return Changes(self.catalogue.names(slots.tolist()), rows)

    @property
    def _parameters(self) -> Parameters:
        return {} if self.shared is None else self.shared.values

    @property
    def waiting(self) -> bool:
        """Whether anything has changed that `changes` has not returned since."""
        shared_changed = self.shared is not None and self.shared.changed
        return bool(self._unpublished or self._unpublished_pairs or shared_changed)

    def changes(self, room: int, pairs_room: int) -> tuple[NDArray[np.int32], Changes]:
        """The items and pairs that changed since they were last returned, oldest changes first.

        Args:
            room, pairs_room: the maximum bytes of items and of pairs, not counting ids; at least
                one of each is returned, the rest waits. If pairs_room is 0, all pairs wait.
        """
        most = max(1, room // self.catalogue.dtype.itemsize)
        slots = self._living(self._unpublished.take(most))
        changes = Changes()
        if pairs_room:
            counted = self._unpublished_pairs.take(self._fitting(pairs_room))
            self._note_chunks(counted)
            changes = self._pairs(self._living(counted))
        if self.shared is not None:
            changes = changes._replace(parameters=self.shared.take_changed())
        return slots, changes

    def _fitting(self, room: int) -> int:
        """How many of the waiting pairs fit into `room` bytes; at least one."""
        waiting = self._unpublished_pairs.array
        sizes = PAIRS_HEAD + PAIR * self.neighbours.lengths[waiting].astype(np.int64)
        return max(1, int(np.searchsorted(np.cumsum(sizes), room, "right")))

    def _note_chunks(self, slots: NDArray[np.integer[Any]]) -> None:
        self._chunks.update(np.unique(slots // CHUNK).tolist())

    def snapshot(self, *, pairs: bool = True) -> tuple[Parameters, dict[int, Changes], bool]:
        """The shared parameters, the chunks of pairs that have changed since the last call, and
        whether these are all there are.

        Args:
            pairs: whether pairs are wanted; if not, their changes wait.
        """
        if not pairs:
            self.changed = False
            return self._parameters, {}, False
        self._note_chunks(self._unpublished_pairs.array)
        whole, self._whole = self._whole, False
        living = self.catalogue.living_slots().astype(np.int32)
        living = living[self.neighbours.weights(living) > 0]
        numbers = np.unique(living // CHUNK) if whole else np.array(sorted(self._chunks), int)
        chunks = {int(n): self._pairs(living[living // CHUNK == n]) for n in numbers}
        self._chunks.clear()
        self.changed = False
        return self._parameters, chunks, whole

    def forget_snapshot(self) -> None:
        """Assume that there is no snapshot, so that the next one is whole."""
        self.changed = self._whole = True

    def expire(self, before_ms: int) -> list[str]:
        """Drop the items last seen before `before_ms`; returns their ids."""
        living = self.catalogue.living_slots()
        expired = self.catalogue.expire(before_ms)
        gone = living[~self.catalogue.alive[living]]
        self.changed = self.changed or len(gone) > 0
        self._note_chunks(gone)
        return expired

    def compact(self) -> None:
        """Free the slots of expired items; everything must be folded."""
        place = self.catalogue.compact()
        self._unpublished.renumber(place)
        self._unpublished_pairs.renumber(place)
        self._chunks.clear()
        self._whole = True
