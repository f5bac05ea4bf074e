"""A small run of `benchmarks.growth`: its results, not its speed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import growth, tastes
from benchmarks.bare import Bare
from benchmarks.growth import Axis, exponent, measured, point


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growth, "_EVENTS", 60)
    monkeypatch.setattr(growth, "_LISTS", 20)


def test_the_exponent_is_that_of_a_power_law() -> None:
    assert exponent([1, 10, 100], [5.0, 50.0, 500.0]) == 1.0
    assert exponent([4, 16, 64], [2.0, 4.0, 8.0]) == 0.5
    assert exponent([4, 16], [3.0, 3.0]) == 0.0


def test_the_values_of_every_axis_ascend() -> None:
    assert len({axis.name for axis in growth.AXES}) == len(growth.AXES)
    for axis in growth.AXES:
        assert list(axis.values) == sorted(set(axis.values))
        assert len(axis.values) > 2


def test_a_point_measures_the_requested_learner(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Bare] = []

    def kept(*settings: str) -> Bare:
        made.append(Bare(*settings))
        return made[-1]

    monkeypatch.setattr(growth, "Bare", kept)
    costs = point(30, 400, dimensions=4, length=7, consumed=40, search="approximate")
    assert min(costs) > 0
    learner = made[0].learner
    assert (learner.settings.model.dimensions, learner.settings.lists.length) == (4, 7)
    assert (len(learner.users), learner.catalogue.living) == (30, 400)
    assert learner.catalogue.clusters is not None
    assert made[0].learned == 30 * 40 + 2 * 60
    # No user consumes an item twice before the measurement.
    consumed = growth._unlike(30, 40, 400).reshape(30, 40)
    assert all(len(set(row)) == 40 for row in consumed.tolist())


def test_the_figures_of_an_axis() -> None:
    axis = Axis("squares", (2, 4, 8, 99), "n²", "1", lambda n: (float(n * n), 5.0))
    assert measured(axis, 50) == {
        "values": [2, 4, 8],
        "event": {"us": [4.0, 16.0, 64.0], "order": "n²", "exponent": 2.0},
        "list": {"us": [5.0, 5.0, 5.0], "order": "1", "exponent": 0.0},
    }


def test_the_command_prints_and_draws(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib")
    axis = Axis("users", (10, 20, 40), "1", "1", lambda n: point(users=n, items=50, dimensions=4))
    monkeypatch.setattr(growth, "AXES", (axis, growth.AXES[1]))
    monkeypatch.setattr(growth, "OUT", tmp_path)
    monkeypatch.setattr(sys, "argv", ["growth", "--axes", "users", "--most", "20"])
    growth.main()
    printed = capsys.readouterr()
    figures = json.loads(printed.out.splitlines()[-1])
    assert figures["users"]["values"] == [10, 20]
    assert figures == json.loads((tmp_path / "growth.json").read_text())
    assert (tmp_path / "growth.png").read_bytes().startswith(b"\x89PNG")
    assert "O(1)" in printed.err


def test_users_like_few_kinds_and_the_seed_determines_them() -> None:
    who, what = tastes.events(20_000, users=50, items=4000)
    again = tastes.events(20_000, users=50, items=4000)
    assert np.array_equal(who, again[0]) and np.array_equal(what, again[1])
    assert who.max() < 50 and what.max() < 4000 and min(who.min(), what.min()) >= 0
    kinds = what[who == np.bincount(who).argmax()] % tastes.KINDS
    assert np.sort(np.bincount(kinds))[-3:].sum() > 0.85 * len(kinds)


def test_factors_of_a_kind_are_similar_only_with_structure() -> None:
    for structured in (True, False):
        q, bias = tastes.factors(4000, 32, structured=structured)
        unit = q / np.linalg.norm(q, axis=1, keepdims=True)
        same = np.einsum("nd,nd->n", unit[: -tastes.KINDS], unit[tastes.KINDS :]).mean()
        assert (same > 0.6) == structured and (q.dtype, bias.dtype) == (np.float32, np.float32)
        assert (bias.argmax() < 20) == structured
