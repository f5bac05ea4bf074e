"""The runs of `make evaluate`, and the results that it keeps."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import evaluate
from flink_app.evaluate.measure import Result


def result(mode: str, seed: int) -> Result:
    return Result(
        mode=mode,
        seed=seed,
        events=9,
        seconds=1.0,
        quality={"served:tests": 1.0},
        curve=[],
        microseconds={},
    )


def test_an_interrupted_run_continues_with_the_missing_measurements(tmp_path: Path) -> None:
    measured = []

    def measure() -> list[Result]:
        measured.append(1)
        return [result("strict", 3)]

    file = tmp_path / "a" / "strict, seed 3.json"
    first = evaluate.kept(file, measure, resume=True)
    assert evaluate.kept(file, measure, resume=True) == first == [result("strict", 3)]
    assert len(measured) == 1
    evaluate.kept(file, measure, resume=False)
    assert len(measured) == 2


def test_each_seed_is_a_piece_and_all_baselines_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def run(
        config: object, files: object, modes: list[str], seeds: int, *rest: object, **more: object
    ) -> list[Result]:
        calls.append((modes, seeds, config.model.seed, config.job.parallelism))  # type: ignore[attr-defined]
        return []

    monkeypatch.setattr(evaluate, "evaluate", run)
    given = ["source.preset=movielens"]
    names = []
    for name, measure in evaluate.pieces(given, Path("u.data"), "", 2):
        names.append(name)
        measure()
    assert len(set(names)) == len(names) == 5
    assert calls == [
        (["strict"], 1, 1, 1),
        (["strict"], 1, 2, 1),
        (["parallel"], 1, 1, 2),
        (["parallel"], 1, 2, 2),
        ([], 2, 1, 1),
    ]
