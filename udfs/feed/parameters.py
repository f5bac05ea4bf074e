"""Parameters that all user learners share, by name: those of the ranker and of the models.

In: the changes that each user learner adds, summed by the first item shard. Out: absolute values,
which the item feed carries to all user learners.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from udfs.errors import ServiceError

Parameters = Mapping[str, NDArray[np.float64]]
"""float64[P] by name, each with its own P."""

Packed = dict[str, bytes] | bytes
"""The same in messages, little endian; in older forms only the bytes of the ranker's.

Of long ones of which most are 0, only the others are packed: uint32 P, the indices of n others
(uint32[n], one 0 more where n is odd), and their values. The length is then no multiple of 8, which
tells them apart.
"""

MOST = 512
"""Parameters by name that no holder is known of: more are not taken."""
LONG_MS = 5000
"""How often long parameters are told to the user learners: each change would tell all numbers."""
_SPARSE = 4  # the remainder of such a length by 8
_LONG, _LONGEST = 600, 1 << 20  # numbers: shorter ones are packed as they are


class Holder(Protocol):
    """An object with parameters: the ranker, or a model."""

    @property
    def parameters(self) -> NDArray[np.float64]:
        """All parameters, float64[P]; a copy."""

    def put(self, parameters: NDArray[np.float64]) -> None:
        """Set them, clipped to their limits; an array of another length than P changes nothing."""


def pack(parameters: Parameters) -> dict[str, bytes]:
    """Parameters for a message or for the state."""
    return {name: _packed(values) for name, values in parameters.items()}


def _packed(values: NDArray[np.float64]) -> bytes:
    at = np.flatnonzero(values)
    if len(values) < _LONG or 3 * len(at) >= 2 * len(values) - 2:
        return values.astype("<f8").tobytes()
    head = np.zeros(1 + len(at) + len(at) % 2, "<u4")
    head[0], head[1 : 1 + len(at)] = len(values), at
    return head.tobytes() + values[at].astype("<f8").tobytes()


def _unpacked(data: bytes) -> NDArray[np.float64]:
    if len(data) % 8 != _SPARSE:
        return np.frombuffer(data, "<f8")
    n = (len(data) - 4) // 12
    head = 4 * (1 + n + n % 2)
    at, values = np.frombuffer(data[4 : 4 + 4 * n], "<u4"), np.frombuffer(data[head:], "<f8")
    size = int.from_bytes(data[:4], "little")
    if len(values) != n or size > _LONGEST or (n and at.max() >= size):
        raise ValueError
    found = np.zeros(size)
    found[at] = values
    return found


def read(packed: Packed) -> dict[str, NDArray[np.float64]]:
    """The parameters that `pack` packed, or an older form of them.

    Raises:
        ServiceError: they are damaged.

    >>> read(pack({"a": np.array([1.0])})), read(b""), list(read(bytes(16)))
    ({'a': array([1.])}, {}, ['ranker'])
    """
    if isinstance(packed, bytes):
        packed = {"ranker": packed} if packed else {}
    found = {}
    for name, data in packed.items():
        try:
            found[name] = _unpacked(data)
        except ValueError as error:
            raise ServiceError(
                f"the parameters {name!r} have {len(data)} bytes that cannot be read: they are "
                "damaged; restore an earlier checkpoint."
            ) from error
    return found


def total(packed: Sequence[Packed]) -> dict[str, NDArray[np.float64]]:
    """The sums of parameters that `pack` packed, by name; where sizes differ, those like the last.

    Raises:
        ServiceError: they are damaged.

    >>> one = pack({"a": np.array([1.0])})
    >>> total([one, {}, one])
    {'a': array([2.])}
    """
    found: dict[str, NDArray[np.float64]] = {}
    for name, values in (each for one in packed if one for each in read(one).items()):
        before = found.get(name)
        found[name] = values if before is None or len(before) != len(values) else before + values
    return found


class Shared:
    """The parameters in the first item shard, which owns them.

    Args:
        holders: the owners of parameters that do not begin at 0, or that have limits. All others
            need not be given: they begin at 0 with the first change.
    """

    def __init__(self, holders: Mapping[str, Holder]) -> None:
        self._holders = dict(holders)
        self._plain: dict[str, NDArray[np.float64]] = {}
        self._changed: set[str] = set()
        self._told_ms = -LONG_MS  # when long ones were last told

    @property
    def values(self) -> dict[str, NDArray[np.float64]]:
        """All parameters."""
        return {name: one.parameters for name, one in self._holders.items()} | self._plain

    @property
    def changed(self) -> bool:
        """Whether any have changed since `take_changed`."""
        return bool(self._changed)

    def take_changed(self, now_ms: int) -> dict[str, NDArray[np.float64]]:
        """Those that have changed since the last call, long ones once in `LONG_MS`."""
        due = now_ms - self._told_ms >= LONG_MS
        found = {
            name: values
            for name, values in self.values.items()
            if name in self._changed and (due or len(values) < _LONG)
        }
        self._changed -= found.keys()
        if any(len(values) >= _LONG for values in found.values()):
            self._told_ms = now_ms
        return found

    def put(self, parameters: Parameters) -> None:
        """Set parameters to absolute values from the state."""
        for name, values in parameters.items():
            if name in self._holders:
                self._holders[name].put(values)
            else:
                self._plain[name] = np.nan_to_num(values, posinf=0.0, neginf=0.0)

    def add(self, changes: Parameters) -> None:
        """Add changes from a user learner; those of another size are skipped, because they come
        from a model with other options; so are names beyond `MOST`."""
        found = self.values if changes else {}
        for name, change in changes.items():
            if name not in found and len(self._plain) >= MOST:
                continue
            before = found.get(name, np.zeros(len(change)))
            if len(change) == len(before):
                self.put({name: before + change})
                self._changed.add(name)
