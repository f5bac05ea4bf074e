"""No repeats: what a user was shown again and again without an event of the user on it sinks.

In: impressions, events, candidates. Out: values less SINK·max(0, c − (n − 1)), where c is how often
the user saw the item, halved every `rerank.repeats_half_life_s`, and n is `rerank.repeats`; what
the state keeps of each user, as bytes. Only the shop knows what was seen: lists of a shop that
sends no impressions stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import numpy as np
from numpy.typing import NDArray

from udfs.direct import Direct
from udfs.errors import ServiceError
from udfs.memory.columns import Table, column
from udfs.memory.history_kernels import Batch
from udfs.models.model import Shop
from udfs.options.rerank import Rerank
from udfs.ranking.steps import repeat_kernels
from udfs.ranking.steps.candidates import Candidates
from udfs.ranking.steps.repeat_kernels import Seen
from udfs.state.forms import read_form

KEPT = 48
"""Items of a user whose impressions are counted: beyond it, the least is left out."""
OVER = 0.1
"""A count below it is none any more."""
_VERSION = 1


class Impressions(Table):
    """What each user was shown: a table to attach to the users. 580 bytes a user.

    Attributes:
        keys, counts: uint64[U, KEPT], float32[U, KEPT], items by `item_key` and how often each was
            seen, as of `at`; a count of 0: no item. at: int64[U], event time in ms.
        loaded: bool[U], whether the state was asked.
    """

    keys = column(np.uint64, (KEPT,))
    counts = column(np.float32, (KEPT,))
    at = column(np.int64)
    loaded = column(np.bool_)


class _Row(msgspec.Struct, array_like=True):
    """A user in the state: bytes of uint64[k] and float32[k], as of a time in ms."""

    version: int
    at: int
    keys: bytes
    counts: bytes


_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(_Row)


class Repeats:
    """See the module.

    Attributes:
        idle: whether nothing is counted.
    """

    def __init__(self, options: Rerank, shop: Shop) -> None:
        self.idle, self._shop, self._from = not options.repeats, shop, options.repeats
        self._half_life = options.repeats_half_life_s * 1000.0
        self._table = Impressions()
        if not self.idle:
            shop.users.attach(self._table)
        self._changed: set[str] = set()
        self._sink = Direct(repeat_kernels.sink)
        self._see, self._take = Direct(repeat_kernels.see), Direct(repeat_kernels.take)
        if not self.idle:  # compiled before the first impression
            self.see(np.zeros(0, np.int32), np.zeros(0, np.uint64), np.zeros(0, np.int64))

    def _view(self) -> Seen:
        table = self._table
        return Seen(table.keys, table.counts, table.at)

    def weigh(self, candidates: Candidates) -> None:
        """See `udfs.ranking.steps.candidates.Step`."""
        keys, rule = self._shop.catalogue.keys, (float(self._from), self._half_life)
        self._sink(*candidates, keys, self._view(), rule, self._shop.clock_ms)

    def unknown(self, slots: NDArray[np.int32]) -> list[int]:
        """Those of the users in these slots (int32[n]) of whom the state was not asked yet."""
        if self.idle:
            return []
        found: list[int] = slots[~self._table.loaded[slots]].tolist()
        return found

    def recall(self, slot: int, stored: bytes | None) -> None:
        """Know a user by what is in the state; None: nothing.

        Raises:
            ServiceError: it has another form, or is damaged.
        """
        table = self._table
        table.loaded[slot] = True
        if stored is not None:
            row = _unpacked(stored)
            k = min(len(row.counts) // 4, KEPT)
            table.keys[slot, :k] = np.frombuffer(row.keys, "<u8")[:k]
            table.counts[slot, :k] = np.frombuffer(row.counts, "<f4")[:k]
            table.at[slot] = row.at

    def see(
        self, slots: NDArray[np.int32], keys: NDArray[np.uint64], ts: NDArray[np.int64]
    ) -> None:
        """Count n impressions in order: users in the cache, items by `item_key`, ms."""
        given = np.ascontiguousarray(slots, np.int32), keys, np.ascontiguousarray(ts, np.int64)
        self._see(*given, self._view(), self._half_life)
        self._note(slots)

    def count(self, batch: Batch) -> None:
        """Forget that users were shown what they have an event on now."""
        if self.idle:
            return
        took = np.zeros(len(batch.users), np.bool_)
        arrays = np.ascontiguousarray(batch.users), np.ascontiguousarray(batch.items)
        self._take(*arrays, self._shop.catalogue.keys, self._view(), took)
        if took.any():
            self._note(batch.users[took])

    def _note(self, slots: NDArray[np.int32]) -> None:
        self._changed.update(map(self._shop.users.names.__getitem__, slots.tolist()))

    def forget(self, users: Iterable[str]) -> None:
        """Forget what users were shown, also in the state: it may be there from when this was on.
        In memory it goes with the users."""
        self._changed.update(users)

    def changed(self) -> dict[str, bytes | None]:
        """The rows of users that have changed since the last call; None: there is none any more."""
        found, self._changed = self._changed, set()
        return {user: self._packed(self._shop.users.find(user)) for user in found}

    def _packed(self, slot: int) -> bytes | None:
        if slot < 0:
            return None
        counts = self._table.counts[slot]
        k = np.flatnonzero(counts)
        if not len(k):
            return None
        keys, at = self._table.keys[slot, k], int(self._table.at[slot])
        return _encode(_Row(_VERSION, at, keys.tobytes(), counts[k].tobytes()))

    def over(self, stored: bytes) -> bool:
        """Whether what is in the state of a user does not matter any more, as of the newest event.

        Raises:
            ServiceError: as of `recall`.
        """
        row = _unpacked(stored)
        passed = max(self._shop.clock_ms - row.at, 0.0)
        largest = float(np.frombuffer(row.counts, "<f4").max(initial=0.0))
        return self.idle or largest * 0.5 ** min(passed / self._half_life, 1000.0) < OVER


def _unpacked(stored: bytes) -> _Row:
    row = read_form(_decoder, stored, _VERSION, "what a user was shown")
    if len(row.keys) != 2 * len(row.counts) or len(row.counts) % 4:
        raise ServiceError(
            "what a user was shown is damaged: its parts have different lengths. Restore an "
            "earlier checkpoint."
        )
    return row
