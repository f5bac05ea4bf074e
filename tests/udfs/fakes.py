"""Flink's keyed state in memory, with the semantics that the operators may rely on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping


class DictState:
    """A `udfs.state.handles.Rows`: absent keys read as None, and `items` must not be changed under
    way."""

    def __init__(self, pairs: Mapping[str, bytes] | None = None) -> None:
        self.data = dict(pairs or {})
        self.reads = self.writes = 0

    def get(self, key: str) -> bytes | None:
        self.reads += 1
        return self.data.get(key)

    def put_all(self, dict_value: dict[str, bytes]) -> None:
        for key, value in dict_value.items():
            assert type(key) is str, f"the key {key!r} is a {type(key).__name__}"
            assert type(value) is bytes, f"the value of {key!r} is a {type(value).__name__}"
        self.data.update(dict_value)
        self.writes += 1

    def remove(self, key: str) -> None:
        self.data.pop(key, None)

    def items(self) -> Iterator[tuple[str, bytes]]:
        yield from self.data.items()

    def is_empty(self) -> bool:
        return not self.data

    def copy(self) -> DictState:
        """The state as a checkpoint would keep it."""
        return DictState(self.data)


class DictCell:
    """A `udfs.state.handles.Cell`."""

    def __init__(self, value: bytes | None = None) -> None:
        self.data = value

    def value(self) -> bytes | None:
        return self.data

    def update(self, value: bytes) -> None:
        assert type(value) is bytes
        self.data = value

    def clear(self) -> None:
        self.data = None
