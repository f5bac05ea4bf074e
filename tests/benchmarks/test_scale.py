"""A small run of `benchmarks.scale`: its results, not its speed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import scale, sizes
from benchmarks.bare import Bare


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(scale, "_LEARNED", 200)
    monkeypatch.setattr(scale, "_USERS", 40)
    monkeypatch.setattr(scale, "OUT", tmp_path)


def test_all_is_found_where_every_cluster_is_searched() -> None:
    found = scale.search(300, structured=True)
    assert (found["recall"], found["recall_p10"]) == (1.0, 1.0)
    assert min(found["exact_us"], found["approximate_us"]) > 0


def test_some_is_missed_where_there_is_no_structure() -> None:
    found = scale.search(6000, structured=False)
    assert 0.3 < found["recall"] < 1.0
    assert found["recall_p10"] <= found["recall"]


def test_counted_bytes_are_those_of_the_formulas() -> None:
    found = sizes.measured(6000, users=3000, items=300)
    for place in ("user, in state", "item, in state"):
        assert found[place]["measured"] == pytest.approx(found[place]["formula"], rel=0.01)
    for place in ("user, in memory", "item, in memory"):
        assert 0.2 < found[place]["measured"] / found[place]["formula"] <= 1.0


def test_what_is_held_is_counted_through() -> None:
    users = Bare("model.dimensions=4").learner.users
    values = [value for table in (users, users._pages) for value in vars(table).values()]
    whole = sum(value.nbytes for value in values if isinstance(value, np.ndarray))
    assert whole < sizes.held(users) < whole + 2000
    users.p = np.zeros((10_000, 4), np.float32)
    assert sizes.held(users) > 160_000


def test_the_command_without_a_job(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(scale, "SEARCHED", (100, 200, 5000))
    sized = ["--events", "500", "--users", "20", "--items", "100"]
    monkeypatch.setattr(sys, "argv", ["scale", "--parts", "search", "bytes", *sized])
    scale.main()
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert figures == json.loads((tmp_path / "scale.json").read_text())
    assert len(figures["search"]) == 4 and len(figures["bytes"]) == 4
    assert figures["workload"] == {"events": 500, "users": 20, "items": 100}
    assert "job" not in figures


@pytest.mark.job
def test_the_job_learns_all_events_and_its_memory_is_told_by_process() -> None:
    found = scale.job(4000, 200, 300, ["lists.search=approximate"])
    assert found["balanced"] and found["events"] == 4000
    assert found["lists"] >= 1  # what was put off is written after the last account
    assert {"java", "redis"} <= set(found["peak_mib"])
    assert all(value > 0 for value in found["peak_mib"].values())
