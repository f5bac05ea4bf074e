"""A short run of the fuzzer; `python -m benchmarks.fuzz` has a million lines."""

from __future__ import annotations

from benchmarks.fuzz import NAMES, mutated, run, seeds


def test_mutated_lines_are_accounted_for_exactly() -> None:
    found = run(20_000, 7)
    assert found["lost"] == 0
    rejected = found["rejected"]
    accounted = found["learned"] + found["ignored"] + sum(rejected.values())
    assert accounted == found["events"] > 20_000
    assert min(found["learned"], rejected["not_json"], rejected["wrong_columns"]) > 100
    assert len(rejected) > 6


def test_the_seed_determines_the_lines() -> None:
    first, again, other = (list(mutated(50, seed, seeds(), NAMES)) for seed in (1, 1, 2))
    assert first == again != other
