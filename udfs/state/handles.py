"""The parts of Flink's keyed state that the operators use.

In: handles of Flink's state, scoped by Flink to the current key (a shard). Out: the protocols that
they implement.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol


class Rows(Protocol):
    """A `MapState[str, bytes]` of the current shard."""

    def get(self, key: str) -> bytes | None:
        """The value of `key`, or None."""

    def put_all(self, dict_value: dict[str, bytes]) -> None:
        """Set each key to its value."""

    def remove(self, key: str) -> None:
        """Forget `key`."""

    def items(self) -> Iterable[tuple[str, bytes]]:
        """All pairs."""

    def is_empty(self) -> bool:
        """Whether there is no pair."""


class MemoryRows(dict[str, bytes]):
    """`Rows` in memory only, for data that must not reach Flink's state."""

    def put_all(self, dict_value: dict[str, bytes]) -> None:
        """Set each key to its value."""
        self.update(dict_value)

    def remove(self, key: str) -> None:
        """Forget `key`."""
        self.pop(key, None)

    def is_empty(self) -> bool:
        """Whether there is no pair."""
        return not self


class Cell(Protocol):
    """A `ValueState[bytes]` of the current shard."""

    def value(self) -> bytes | None:
        """The value, or None."""

    def update(self, value: bytes) -> None:
        """Set the value."""

    def clear(self) -> None:
        """Forget the value."""


class Log(Protocol):
    """A `ListState[bytes]` of the current shard."""

    def get(self) -> Iterable[bytes] | None:
        """The values in order; None or empty if there are none."""

    def add(self, value: bytes) -> None:
        """Append a value."""

    def clear(self) -> None:
        """Forget all values."""
