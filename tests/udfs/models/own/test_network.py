from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.udfs.models.own.files import graph, ranker, save
from udfs.errors import ConfigError
from udfs.models.own.network import ModelFailure, finite, listed, opened


def test_what_is_no_file_or_no_model_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r'toy\.model is ".*none", but there is no such file'):
        opened(tmp_path / "none", "toy.model")
    pytest.importorskip("onnxruntime", reason="ONNX Runtime comes with the extra onnx")
    (tmp_path / "text").write_text("no model")
    with pytest.raises(ConfigError, match=r"toy\.model: ONNX Runtime cannot use .*text"):
        opened(tmp_path / "text", "toy.model")


def test_a_missing_package_is_named_with_its_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    (tmp_path / "m").touch()
    with pytest.raises(ConfigError, match=r"toy\.model is set, .* pip install 'millirec\[onnx\]'"):
        opened(tmp_path / "m", "toy.model")


def test_what_fails_is_said(tmp_path: Path) -> None:
    model = graph(
        [("Reshape", ["x", "far"], ["impossible"])],
        [("x", "FLOAT", ["n"])],
        [("impossible", "FLOAT", None)],
        {"far": np.array([7], np.int64)},
    )
    file = opened(save(model, tmp_path / "m"), "toy.model")
    x = np.ones(2, np.float32)
    assert file.run("impossible", "x", np.ones(7, np.float32)).tolist() == [1] * 7
    with pytest.raises(ModelFailure, match="ONNX Runtime"):
        file.run("impossible", "x", x)
    with pytest.raises(ConfigError, match=r"does not run on x of shape \[2\]"):
        file.tried("impossible", "x", x)


def test_inputs_are_listed_as_people_read_them(tmp_path: Path) -> None:
    file = opened(ranker(tmp_path / "m", {"product": 1.0, "taken": 1.0}), "toy.model")
    assert listed(file.inputs) == "features: float[any, 2]"
    assert listed({}) == "none"
    assert file.told["features"] == "product,taken"


@pytest.mark.parametrize("found", [np.zeros(3), np.zeros((2, 1)), np.array([1.0, np.nan])])
def test_what_cannot_be_used_is_a_failure(found: np.ndarray) -> None:
    with pytest.raises(ModelFailure):
        finite(found, (2,))
