"""One entry of the item feed, as bytes: what `udfs.feed.reader` writes, and every replica reads.

In: MessagePack out of Redis. Out: `FeedRows` and its checked records. No kernel is needed here.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from udfs.errors import ServiceError
from udfs.state.records import read_rows

VERSION = 2
PUBLISH_MS = 200
"""How often an item shard publishes its changes. With several machines this is how late the news of
one reaches the others; an item that changes more often still costs one row in that time. A user
learner looks twice as often."""
KEEP_S = 30.0
"""How long the log keeps a change. A reader that was away for half of that loads the snapshots, one
of which is written every `feed.snapshot_s`, 10 s; more would only fill Redis, by up to
`feed.megabytes_per_s` for each second."""


def feed_key(prefix: str, kind: str, shard: int) -> str:
    """Where a shard keeps its "snapshot", "pairs" or "epoch"; in a Redis Cluster all on one node.

    >>> feed_key("shop:", "pairs", 3)
    'shop:feed:pairs:{3}'
    """
    return f"{prefix}feed:{kind}:{{{shard}}}"


class FeedRows(msgspec.Struct, frozen=True, array_like=True):
    """Absolute rows of n items of one shard.

    Attributes:
        epoch: when the item learner that wrote this started, ms. restored: whether it started from
            a checkpoint or savepoint. rows: n records of `item_dtype`.
        counted, pairs: items whose pairs have changed, and their rows as from `pairs.pack_row`.
        ranker: float64[2P], the ranker's parameters and AdaGrad's sums; of the first shard only.
    """

    version: int
    shard: int
    epoch: int
    restored: bool
    items: list[str]
    rows: bytes
    counted: Sequence[str] = ()
    pairs: Sequence[bytes] = ()
    ranker: bytes = b""


_decode = msgspec.msgpack.Decoder(FeedRows).decode


def unpack(data: bytes, dtype: np.dtype[np.void]) -> tuple[FeedRows, NDArray[np.void]]:
    """The entry, and its n records of `dtype` (`item_dtype`).

    Raises:
        ServiceError: it is damaged, of another form, or of another number of factors.
    """
    try:
        feed = _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ServiceError(str(error)) from error
    if feed.version != VERSION:
        raise ServiceError(f"it has form {feed.version}, not {VERSION}")
    rows = read_rows(feed.rows, dtype, "an entry of the item feed")
    if len(rows) != len(feed.items) or len(feed.pairs) != len(feed.counted):
        raise ServiceError(
            f"it names {len(feed.items)} and {len(feed.counted)} items but has "
            f"{len(rows)} and {len(feed.pairs)} rows"
        )
    return feed, rows
