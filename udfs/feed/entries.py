"""One entry of the item feed, as bytes: what `udfs.feed.writer` writes, and every replica reads.

In: MessagePack out of Redis. Out: `FeedRows` and its checked records. This module needs no kernels.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from udfs.errors import ServiceError
from udfs.feed.parameters import Packed
from udfs.state.records import read_rows

VERSION = 3
_READ = (2, VERSION)
PUBLISH_MS = 200
"""How often an item shard publishes its changes. With several machines this is the delay
before the others see a change; an item that changes more often still costs one row in that time.
User learners poll twice as often."""
KEEP_S = 30.0
"""How long the log keeps a change. A reader that was away for half of that time loads the
snapshots, which are written every `feed.snapshot_s`, 10 s. More would only fill Redis, by up to
`feed.megabytes_per_s` for each second."""


class FeedRows(msgspec.Struct, frozen=True, array_like=True):
    """Absolute rows of n items of one shard.

    Attributes:
        epoch: when the item learner that wrote this started, ms. restored: whether it started from
            a checkpoint or savepoint. rows: n records of `item_dtype`.
        counted, pairs: items whose pairs have changed, and their rows as from `wire.pack_row`.
        parameters: float64[P] by name, from the first shard only (see `udfs.feed.parameters`); in
            version 2 only those of the ranker.
    """

    version: int
    shard: int
    epoch: int
    restored: bool
    items: list[str]
    rows: bytes
    counted: Sequence[str] = ()
    pairs: Sequence[bytes] = ()
    parameters: Packed = {}


_decode = msgspec.msgpack.Decoder(FeedRows).decode


def unpack(data: bytes, dtype: np.dtype[np.void]) -> tuple[FeedRows, NDArray[np.void]]:
    """The entry, and its n records of `dtype` (`item_dtype`).

    Raises:
        ServiceError: the entry is damaged, or has another form or number of factors.
    """
    try:
        feed = _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ServiceError(str(error)) from error
    if feed.version not in _READ:
        raise ServiceError(f"it has form {feed.version}, not {_READ[0]} to {VERSION}")
    rows = read_rows(feed.rows, dtype, "an entry of the item feed")
    if len(rows) != len(feed.items) or len(feed.pairs) != len(feed.counted):
        raise ServiceError(
            f"it names {len(feed.items)} and {len(feed.counted)} items but has "
            f"{len(rows)} and {len(feed.pairs)} rows"
        )
    return feed, rows
