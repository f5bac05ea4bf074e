"""Models of a team's own in a job."""

from __future__ import annotations

from pathlib import Path

import pytest

from flink_app.config import load
from flink_app.graph.own_models import with_own_models
from tests.udfs.models.own.files import ranker, sequence
from udfs.errors import ConfigError


def test_paths_are_those_of_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sequence(tmp_path / "s.onnx", ["a", "b"], [[1, 0], [0, 1]])
    ranker(tmp_path / "r.onnx", {"sequence": 1.0, "activity": 1.0})
    monkeypatch.chdir(tmp_path)
    found = with_own_models(load(None, ["sequence.model=s.onnx", "ranker.model=r.onnx"], {}).config)
    assert found.of("sequence").model == str(tmp_path / "s.onnx")
    assert found.ranker.model == str(tmp_path / "r.onnx")


def test_nothing_is_changed_without_models() -> None:
    config = load(None, [], {}).config
    assert with_own_models(config) is config


@pytest.mark.parametrize("option", ["sequence.model", "ranker.model"])
def test_what_is_missing_is_said_before_a_job_is_submitted(option: str) -> None:
    config = load(None, [f"{option}=nowhere.onnx"], {}).config
    with pytest.raises(ConfigError, match=rf"{option} is .*nowhere\.onnx.*there is no such file"):
        with_own_models(config)


def test_features_of_what_is_in_the_shadow_are_none(tmp_path: Path) -> None:
    file = sequence(tmp_path / "s.onnx", ["a"], [[1, 0]])
    own = ranker(tmp_path / "r.onnx", {"sequence": 1.0})
    given = [f"sequence.model={file}", f"ranker.model={own}", "sequence.shadow=true"]
    with pytest.raises(ConfigError, match="wants the features sequence, which there are not"):
        with_own_models(load(None, given, {}).config)
