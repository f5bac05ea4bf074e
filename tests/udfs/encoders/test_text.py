from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.udfs.encoders.networks import text_network
from udfs.encoders.text import TextEncoder
from udfs.errors import ConfigError, ServiceError

NETWORKS = Path(".local/networks")


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> TextEncoder:
    return TextEncoder(text_network(tmp_path_factory.mktemp("text") / "words"))


@pytest.fixture(scope="module")
def minilm() -> TextEncoder:
    """The real one, from the cache or the network."""
    from flink_app.data.fetch import fetch_network

    pytest.importorskip("onnxruntime", reason="ONNX Runtime comes with the extra text")
    try:
        return TextEncoder(str(fetch_network("minilm", NETWORKS / "minilm")))
    except ServiceError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"the network minilm is needed: {error}")


def test_vectors_have_length_one_and_do_not_depend_on_other_texts(encoder: TextEncoder) -> None:
    texts = ["Red kettle", "blue teapot", "red red kettle drill", ""]
    found = encoder.encode(texts)
    assert (found.shape, found.dtype) == ((4, encoder.dimensions), np.float32)
    np.testing.assert_allclose(np.linalg.norm(found[:3], axis=1), 1.0, rtol=1e-5)
    for row, text in zip(found, texts, strict=True):
        np.testing.assert_array_equal(row, encoder.encode([text])[0])


@given(st.text())
def test_any_text_has_a_finite_vector(encoder: TextEncoder, text: str) -> None:
    assert np.isfinite(encoder.encode([text, "\ud800" + text])).all()


def test_only_the_first_tokens_count(encoder: TextEncoder) -> None:
    long, longer = ["red " * 256, "red " * 256 + "drill " * 100_000]
    np.testing.assert_array_equal(encoder.encode([long]), encoder.encode([longer]))


def test_what_is_no_encoder_of_texts_is_refused(tmp_path: Path) -> None:
    folder = Path(text_network(tmp_path / "words"))
    with pytest.raises(ConfigError, match=r"there is no file .*nowhere/model.onnx: correct the"):
        TextEncoder(str(tmp_path / "nowhere"))
    (folder / "tokenizer.json").write_text("{}")
    with pytest.raises(ConfigError, match="is no tokenizer"):
        TextEncoder(str(folder))
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ConfigError, match=r"tokenizer\.json"):
        TextEncoder(str(folder))
    (folder / "model.onnx").write_bytes(b"no network")
    with pytest.raises(ConfigError, match="ONNX Runtime cannot use"):
        TextEncoder(str(folder))


def test_the_name_says_what_to_fetch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnxruntime", reason="ONNX Runtime comes with the extra text")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="run millirec fetch minilm here first"):
        TextEncoder("minilm")


def test_minilm_knows_what_is_alike(minilm: TextEncoder) -> None:
    kettle, teapot, drill = minilm.encode(["Red enamel kettle", "Blue teapot", "Cordless drill"])
    assert minilm.dimensions == 384
    assert kettle @ teapot > 0.2 > 0.1 > kettle @ drill
