"""The CPU time of re-ranking is measured, of each step and of all."""

from __future__ import annotations

from benchmarks import rerank
from udfs.options.rerank import STEPS


def test_each_step_has_a_figure() -> None:
    found = rerank.measure(2)
    assert {*STEPS, "all"} == {*found}
    assert min(found.values()) > 0
