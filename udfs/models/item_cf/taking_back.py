"""Takes back what a user who is forgotten has added to the counts of what is taken together.

In: the user's history, which is read once more before it is deleted. Out: a message for the item
learners, without the user; rows of neighbours with lower counts. A history says in which order
items were taken, so it says which pairs were counted, and at which distance. It does not say with
which weight, nor when: `weight` is the least that the shop's events have, 0 where there is none;
where counts fade, they are left to fade; so is what a person took under several ids before these
were joined (docs/decisions/forgetting.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from udfs.errors import ServiceError
from udfs.events.places import fold
from udfs.models.item_cf.counting_kernels import HEAVIEST
from udfs.models.item_cf.neighbours import BACKWARD, Neighbours

_MARK = b"B"  # no other message of the job's edges begins with it
_VERSION, _OLD_VERSION = 2, 1


class History(NamedTuple):
    """The items that a user has taken, the first one first: uint64[m], `item_key` of each; bool[m],
    whether it was liked; with which weight each is taken back; and how many of the first ones came
    from several ids: of them alone nothing is taken back."""

    keys: NDArray[np.uint64]
    liked: NDArray[np.bool_]
    weight: float
    mixed: int = 0


class _Packed(msgspec.Struct, array_like=True):
    """The message; the old version has no `mixed`."""

    version: int
    keys: bytes
    liked: bytes
    weight: float
    mixed: int = 0


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Packed).decode


def pack_back(history: History) -> bytes:
    """The message."""
    keys, liked = history.keys.astype("<u8").tobytes(), history.liked.astype("u1").tobytes()
    return _MARK + _encode(_Packed(_VERSION, keys, liked, history.weight, history.mixed))


def is_back(data: bytes) -> bool:
    """Whether this is such a message."""
    return data[:1] == _MARK


def unpack_back(data: bytes) -> History:
    """What `pack_back` packed.

    Raises:
        ServiceError: the message, perhaps from a restored inbox, has another form.
    """
    packed = _decode(data[1:])
    if packed.version not in (_VERSION, _OLD_VERSION):
        raise ServiceError(
            f"what is taken back of counts has form {packed.version}, this millirec reads forms "
            f"{_OLD_VERSION} and {_VERSION}: restore with the release that wrote it."
        )
    keys, liked = np.frombuffer(packed.keys, "<u8"), np.frombuffer(packed.liked, "u1") > 0
    return History(keys, liked, packed.weight, packed.mixed)


def least_weight(
    weights: Mapping[str, float], consuming: Sequence[str], shown: str, parts: Iterable[str] = ()
) -> float:
    """The least weight above 0 of an event that puts its item into a history; 0: there is none.

    Args:
        weights: by type. consuming: the types that do; none means all but `shown`. parts: the types
            whose weight is multiplied by a fraction, which may be as small as you like.

    >>> least_weight({"view": 1.0, "buy": 2.0, "seen": 0.0}, [], "seen")
    1.0
    >>> least_weight({"view": 1.0, "watch": 1.5}, [], "seen", ["Watch"])
    0.0
    """
    kinds = consuming or [kind for kind in weights if kind != shown]
    if not {fold(kind) for kind in parts}.isdisjoint(fold(kind) for kind in kinds):
        return 0.0
    found = [weights[kind] for kind in kinds if weights.get(kind, 0.0) > 0]
    return min(*found, float(HEAVIEST)) if found else 0.0


def take_back(
    neighbours: Neighbours,
    history: History,
    rows: NDArray[np.int32],
    names: NDArray[np.int32],
) -> NDArray[np.int32]:
    """Lower the counts of one history; no count falls below 0.

    Item x, taken with the items h_1 (the last), …, h_L before it, has added w to n_x, and
    w·`forward[d − 1]` to C[h_d → x] and C[x → h_d], if both were liked (`counting_kernels.count`).

    Args:
        rows, names: int32[m], the row of each item, −1: none here; and how rows name it, −1: they
            do not.

    Returns: int32[r], the rows that changed.
    """
    n, weight = neighbours, np.float32(history.weight)
    if n.growth or not weight:
        return rows[:0]
    forward = n.pace.forward
    reach, liked = len(forward), history.liked & (names >= 0)
    mine = np.flatnonzero(liked & (rows >= 0))
    for place in mine.tolist():
        begin = max(place - reach, 0)
        near = begin + np.flatnonzero(liked[begin : place + reach + 1])
        near = near[(near != place) & (np.maximum(near, place) >= history.mixed)]
        value = weight * forward[np.abs(near - place) - 1]
        value[near < place] *= np.float32(BACKWARD)
        _lower(n, int(rows[place]), names[near], value)
        if place >= history.mixed:
            n.counts[rows[place]] = max(n.counts[rows[place]] - float(weight), 0.0)
    return rows[mine]


def _lower(n: Neighbours, row: int, names: NDArray[np.int32], value: NDArray[np.float32]) -> None:
    """Subtract from the neighbours of a row that it still has."""
    length = int(n.lengths[row])
    own, values = n.ids[row, :length], n.values[row, :length]
    names, which = np.unique(names, return_inverse=True)  # an item may stand there repeatedly
    at = np.minimum(np.searchsorted(names, own), max(len(names) - 1, 0))
    if len(names):
        there = names[at] == own
        less = np.bincount(which, value).astype(np.float32)[at[there]]
        values[there] = np.maximum(values[there] - less, np.float32(0))
