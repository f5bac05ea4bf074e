"""The versioned bytes of users and items, in Flink's state and in the item feed.

In: columns of the caches; out: one fixed-size record each, little endian, that a fixture test pins.
A record begins with its version and its number of factors, so a reader can refuse what it does not
know before it reads on. Sizes: `d` factors, a user record of 296 + 4d bytes, an item record of
40 + 4d bytes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from udfs.errors import ServiceError
from udfs.kernels import PAGE

VERSION = 1


def user_dtype(d: int) -> np.dtype[np.void]:
    """A user: events learned, event time and wall clock of the last (ms), history, bias, factor.

    `recent[:fill]` are the keys (`item_key`) of the history page being filled; the pages `first` to
    `sealed` − 1 are full and stand in the history state.
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
            ("bias", "<f4"),
            ("reserved", "<u4"),
            ("factor", "<f4", (d,)),
            ("recent", "<u8", (PAGE,)),
        ]
    )


def item_dtype(d: int) -> np.dtype[np.void]:
    """An item: events, wall clock of the last (ms), decayed popularity, its time (ms), factor."""
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
            ("factor", "<f4", (d,)),
        ]
    )


def read_rows(data: bytes, dtype: np.dtype[np.void], what: str) -> NDArray[np.void]:
    """Records of `dtype` from bytes, checked; a copy with what is not finite in it set to 0.

    Raises:
        ServiceError: another version, another number of factors, or a length that does not fit.
    """
    d = dtype["factor"].shape[0]
    if len(data) >= 4:
        version, found = data[0], int.from_bytes(data[2:4], "little")
        if version != VERSION:
            raise ServiceError(
                f"{what} is stored in form {version}, this millirec reads form {VERSION}: "
                "restore with the release that wrote it, or start without the old state."
            )
        if found != d:
            raise ServiceError(
                f"{what} was stored with {found} factors but model.dimensions is {d}: set "
                f"model.dimensions = {found}, or start without the old state."
            )
    if len(data) % dtype.itemsize:
        raise ServiceError(
            f"{what} has {len(data)} bytes, not a multiple of {dtype.itemsize}: it is damaged; "
            "restore an earlier checkpoint."
        )
    rows = np.frombuffer(data, dtype).copy()
    if (rows["version"] != VERSION).any() or (rows["d"] != d).any():
        raise ServiceError(
            f"{what} has a record that begins unlike the first: it is damaged; restore an earlier "
            "checkpoint."
        )
    for column in {"factor", "bias", "popularity", "popularity_at"} & set(dtype.names or ()):
        np.nan_to_num(rows[column], copy=False, nan=0.0, posinf=0.0, neginf=0.0)
    return rows
