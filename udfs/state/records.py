"""The versioned bytes of users and items, in Flink's state and in the item feed.

In: columns of the caches; out: one fixed-size record each, little endian, that a fixture test pins.
A record begins with its version and its number of factors, so a reader can refuse an unknown form
before it reads further. Sizes: `d` factors, a user record of 296 + 4d bytes, an item record of
84 + 8d bytes. Older versions are still read. Version 1 had no window of the history: its bias of a
user is ignored, and the fields that it lacks begin at 0. Version 2 of an item had no `sums`: they
begin at what a steady demand would have left. Up to version 3, y was all that an item is as part of
a history, where it is q + y now (see `put_on_top`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from udfs.errors import ServiceError

USER_VERSION, ITEM_VERSION = 2, 4
PAGE = 32
"""Consumed items per history page: one page is one row of state."""
_FACTOR_FORM = 1
_ON_TOP = 4  # the version from which y is what comes on top of q
_OTHERS_FORMS = 1, 2


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
    factors q and y (as part of a history it is q + y), and the spread of q, y and bias (see
    `softmax_kernels.learn`; of ratings learned by squared error the last is their number, and the
    others are 0); `sums`, its
    popularity at each of `popularity_kernels.SPANS`; `takers`, how many users took it, if they are
    counted: 255 are 255 or more."""
    return np.dtype(
        [
            ("version", "u1"),
            ("takers", "u1"),
            ("d", "<u2"),
            ("bias", "<f4"),
            ("events", "<i8"),
            ("seen", "<i8"),
            ("popularity", "<f8"),
            ("popularity_at", "<f8"),
            ("spread", "<f4", (3,)),
            ("sums", "<f8", (4,)),
            ("factor", "<f4", (d,)),
            ("context", "<f4", (d,)),
        ]
    )


class Others(msgspec.Struct, array_like=True):
    """The other ids of a user, in Flink's state.

    Attributes:
        mixed: how many items the history had when it was last made of those of several ids; the
            first form did not tell: any number.
    """

    form: int
    ids: list[str]
    mixed: int = 2**62


def pack_others(ids: Sequence[str], mixed: int = 0) -> bytes:
    """The other ids of a user as bytes.

    >>> unpack_others(pack_others(["anon-9"], 3))
    Others(form=2, ids=['anon-9'], mixed=3)
    """
    return msgspec.msgpack.encode((_OTHERS_FORMS[-1], ids, mixed))


def unpack_others(data: bytes) -> Others:
    """What `pack_others` wrote.

    Raises:
        ServiceError: they are in another form, or damaged.
    """
    try:
        found = msgspec.msgpack.decode(data, type=Others)
    except msgspec.DecodeError as error:
        raise ServiceError(
            f"the ids of a user are damaged: {error}. Restore an earlier checkpoint."
        ) from error
    if found.form not in _OTHERS_FORMS:
        raise ServiceError(
            f"the ids of a user are stored in form {found.form}, this millirec reads forms up to "
            f"{_OTHERS_FORMS[-1]}: restore with the release that wrote them."
        )
    return found


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


def _forms(dtype: np.dtype[np.void]) -> dict[int, np.dtype[np.void]]:
    """The dtype of users or items in each version."""
    if "context" not in (dtype.names or ()):
        renamed = {"spread": "bias", "disliked": "reserved"}
        fields = [(renamed.get(name, name), dtype[name]) for name in dtype.names or ()]
        return {1: np.dtype(fields), USER_VERSION: dtype}
    return {
        1: _without(dtype, {"spread", "disliked", "context", "sums"}),
        2: _without(dtype, {"sums"}),
        3: dtype,
        ITEM_VERSION: dtype,
    }


def _without(dtype: np.dtype[np.void], later: set[str]) -> np.dtype[np.void]:
    return np.dtype([(name, dtype[name]) for name in dtype.names or () if name not in later])


def put_on_top(y: NDArray[Any], q: NDArray[Any], spread: NDArray[Any] | None = None) -> None:
    """Change `y`, which was all that items are as part of a history, to what they are there besides
    `q`, so that nobody wants anything else. Where factors learn ratings, it still is all: there
    `spread` of q and y is 0.

    Args:
        y, q, spread: floats [n, d] twice, and [n, 3]; None: of a form without, all change.
    """
    learned = slice(None) if spread is None else spread[:, :2].any(axis=1)
    y[learned] -= q[learned]


def read_rows(data: bytes, dtype: np.dtype[np.void], what: str) -> NDArray[np.void]:
    """Records of `dtype` from bytes of any known version, checked; non-finite numbers read as 0.

    Raises:
        ServiceError: another version, another number of factors, or a length that does not fit.
    """
    d = dtype["factor"].shape[0]
    forms = _forms(dtype)
    newest = max(forms)
    if len(data) >= 4:
        version, found = data[0], int.from_bytes(data[2:4], "little")
        if version not in forms:
            raise ServiceError(
                f"{what} is stored in form {version}, this millirec reads forms 1 to {newest}: "
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
        parts.append(_renewed(rows[:count], dtype, newest))
        at += count * form.itemsize
    if at < len(data):
        raise ServiceError(
            f"{what} has {len(data)} bytes, of which those from {at} on are not a whole record: it "
            "is damaged; restore an earlier checkpoint."
        )
    return np.concatenate(parts)


def _renewed(rows: NDArray[np.void], dtype: np.dtype[np.void], newest: int) -> NDArray[np.void]:
    """A copy in the newest form, with 0 for missing fields and for non-finite numbers, sums as they
    would be had demand been steady, and y as what is missing of q."""
    renewed = np.zeros(len(rows), dtype)
    for name in dtype.names or ():
        if name in (rows.dtype.names or ()):
            renewed[name] = rows[name]
        if renewed.dtype[name].base.kind == "f":
            np.nan_to_num(renewed[name], copy=False, nan=0.0, posinf=0.0, neginf=0.0)
    if "sums" in (dtype.names or ()) and "sums" not in (rows.dtype.names or ()):
        renewed["sums"] = steady(renewed["popularity"], renewed["events"])
    if "context" in (dtype.names or ()) and rows["version"][0] < _ON_TOP:
        spread = renewed["spread"] if "spread" in (rows.dtype.names or ()) else None
        put_on_top(renewed["context"], renewed["factor"], spread)
    renewed["version"] = newest
    return renewed


def steady(
    popularity: NDArray[np.floating[Any]], events: NDArray[np.integer[Any]]
) -> NDArray[np.float64]:
    """The sums of items of which only that of a day is known, and the number of their events, if
    demand was steady: float64[n, 4], in proportion to the half-life, up to one for each event.

    >>> steady(np.array([24.0, 1.0]), np.array([1000, 2])).tolist()
    [[1.0, 168.0, 672.0, 1000.0], [0.041666666666666664, 2.0, 2.0, 2.0]]
    """
    most = np.maximum(popularity, events)
    days = np.minimum(np.outer(popularity, (1 / 24, 7.0, 28.0)), most[:, None])
    return np.column_stack([days, most])
