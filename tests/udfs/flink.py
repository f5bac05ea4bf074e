"""One subtask of Flink in memory: state by key, timers by key, a clock that the test moves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any

from pyflink.common import Row

from tests.udfs.fakes import DictCell, DictState


class ListCell:
    """A `ListState[bytes]`."""

    def __init__(self) -> None:
        self.data: list[bytes] = []

    def get(self) -> list[bytes]:
        return list(self.data)

    def add(self, value: bytes) -> None:
        self.data.append(value)

    def clear(self) -> None:
        self.data.clear()


class _Current:
    """A handle on the state of whichever key is current."""

    def __init__(self, flink: Subtask, name: str, make: Callable[[], Any]) -> None:
        self._where = flink, name, make

    def __getattr__(self, method: str) -> Any:
        flink, name, make = self._where
        parts = flink.state[name]
        if flink.key not in parts:
            parts[flink.key] = make()
        return getattr(parts[flink.key], method)


class _Metrics:
    """A metric group that keeps its counters."""

    def __init__(self) -> None:
        self.counters: dict[str, int] = defaultdict(int)
        self.gauges: dict[str, Callable[[], int]] = {}

    def counter(self, name: str) -> Any:
        def inc(n: int = 1) -> None:
            self.counters[name] += n

        return SimpleNamespace(inc=inc)

    def gauge(self, name: str, read: Callable[[], int]) -> None:
        self.gauges[name] = read

    def add_group(self, *_: str) -> _Metrics:
        return self


class Subtask:
    """Runs one operator; `state` and `timers` are what a checkpoint holds."""

    def __init__(self, operator: Any, before: Subtask | None = None, parallelism: int = 1) -> None:
        self.operator, self.key = operator, 0
        self.state: dict[str, dict[int, Any]] = before.state if before else defaultdict(dict)
        self.timers: set[tuple[int, int]] = set(before.timers) if before else set()
        self.metrics = _Metrics()
        task = SimpleNamespace(
            getNumberOfParallelSubtasks=lambda: parallelism,
            getIndexOfThisSubtask=lambda: 0,
        )
        operator.open(
            SimpleNamespace(
                get_map_state=lambda d: _Current(self, d.name, DictState),
                get_state=lambda d: _Current(self, d.name, DictCell),
                get_list_state=lambda d: _Current(self, d.name, ListCell),
                get_metrics_group=lambda: self.metrics,
                _runtime_context=SimpleNamespace(getTaskInfo=lambda: task),
            )
        )

    @property
    def _context(self) -> Any:
        def register(at: int) -> None:
            self.timers.add((at, self.key))

        timers = SimpleNamespace(
            register_processing_time_timer=register, register_event_time_timer=register
        )
        return SimpleNamespace(timer_service=lambda: timers, get_current_key=lambda: self.key)

    def process(self, key: int, value: Any) -> list[Any]:
        """One element; returns what the next operators get, side outputs with their tags."""
        self.key = key
        return across(self.operator.process_element(value, self._context))

    def fire(self, until: int) -> list[Any]:
        """The timers that were due by `until` when called, in order; at 2^63 − 1 all of them, as at
        the end of the input."""
        out = []
        for at, key in sorted(timer for timer in self.timers if timer[0] <= until):
            self.timers.discard((at, key))
            self.key = key
            out += across(self.operator.on_timer(at, self._context))
        return out


def across(out: Iterable[Any]) -> list[Any]:
    """What arrives behind an edge by key, which delivers the value of a `Row(key, value)`."""
    found = []
    for element in out:
        tag, value = element if isinstance(element, tuple) else (None, element)
        assert isinstance(value, Row | str | bytes), "this element would not pass an edge"
        delivered = value[1] if isinstance(value, Row) else value
        found.append(delivered if tag is None else (tag, delivered))
    return found
