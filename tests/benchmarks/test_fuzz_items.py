"""A short run of the fuzzer of lines about items; `python -m benchmarks.fuzz_items` has a million
lines."""

from __future__ import annotations

from benchmarks.fuzz import mutated
from benchmarks.fuzz_items import NAMES, run, seeds


def test_mutated_lines_are_read_or_rejected() -> None:
    found = run(8_000, 7)
    assert found["lost"] == 0
    rejected = found["rejected"]
    assert min(found["changes"], rejected["not_json"], rejected["wrong_type"]) > 50
    assert len(rejected) > 6


def test_the_seed_determines_the_lines() -> None:
    first, again, other = (list(mutated(50, seed, seeds(), NAMES)) for seed in (1, 1, 2))
    assert first == again != other
