"""`millirec items --encode` sends vectors along."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from flink_app.cli import main
from tests.udfs.encoders.networks import image_network, picture, text_network


def run(*arguments: str) -> object:
    with pytest.raises(SystemExit) as ended:
        main(["items", *arguments])
    return ended.value.code


def test_texts_and_images_get_vectors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image = "data:image/png;base64," + base64.b64encode(picture()).decode()
    items = [
        {"item": "a", "title": "Red kettle", "image": image},
        {"item": "b", "title": "Blue teapot", "text": "red", "image": "no.png"},
        {"item": "c", "title": "Drill", "text_vector": [1, 2]},
        {"item": "d", "price": 5},
    ]
    (tmp_path / "items.jsonl").write_text("\n".join(map(json.dumps, items)))
    out = tmp_path / "out.jsonl"
    code = run(
        str(tmp_path / "items.jsonl"), "--encode", "--to", str(out),
        "--set", f"text.model={text_network(tmp_path / 'words')}",
        "--set", f"images.model={image_network(tmp_path / 'a.onnx')}",
    )  # fmt: skip
    assert code == 0
    a, b, c, d = map(json.loads, out.read_text().splitlines())
    assert (len(a["text_vector"]), len(a["image_vector"])) == (8, 3)
    assert max(map(abs, a["text_vector"])) == 127
    assert "text_vector" in b and "image_vector" not in b
    assert c["text_vector"] == [1.0, 2.0]
    assert d.keys() == {"kind", "item", "ts", "price"}
    said = capsys.readouterr().err
    assert "the image of 'b' has no vector: a path, and images.folder is not set" in said
    assert "2 text vectors and 1 image vector made; 1 without: unknown_form" in said


def test_a_network_is_needed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "items.jsonl").write_text('{"item": "a", "title": "Mug"}')
    assert run(str(tmp_path / "items.jsonl"), "--encode", "--to", str(tmp_path / "o")) != 0
    assert "--encode needs text.model or images.model: run millirec fetch minilm" in " ".join(
        capsys.readouterr().err.split()
    )
    assert not (tmp_path / "o").exists()
