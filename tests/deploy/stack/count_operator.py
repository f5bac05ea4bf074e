"""The operator of count_job: counts the lines of each key in Flink's state."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from pyflink.common import Row, Types
from pyflink.datastream import KeyedProcessFunction, RuntimeContext
from pyflink.datastream.state import ValueStateDescriptor


class Count(KeyedProcessFunction):  # type: ignore[misc]
    """Row(line, partition, offset) → "process-id key count partition offset".

    The line `fail` raises the first time ever, for which the file `marker` stands.
    """

    def __init__(self, marker: str) -> None:
        self._marker = Path(marker)

    def open(self, runtime_context: RuntimeContext) -> None:
        self._seen = runtime_context.get_state(ValueStateDescriptor("seen", Types.LONG()))

    def process_element(self, value: Row, ctx: KeyedProcessFunction.Context) -> Iterator[str]:
        line, partition, offset = value
        if line == "fail" and not self._marker.exists():
            self._marker.touch()
            raise RuntimeError("failing once, as configured")
        seen = (self._seen.value() or 0) + 1
        self._seen.update(seen)
        yield f"{os.getpid()} {line.split()[0]} {seen} {partition} {offset}"
