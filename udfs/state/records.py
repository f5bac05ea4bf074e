"""The versioned bytes of users and items, in Flink's state and in the item feed.

In: columns of the caches; out: one fixed-size record each, little endian, that a fixture test pins.
A record begins with its version and its number of factors, so a reader can refuse an unknown form
before it reads further. Sizes: `d` factors, a user record of 296 + 4d bytes, an item record of
52 + 8d bytes. Version 1, which had no window of the history, is still read: its bias of a user is
ignored, and the fields that it lacks begin at 0.
"""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from udfs.errors import ServiceError

VERSION = 2
PAGE = 32
"""Consumed items per history page: one page is one row of state."""
_FACTOR_FORM = 1


def user_dtype(d: int) -> np.dtype[np.void]:
    """A user: events learned, event time and wall clock of the last (ms), history, factor, spread.

    `recent[:fill]` are the keys (`item_key`) of the history page being filled, bit k of `disliked`
    marks the k-th as not liked; the pages `first` to `sealed` − 1 are full and are kept in the
    history state. Where ratings are learned by squared error, `spread` is the user's bias.
    """
    return np.dtype(
        [
            ("version", "u1"),
            ("fill", "u1"),
            ("d", "<u2"),
            ("first", "<u4"),
            ("sealed", "<u4"),
            ("events", "<u4"),
            ("last", "<i8"),
            ("seen", "<i8"),
            ("spread", "<f4"),
            ("disliked", "<u4"),
            ("factor", "<f4", (d,)),
            ("recent", "<u8", (PAGE,)),
        ]
    )


def item_dtype(d: int) -> np.dtype[np.void]:
    """An item: events, wall clock of the last (ms), decayed popularity, its time (ms), bias, the
    factors q and y, and the spread of q, y and bias (see `softmax_kernels.learn`;
    of ratings learned by squared error the last is their number, and the others are 0)."""
    return np.dtype(
        [
            ("version", "u1"),
            ("reserved", "u1"),
            ("d", "<u2"),
            ("bias", "<f4"),
            ("events", "<i8"),
            ("seen", "<i8"),
            ("popularity", "<f8"),
            ("popularity_at", "<f8"),
            ("spread", "<f4", (3,)),
            ("factor", "<f4", (d,)),
            ("context", "<f4", (d,)),
        ]
    )


def pack_factor(vector: NDArray[np.float32]) -> bytes:
    """A user's vector v_u, float32[d], as stored in Redis under `factor:<user>`."""
    return msgspec.msgpack.encode((_FACTOR_FORM, vector.astype("<f4").tobytes()))


def read_factor(data: bytes, d: int) -> NDArray[np.float32] | None:
    """The vector of `pack_factor`, float32[d]; None for any other bytes.

    >>> read_factor(pack_factor(np.array([1, 2], np.float32)), 2)
    array([1., 2.], dtype=float32)
    >>> read_factor(b"something else", 2)
    """
    try:
        form, raw = msgspec.msgpack.decode(data, type=tuple[int, bytes])
    except msgspec.DecodeError:
        return None
    if form != _FACTOR_FORM or len(raw) != 4 * d:
        return None
    return np.nan_to_num(np.frombuffer(raw, "<f4"), nan=0.0, posinf=0.0, neginf=0.0)


def _form_1(dtype: np.dtype[np.void]) -> np.dtype[np.void]:
    """The dtype of users or items in version 1."""
    later = {"spread", "disliked", "context"} if "context" in (dtype.names or ()) else set()
    fields = [(name, dtype[name]) for name in dtype.names or () if name not in later]
    renamed = {"spread": "bias", "disliked": "reserved"}  # a user's
    return np.dtype([(renamed.get(name, name), form) for name, form in fields])


def read_rows(data: bytes, dtype: np.dtype[np.void], what: str) -> NDArray[np.void]:
    """Records of `dtype` from bytes of any known version, checked; non-finite numbers read as 0.

    Raises:
        ServiceError: another version, another number of factors, or a length that does not fit.
    """
    d = dtype["factor"].shape[0]
    forms = {1: _form_1(dtype), VERSION: dtype}
    if len(data) >= 4:
        version, found = data[0], int.from_bytes(data[2:4], "little")
        if version not in forms:
            raise ServiceError(
                f"{what} is stored in form {version}, this millirec reads forms 1 to {VERSION}: "
                "restore with the release that wrote it, or start without the old state."
            )
        if found != d:
            raise ServiceError(
                f"{what} was stored with {found} factors but model.dimensions is {d}: set "
                f"model.dimensions = {found}, or start without the old state."
            )
    parts = [np.zeros(0, dtype)]
    at = 0
    while at < len(data):
        form = forms.get(data[at])
        count = 0 if form is None else (len(data) - at) // form.itemsize
        if form is None or not count:
            break
        rows = np.frombuffer(data, form, count, at)
        alike = (rows["version"] == data[at]) & (rows["d"] == d)
        count = count if alike.all() else int(alike.argmin())
        if not count:
            break
        parts.append(_renewed(rows[:count], dtype))
        at += count * form.itemsize
    if at < len(data):
        raise ServiceError(
            f"{what} has {len(data)} bytes, of which those from {at} on are not a whole record: it "
            "is damaged; restore an earlier checkpoint."
        )
    return np.concatenate(parts)


def _renewed(rows: NDArray[np.void], dtype: np.dtype[np.void]) -> NDArray[np.void]:
    """A copy in the newest form, with 0 for missing fields and for non-finite numbers."""
    renewed = np.zeros(len(rows), dtype)
    for name in dtype.names or ():
        if name in (rows.dtype.names or ()):
            renewed[name] = rows[name]
        if renewed.dtype[name].base.kind == "f":
            np.nan_to_num(renewed[name], copy=False, nan=0.0, posinf=0.0, neginf=0.0)
    renewed["version"] = VERSION
    return renewed
