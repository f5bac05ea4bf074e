from __future__ import annotations

from pathlib import Path

import pytest

from udfs.encoders.networks import model_file, needed
from udfs.errors import ConfigError


def test_a_missing_package_is_named_with_its_extra() -> None:
    with pytest.raises(ConfigError, match=r"text\.model is set, but .* pip install 'millirec\[te"):
        needed("no_such_package", "text")


def test_a_model_is_a_name_a_folder_or_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("data/minilm", "mine"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "model.onnx").touch()
    assert model_file("minilm", "text.model") == Path("data/minilm/model.onnx")
    assert model_file("mine", "text.model") == Path("mine/model.onnx")
    assert model_file("mine/model.onnx", "images.model") == Path("mine/model.onnx")
    with pytest.raises(ConfigError, match=r'images.model is "other", .*data/other.*correct the'):
        model_file("other", "images.model")
