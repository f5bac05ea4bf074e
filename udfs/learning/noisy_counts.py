"""The counts of an item shard that may be published: of each day, with noise added once.

In: contributions of users (`udfs.learning.contributions`), days of the wall clock. Out: rows of
state, of the open days and of the sums of closed ones; the sums, in Redis, for the user learners.

The key of the noise is drawn at random when the shard begins, and kept in its state: whatever is
restored draws the same noise again, and who starts anew draws other noise (docs/decisions/noise.md
says why it is no option).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from udfs.errors import ServiceError
from udfs.events.batch import item_key
from udfs.models.popular.noise import DAY_MS, day_of, laplace, scale
from udfs.models.popular.noised import DECAY, HALF_LIVES, Sums, pack_sums
from udfs.options.privacy import GRACE_MS
from udfs.state.handles import Cell, Rows
from udfs.state.item_records import fields_of, unpack_record
from udfs.stores.redis_feed import RedisFeed

_FARTHEST = 400
"""Days without a closing, after a long stop, of which the noise is drawn one by one: of those
before nothing is left in any sum."""
_VERSION = 1


class _Shard(msgspec.Struct, array_like=True):
    """Of a shard. key: of the noise. day: the last that is closed."""

    version: int
    key: bytes
    day: int


class _Row(msgspec.Struct, array_like=True):
    """Of an item. open: counts by day. sums: by `HALF_LIVES`; none before the first closing."""

    version: int = _VERSION
    open: dict[int, int] = {}
    sums: list[float] = []


_R = TypeVar("_R", _Shard, _Row)
_encode = msgspec.msgpack.Encoder().encode
_shards, _rows = msgspec.msgpack.Decoder(_Shard), msgspec.msgpack.Decoder(_Row)


class NoisyCounts:
    """See the module; `rows`, `cell` and `metadata` are scoped to the shard.

    Args:
        metadata: what lines said of the shard's items. shard: its number. epsilon: above 0.
    """

    def __init__(
        self, rows: Rows, cell: Cell, metadata: Rows, feed: RedisFeed, shard: int, epsilon: float
    ) -> None:
        self._rows, self._cell, self._metadata = rows, cell, metadata
        self._feed, self._number, self._scale = feed, shard, scale(epsilon)
        self._shard = _Shard(_VERSION, b"", 0)

    def load(self, now_ms: int) -> None:
        """Take the shard from its state, or begin it: today is its first day.

        Raises:
            ServiceError: a newer release wrote it, or it is damaged.
        """
        if (stored := self._cell.value()) is not None:
            self._shard = _checked(_shards, stored)
            self.write()
            return
        self._shard = _Shard(_VERSION, secrets.token_bytes(32), day_of(now_ms) - 1)
        self._cell.update(_encode(self._shard))

    def take(self, day: int, changes: Mapping[str, int]) -> None:
        """Add to the counts of a day; of one that is closed, nothing."""
        if day <= self._shard.day:
            return
        changed = {}
        for item, more in changes.items():
            row = _row(self._rows.get(item))
            row.open[day] = row.open.get(day, 0) + more
            changed[item] = row
        self._put(changed)

    @property
    def next_ms(self) -> int:
        """When the next day is to be closed, ms."""
        return (self._shard.day + 2) * DAY_MS + GRACE_MS

    def close(self, day: int) -> list[str]:
        """Close all days up to one: each item's count gets its noise, whether or not anybody took
        it, and is added to the sums. Returns the items that lines describe, which have sums.

        An item counts from the first closing at which lines describe it; what is not described
        loses its counts.
        """
        items = [item for item, data in self._metadata.items() if _described(item, data)]
        last = self._shard.day
        if day <= last:
            return items
        rows = {item: _row(data) for item, data in self._rows.items()}
        kept = [rows.get(item) or _row(None) for item in items]
        sums = np.array([row.sums or [0.0] * len(HALF_LIVES) for row in kept], np.float64)
        sums = sums.reshape(-1, len(HALF_LIVES))
        first = max(last + 1, day - _FARTHEST)
        sums *= DECAY ** (first - last - 1)
        for one in range(first, day + 1):
            sums = sums * DECAY + self._noisy(items, kept, one)[:, None]
        later = {
            item: {at: n for at, n in row.open.items() if at > day} for item, row in rows.items()
        }
        written = {item: _Row(open=some) for item, some in later.items() if some}
        for item, values in zip(items, sums.tolist(), strict=True):
            written[item] = _Row(open=later.get(item, {}), sums=values)
        self._put(written)
        for item in rows.keys() - written.keys():
            self._rows.remove(item)
        self._shard.day = day
        self._cell.update(_encode(self._shard))
        self.write()
        return items

    def _noisy(self, items: list[str], rows: list[_Row], day: int) -> NDArray[np.int64]:
        counts = np.array([row.open.get(day, 0) for row in rows], np.int64)
        return counts + laplace(self._shard.key, items, day, self._scale)

    def write(self) -> None:
        """Tell the user learners the sums."""
        rows = [(item, _row(data)) for item, data in self._rows.items()]
        closed = [(item_key(item), row.sums) for item, row in rows if row.sums]
        keys = np.array([key for key, _ in closed], np.uint64)
        sums = np.array([values for _, values in closed], np.float32)
        packed = pack_sums(Sums(self._shard.day, keys, sums.reshape(-1, len(HALF_LIVES))))
        self._feed.put_noised(self._number, packed)

    def _put(self, rows: Mapping[str, _Row]) -> None:
        self._rows.put_all({item: _encode(row) for item, row in rows.items()})


def _described(item: str, data: bytes) -> bool:
    return "deleted" not in fields_of(unpack_record(data, f"the metadata of item {item!r}"))


def _row(data: bytes | None) -> _Row:
    return _Row(open={}) if data is None else _checked(_rows, data)


def _checked(decoder: msgspec.msgpack.Decoder[_R], data: bytes) -> _R:
    """A value of state.

    Raises:
        ServiceError: it has another form, or is damaged.
    """
    try:
        found = decoder.decode(data)
    except msgspec.MsgspecError as error:
        raise ServiceError(
            f"the noisy counts of an item shard are damaged: {error}. Restore an earlier "
            "checkpoint."
        ) from error
    if found.version != _VERSION:
        raise ServiceError(
            f"the noisy counts of an item shard are stored in form {found.version}, this millirec "
            f"reads form {_VERSION}: restore with the release that wrote them."
        )
    return found
