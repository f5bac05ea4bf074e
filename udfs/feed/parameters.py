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

RANKER = "ranker"
"""The name of the ranker's parameters, which were the only ones in older forms and had no name."""

Parameters = Mapping[str, NDArray[np.float64]]
"""float64[P] by name, each with its own P."""

Packed = dict[str, bytes] | bytes
"""The same in messages, little endian; in older forms only the bytes of the ranker's."""


class Holder(Protocol):
    """An object with parameters: the ranker, or a model."""

    @property
    def parameters(self) -> NDArray[np.float64]:
        """All parameters, float64[P]; a copy."""

    def put(self, parameters: NDArray[np.float64]) -> None:
        """Set them, clipped to their limits; an array of another length than P changes nothing."""


def pack(parameters: Parameters) -> dict[str, bytes]:
    """Parameters for a message or for the state."""
    return {name: values.astype("<f8").tobytes() for name, values in parameters.items()}


def read(packed: Packed) -> dict[str, NDArray[np.float64]]:
    """The parameters that `pack` packed, or an older form of them.

    Raises:
        ServiceError: they are damaged.

    >>> read(pack({"a": np.array([1.0])})), read(b""), list(read(bytes(16)))
    ({'a': array([1.])}, {}, ['ranker'])
    """
    if isinstance(packed, bytes):
        packed = {RANKER: packed} if packed else {}
    for name, data in packed.items():
        if len(data) % 8:
            raise ServiceError(
                f"the parameters {name!r} have {len(data)} bytes, which is no multiple of 8: they "
                "are damaged; restore an earlier checkpoint."
            )
    return {name: np.frombuffer(data, "<f8") for name, data in packed.items()}


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

    @property
    def values(self) -> dict[str, NDArray[np.float64]]:
        """All parameters."""
        return {name: one.parameters for name, one in self._holders.items()} | self._plain

    @property
    def changed(self) -> bool:
        """Whether any have changed since `take_changed`."""
        return bool(self._changed)

    def take_changed(self) -> dict[str, NDArray[np.float64]]:
        """Those that have changed since the last call."""
        found = {name: values for name, values in self.values.items() if name in self._changed}
        self._changed.clear()
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
        from a model with other options."""
        found = self.values if changes else {}
        for name, change in changes.items():
            before = found.get(name, np.zeros(len(change)))
            if len(change) == len(before):
                self.put({name: before + change})
                self._changed.add(name)
