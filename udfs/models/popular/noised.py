"""What is popular and trending by counts with noise: all that is published where `privacy.epsilon`
is set.

In: sums of each day's noisy counts, as the item learners have closed them. Out: orders of items for
the lists that everybody may read. They follow from the noisy counts and from what lines say of
items alone, so they cost no more of the budget; of the exact counts nothing is looked at.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from udfs.errors import ServiceError
from udfs.memory.catalogue import Catalogue
from udfs.memory.columns import Table, column
from udfs.models.popular.noise import scale, variance
from udfs.models.popular.trending import LEAST_SURPRISE, surprise

HALF_LIVES = np.array([28.0, 2.0])
"""Days, of the sum that is popular and of the one that is compared with it for what is trending.
Each day brings its noise: in a longer sum, more of it cancels."""
DECAY: NDArray[np.float64] = 2.0 ** (-1.0 / HALF_LIVES)
"""What is left of sums after a day."""
_VERSION = 1

Order = tuple[NDArray[np.int32], NDArray[np.float32]]
"""Slots, the best first, int32[m], and their scores as shares of the first one's, float32[m]."""


class Sums(NamedTuple):
    """Of one item shard: the last day in the sums; uint64[n], `item_key` of each item; float32[n,
    2], by `HALF_LIVES`."""

    day: int
    keys: NDArray[np.uint64]
    sums: NDArray[np.float32]


class _Packed(msgspec.Struct, array_like=True):
    version: int
    day: int
    keys: bytes
    sums: bytes


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Packed).decode


def pack_sums(sums: Sums) -> bytes:
    """The sums of a shard, for the user learners."""
    keys, values = sums.keys.astype("<u8").tobytes(), sums.sums.astype("<f4").tobytes()
    return _encode(_Packed(_VERSION, sums.day, keys, values))


def read_sums(data: bytes) -> Sums:
    """What `pack_sums` packed.

    Raises:
        ServiceError: the bytes have another form, or are damaged.
    """
    try:
        found = _decode(data)
    except msgspec.MsgspecError as error:
        raise ServiceError(str(error)) from error
    if found.version != _VERSION or len(found.keys) % 8 or len(found.keys) != len(found.sums):
        raise ServiceError(
            f"it has form {found.version}, {len(found.keys)} and {len(found.sums)} bytes"
        )
    values = np.frombuffer(found.sums, "<f4").reshape(-1, len(HALF_LIVES))
    return Sums(found.day, np.frombuffer(found.keys, "<u8"), np.nan_to_num(values))


class Noised(Table):
    """The sums of a replica's items: a table to attach to the catalogue.

    Attributes:
        sums: float32[I, 2], by `HALF_LIVES`. there: bool[I], whether a day was closed with the
            item.
    """

    sums = column(np.float32, (2,))
    there = column(np.bool_)

    def __init__(self, catalogue: Catalogue, epsilon: float) -> None:
        super().__init__()
        self._catalogue = catalogue
        self._variance = variance(scale(epsilon)) / (1.0 - DECAY**2)  # float64[2], of the sums

    def put(self, found: Sums, now_ms: int) -> None:
        """Set the sums of a shard. Its items stay in the catalogue, so that nobody can tell from
        what is left of them that they were taken."""
        c, slots = self._catalogue, self._catalogue.known(found.keys)
        known = slots >= 0
        slots = slots[known]
        self.sums[slots], self.there[slots] = found.sums[known], True
        c.seen[slots] = np.maximum(c.seen[slots], now_ms)

    def popular(self) -> Order:
        """The items with a sum above 0, the largest first."""
        slots = self._listed()
        return _ordered(slots, self.sums[slots, 0], 0.0)

    def trending(self) -> Order:
        """The items with a `surprise` of `LEAST_SURPRISE` or more: chosen of late more than their
        share, by more than noise explains."""
        slots = self._listed()
        before, late = np.maximum(self.sums[slots], 0).astype(np.float64).T
        ratio = late.sum() / max(float(before.sum()), 1.0)
        noise = self._variance[1] + ratio**2 * self._variance[0]
        return _ordered(slots, surprise(before, late, noise), LEAST_SURPRISE)

    def by(self) -> NDArray[np.float32]:
        """By what items are popular, float32[size]; −∞ of those that may be in no list."""
        found = np.full(self._catalogue.size, -np.inf, np.float32)
        slots = self._listed()
        found[slots] = self.sums[slots, 0]
        return found

    def _listed(self) -> NDArray[np.int32]:
        """The items that may be in a list: lines describe them, and they may be shown. By key, for
        the order of slots tells who took what first: it must not decide between equal sums."""
        c = self._catalogue
        found = np.flatnonzero((self.there & c.metadata.described & c.shown)[: c.size])
        return found[np.argsort(c.keys[found])].astype(np.int32)


def _ordered(slots: NDArray[np.int32], by: NDArray[np.floating[Any]], least: float) -> Order:
    chosen = by >= least if least else by > 0
    slots, by = slots[chosen], by[chosen]
    order = np.argsort(-by, kind="stable")
    most = by.max(initial=least) or 1.0
    return slots[order], np.asarray(by[order] / most, np.float32)
