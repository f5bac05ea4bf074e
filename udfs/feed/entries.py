"""One entry of the item feed, as bytes: what `udfs.feed.writer` writes, and every replica reads.

In: MessagePack out of Redis. Out: `FeedRows` and its checked records. This module needs no kernels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from udfs.errors import ServiceError
from udfs.feed.parameters import Packed
from udfs.models.item_cf.feed_rows import PairRows
from udfs.state.records import put_on_top, read_rows, steady

VERSION = 6
_READ = (2, VERSION)
PUBLISH_MS = 200
"""How often an item shard publishes its changes. With several machines this is the delay
before the others see a change; an item that changes more often still costs one row in that time.
User learners poll twice as often."""
KEEP_S = 30.0
"""How long the log keeps a change. A reader that was away for half of that time loads the
snapshots, which are written every `feed.snapshot_s`, 10 s. More would only fill Redis, by up to
`feed.megabytes_per_s` for each second."""


_WHOLE = ("popularity_at", "popularity", "bias", "sums")
_HALVES = ("spread", "factor", "context")  # the fields of 16 bits, which come last
_NOT_FINITE = 0x7C00  # the exponent of a float16 that is not


def change_dtype(d: int) -> np.dtype[np.void]:
    """An item in the log: its `item_key` and the fields of `item_dtype`, with half of their
    bytes; those of 16 bits come last."""
    return np.dtype(
        [
            ("key", "<u8"),
            ("seen", "<i8"),
            ("popularity_at", "<f8"),
            ("popularity", "<f4"),
            ("events", "<u4"),
            ("bias", "<f4"),
            ("sums", "<f4", (4,)),
            ("spread", "<f2", (3,)),
            ("factor", "<f2", (d,)),
            ("context", "<f2", (d,)),
        ]
    )


def _form_4(d: int) -> np.dtype[np.void]:
    """The same in version 4, which had no sums."""
    form = change_dtype(d)
    return np.dtype([(name, form[name]) for name in form.names or () if name != "sums"])


class FeedRows(msgspec.Struct, frozen=True, array_like=True):
    """Absolute rows of items of one shard.

    Attributes:
        epoch: when the item learner that wrote this started, ms. restored: whether it started from
            a checkpoint or savepoint.
        items, rows: in a snapshot, ids and records of `item_dtype`.
        counted, pairs: only in versions 2 and 3: items, and their rows as from `wire.pack_row`.
        parameters: float64[P] by name, from the first shard only (see `udfs.feed.parameters`); in
            version 2 only those of the ranker.
        changed: in the log, m records of `change_dtype`, in version 4 without sums, up to 5 with y
            as in version 3 of `item_dtype`. factors: d of these.
        new, names: int32[k], which of them a replica may not know yet, and their ids.
        counts: rows of pairs.
        takers: uint8[m], see `item_dtype`; empty: they are not counted.
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
    factors: int = 0
    changed: bytes = b""
    new: bytes = b""
    names: Sequence[str] = ()
    counts: PairRows = PairRows()
    takers: bytes = b""


class Read(NamedTuple):
    """An entry, checked: its n records of `item_dtype` and its m of `change_dtype`."""

    feed: FeedRows
    rows: NDArray[np.void]
    changed: NDArray[np.void]


_decode = msgspec.msgpack.Decoder(FeedRows).decode


def unpack(data: bytes, dtype: np.dtype[np.void]) -> Read:
    """The entry; `dtype` is the `item_dtype` of the reader. Non-finite numbers read as 0.

    Raises:
        ServiceError: the entry is damaged, or has another form or number of factors.
    """
    try:
        feed = _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ServiceError(str(error)) from error
    if not _READ[0] <= feed.version <= VERSION:
        raise ServiceError(f"it has form {feed.version}, not {_READ[0]} to {VERSION}")
    rows = read_rows(feed.rows, dtype, "an entry of the item feed")
    if len(rows) != len(feed.items) or len(feed.pairs) != len(feed.counted):
        raise ServiceError(
            f"it names {len(feed.items)} and {len(feed.counted)} items but has "
            f"{len(rows)} and {len(feed.pairs)} rows"
        )
    changed = _changed(feed, dtype["factor"].shape[0])
    if feed.takers and len(feed.takers) != len(changed):
        raise ServiceError(f"it has {len(changed)} changed items but {len(feed.takers)} counts")
    return Read(feed, rows, changed)


def _changed(feed: FeedRows, d: int) -> NDArray[np.void]:
    form = _form_4(d) if feed.version <= 4 else change_dtype(d)
    new = np.frombuffer(feed.new, "<i4") if len(feed.new) == 4 * len(feed.names) else None
    if feed.changed and feed.factors != d:
        raise ServiceError(f"it has {feed.factors} factors, not {d}")
    count, rest = divmod(len(feed.changed), form.itemsize)
    if rest or new is None or new.min(initial=0) < 0 or new.max(initial=-1) >= count:
        raise ServiceError(f"its {len(feed.changed)} bytes of changed items do not fit")
    changed = np.frombuffer(bytearray(feed.changed), form)
    halves: NDArray[np.uint16] = changed.view("<u2").reshape(count, form.itemsize // 2)
    larger = form.itemsize - sum(form[name].itemsize for name in _HALVES)
    exponents = halves[:, larger // 2 :] & _NOT_FINITE
    if feed.version <= 4:
        changed = _with_sums(changed, d)
    for name in [*_WHOLE, *_HALVES] if (exponents == _NOT_FINITE).any() else _WHOLE:
        np.nan_to_num(changed[name], copy=False, nan=0.0, posinf=0.0, neginf=0.0)
    if feed.version <= 5:
        put_on_top(changed["context"], changed["factor"], changed["spread"])
    return changed


def _with_sums(changed: NDArray[np.void], d: int) -> NDArray[np.void]:
    """Records of version 4, with sums."""
    renewed = np.zeros(len(changed), change_dtype(d))
    for name in changed.dtype.names or ():
        renewed[name] = changed[name]
    renewed["sums"] = steady(changed["popularity"], changed["events"])
    return renewed
