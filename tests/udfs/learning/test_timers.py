"""Names that are due when a time has come."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from udfs.learning.timers import Timers

names = st.sampled_from(["publish", "snapshot", "sweep"])
times = st.integers(0, 20)


@given(st.lists(st.tuples(names, times, times)))
def test_each_name_is_due_once_at_its_last_planned_time(steps: list[tuple[str, int, int]]) -> None:
    timers, plain = Timers(), dict[str, int]()
    for name, at, now in steps:
        assert timers.plan(name, at) == at
        plain[name] = at
        due = {name for name, at in plain.items() if at <= now}
        assert timers.take(now) == due
        plain = {name: at for name, at in plain.items() if name not in due}
