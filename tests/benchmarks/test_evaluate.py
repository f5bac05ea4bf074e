"""The runs of `make evaluate`, and the results that it keeps."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import pytest

from benchmarks import evaluate
from flink_app.evaluate.results import Result


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


def test_the_report_of_a_data_set_knows_its_items_and_users(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    given: dict[str, object] = {}

    def run(*arguments: object, **more: object) -> list[Result]:
        given.update(more, out=arguments[5], positive=arguments[4])
        return [result("strict", 1)]

    monkeypatch.setattr(evaluate, "evaluate", run)
    monkeypatch.setattr(evaluate, "OUT", tmp_path / "evaluate.json")
    for file in ("u.data", "u.item"):
        (tmp_path / file).touch()
    options = Namespace(data=tmp_path, network="linear")
    written = evaluate.look_closer("ml-100k, ratings of 5", options)
    assert "millirec: an evaluation" in written.read_text()
    assert written.parent == tmp_path and given["positive"] == "rating>=4.5"
    assert given["out"] == written.with_suffix(".json")
    assert (given["items"], given["users"]) == ([tmp_path / "u.item"], [])
