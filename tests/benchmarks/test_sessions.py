"""The session part of `make evaluate`: what is run, and what is said where the data is not."""

from __future__ import annotations

import argparse
import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from benchmarks import evaluate, sessions
from flink_app.evaluate.baselines import BASELINES
from flink_app.evaluate.evaluation import SERVABLE
from udfs.events.presets import PRESETS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three clicks of warm-up, two of the last day."""
    head = "SessionId\tItemId\tTime\n"
    (tmp_path / "train_full.txt").write_text(head + "1\ta\t1\n1\tb\t2\n2\ta\t3\n\n")
    (tmp_path / "test.txt").write_text(head + "3\ta\t4\n3\tb\t5")
    return tmp_path


def test_every_seed_of_the_job_and_every_baseline_is_a_piece(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[dict[str, Any]] = []

    def run(config: Any, files: list[Path], *given: Any, **more: Any) -> list[Any]:
        calls.append({"config": config, "files": files, "given": given, **more})
        return []

    monkeypatch.setattr(sessions, "evaluate", run)
    protocol = sessions.Protocol(repeat=True, freeze=False)
    names = []
    for name, measure in sessions.pieces(["ranker.network=neural"], folder, protocol, 2):
        names.append(name)
        measure()
    assert len({*names}) == len(names) == 2 + len(sessions.BASELINES)
    assert [(call["given"][0], call["given"][1]) for call in calls[:3]] == [
        (["strict"], 1), (["strict"], 1), ([], 2),
    ]  # fmt: skip
    assert [call["config"].model.seed for call in calls[:3]] == [1, 2, 1]
    for call in calls:
        assert [path.name for path in call["files"]] == ["train_full.txt", "test.txt"]
        assert (call["warmup"], call["repeat"], call["freeze"]) == (3, True, False)
        assert call["config"].source.preset == "session-rec"
        assert call["config"].ranker.network == "neural"


def test_what_is_named_is_there() -> None:
    assert {*sessions.BASELINES} <= {*BASELINES} and {*sessions.MODELS} <= {*SERVABLE}
    assert "session-rec" in PRESETS
    assert not {*sessions.SETS} & {*evaluate.SETS}
    pictures = [evaluate.picture(name) for name in (*sessions.SETS, *evaluate.SETS)]
    assert len({*pictures}) == len(pictures)


def test_sessions_that_are_not_there_are_skipped_with_a_reason(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    console = Console(file=io.StringIO(), width=400)
    given = {"network": "linear", "seeds": 1, "data": None}
    name = next(iter(sessions.SETS))

    def names(where: Path | None) -> list[str]:
        options = argparse.Namespace(sessions=where, **given)
        return [piece for piece, _ in evaluate.measurements(name, options, console)]

    assert names(folder)[0] == "strict, seed 1"
    monkeypatch.setattr(evaluate, "DATA", folder)
    assert names(None) == []
    (folder / "test.txt").unlink()
    assert names(folder) == []
    told = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert told[0].startswith(f"skipped: {folder / 'rsc15-100k'} has no train_full.txt and no test")
    assert told[1].startswith(f"skipped: {folder} has no test.txt: name the folder of RSC15's")
