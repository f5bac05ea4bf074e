"""Lines come out by time, however many are in memory at once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from flink_app.data.imports.by_time import ByTime


@given(st.lists(st.lists(st.integers(-5, 5)), max_size=8), st.integers(1, 6))
def test_they_are_sorted_and_stable(blocks: list[list[int]], most: int) -> None:
    every = [time for block in blocks for time in block]
    numbered = iter(range(len(every)))
    with ByTime(most) as found:
        for block in blocks:
            found.add([b"%d" % next(numbered) for _ in block], block)
        lines = [int(line) for line in found.lines()]
    assert lines == sorted(range(len(every)), key=lambda number: every[number])
