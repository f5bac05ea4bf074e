"""`millirec fetch` of networks."""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path

import pytest

from deploy.download import Jar
from flink_app.cli import main
from flink_app.data.fetch import networks
from flink_app.data.fetch.networks import NETWORKS, fetch_network
from udfs.errors import ConfigError, ServiceError


def jar(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name in names:
            made.writestr(name, name)
    return out.getvalue()


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Maven repository in a folder; its one jar is what is pinned."""
    root = tmp_path / "repository"
    monkeypatch.setenv("MAVEN_MIRROR", root.as_uri())
    monkeypatch.chdir(tmp_path)
    serve(root, monkeypatch, "all-minilm-l6-v2-q.onnx", "all-minilm-l6-v2-q-tokenizer.json", "x")
    return root


def serve(root: Path, monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    content = jar(*names)
    pinned = Jar("org.example", "text", "1", hashlib.sha256(content).hexdigest())
    monkeypatch.setattr(networks, "pinned", lambda use: [pinned] if use == "minilm" else [])
    (root / pinned.path).parent.mkdir(parents=True, exist_ok=True)
    (root / pinned.path).write_bytes(content)


def test_its_files_are_unpacked_and_its_option_is_named(
    repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["fetch", "minilm"])
    assert ended.value.code == 0
    folder = tmp_path / "data" / "minilm"
    assert {file.name: file.read_text() for file in folder.iterdir()} == {
        "model.onnx": "all-minilm-l6-v2-q.onnx",
        "tokenizer.json": "all-minilm-l6-v2-q-tokenizer.json",
    }
    assert [path.name for path in folder.parent.iterdir()] == ["minilm"]
    printed = capsys.readouterr().out
    assert "Apache-2.0" in printed
    assert "millirec run --set text.model=data/minilm" in printed


def test_what_is_there_is_not_fetched_again(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch_network("minilm", tmp_path / "n")
    monkeypatch.setenv("MAVEN_MIRROR", "http://127.0.0.1:9/")
    assert fetch_network("minilm", tmp_path / "n") == tmp_path / "n"
    (tmp_path / "n" / "tokenizer.json").unlink()
    with pytest.raises(ConfigError, match="holds something else: name another with --out"):
        fetch_network("minilm", tmp_path / "n")


def test_nothing_is_left_of_what_failed(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(repository, monkeypatch, "something.else")
    with pytest.raises(ServiceError, match="cannot be unpacked"):
        fetch_network("minilm", tmp_path / "data" / "n")
    monkeypatch.setenv("MAVEN_MIRROR", "http://127.0.0.1:9/")
    with pytest.raises(ServiceError, match="could not fetch"):
        fetch_network("minilm", tmp_path / "data" / "n")
    assert list((tmp_path / "data").iterdir()) == []


def test_each_has_an_option() -> None:
    assert {network.option for network in NETWORKS.values()} == {"text.model", "images.model"}
