"""The state of an item shard: rows, and the inbox of messages that are not in the rows yet.

In: handles of Flink's state. Out: a shard restored from them; rows written to them in slices, with
the state consistent after each (docs/decisions/item-inbox.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from udfs.feed import parameters
from udfs.feed.parameters import Parameters
from udfs.learning.item_shard import Cut, ItemShard
from udfs.ranking.ranker import RANKER
from udfs.state.handles import Cell, Log, Rows

SLICE = 128  # rows written at once: about a millisecond


class ItemHandles(NamedTuple):
    """The state of the operator `item learner`, by shard; the names are those in Flink.

    Attributes:
        ranker: the ranker's parameters, float64[2P]. shared: all other parameters, MessagePack.
        inbox, inbox2: messages: those that have arrived since the last fold began, and those that
            a fold under way is writing; they change places with each fold. turn: which is which:
            b"2" if inbox2 has the newer ones.
        folded: names of items and of pairs that the fold under way has written, `_Names` packed.
        metadata: records of `udfs.state.item_records`.
        noisy, noise: of `udfs.learning.noisy_counts`, if `privacy.epsilon` is set.
    """

    items: Rows
    pairs: Rows
    layout: Cell
    ranker: Cell
    shared: Cell
    inbox: Log
    inbox2: Log
    turn: Cell
    folded: Log
    metadata: Rows
    noisy: Rows | None = None
    noise: Cell | None = None

    def parameters(self) -> dict[str, bytes]:
        """The shared parameters by name, packed."""
        others = msgspec.msgpack.decode(self.shared.value() or b"\x80", type=dict[str, bytes])
        ranker = self.ranker.value()
        return others | ({RANKER: ranker} if ranker else {})

    def put(self, shared: Parameters) -> None:
        """Write them."""
        packed = parameters.pack(shared)
        if ranker := packed.pop(RANKER, b""):
            self.ranker.update(ranker)
        if packed:
            self.shared.update(msgspec.msgpack.encode(packed))

    @property
    def inboxes(self) -> tuple[Log, Log]:
        """That of newer and that of older messages."""
        pair = self.inbox, self.inbox2
        return pair[::-1] if self.turn.value() == b"2" else pair

    def restore(self, shard: ItemShard) -> int:
        """Load a shard that is empty; returns the bytes of messages that are not in the rows yet.

        Rows that a fold under way had written contain the older messages, the others do not. So
        these are applied to all, and then the rows already written replace what that made of them.
        """
        newer, older = (list(log.get() or ()) for log in self.inboxes)
        names = [_unpack(data) for data in self.folded.get() or ()]
        items, pairs = dict(self.items.items()), dict(self.pairs.items())
        done = {name for some in names for name in some.pairs}
        unfolded = {name: row for name, row in pairs.items() if name not in done}
        shard.load(items, unfolded, parameters.read(self.parameters()))
        if older:
            written = [name for some in names for name in some.items]
            folded = {name: pairs[name] for name in done if name in pairs}
            shard.wind(folded.values(), older)
            shard.apply(*older)
            shard.load({name: items[name] for name in written if name in items}, folded, {})
        if newer:
            shard.apply(*newer)
        if not older:
            return sum(map(len, newer))
        for _ in self.fold(shard):
            pass
        self.inbox.clear()
        self.inbox2.clear()
        return 0

    def fold(self, shard: ItemShard) -> Iterator[None]:
        """Write what has changed to the rows, one slice each time it is continued, and empty the
        inbox of what was in it when it began. All messages must have been applied."""
        cut, older = shard.cut(), self.inboxes[0]
        self.turn.update(b"1" if self.turn.value() == b"2" else b"2")
        slices = list(_slices(cut))
        for n, (items, pairs) in enumerate(slices):
            self._write(shard, cut, items, pairs)
            if n + 1 < len(slices):
                names = _named(shard, cut.items[items]), _named(shard, cut.counted[pairs])
                self.folded.add(msgspec.msgpack.encode(_Names(*names)))
                yield
        self.put(cut.parameters)
        older.clear()
        self.folded.clear()

    def _write(self, shard: ItemShard, cut: Cut, items: slice, pairs: slice) -> None:
        size = shard.catalogue.dtype.itemsize
        names = _named(shard, cut.items[items])
        starts = range(items.start * size, items.stop * size, size)
        rows = {
            name: cut.rows[at : at + size].tobytes()
            for name, at in zip(names, starts, strict=False)
        }
        if rows:
            self.items.put_all(rows)
        names = _named(shard, cut.counted[pairs])
        if names:
            parts = cut.pairs.parts(pairs.start, pairs.start + len(names))
            self.pairs.put_all(dict(zip(names, parts, strict=True)))


class _Names(msgspec.Struct, frozen=True, array_like=True):
    items: list[str]
    pairs: list[str]


_unpack = msgspec.msgpack.Decoder(_Names).decode


def _named(shard: ItemShard, slots: NDArray[np.int32]) -> list[str]:
    return shard.catalogue.names(slots.tolist())


def _slices(cut: Cut) -> Iterator[tuple[slice, slice]]:
    """Which items and which rows of pairs are written together."""
    none = slice(0, 0)
    for begin in range(0, len(cut.items), SLICE):
        yield slice(begin, begin + SLICE), none
    for begin in range(0, len(cut.counted), SLICE):
        yield none, slice(begin, begin + SLICE)
