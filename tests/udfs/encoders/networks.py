"""Small networks made for tests: texts as sums of words' vectors, images as mean colours."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

WORDS = ["[UNK]", "red", "blue", "kettle", "teapot", "drill", "."]
_ROWS = np.random.default_rng(3).standard_normal((len(WORDS), 8)).astype(np.float32)


def text_network(folder: Path) -> str:
    """A folder with a tokenizer of a few words and a network that has a vector of each."""
    pytest.importorskip("onnxruntime", reason="ONNX Runtime comes with the extra text")
    tokenizers = pytest.importorskip("tokenizers", reason="it comes with the extra text")
    onnx = pytest.importorskip("onnx", reason="it comes with the extra images")
    tokenizer = tokenizers.Tokenizer(
        tokenizers.models.WordLevel({word: n for n, word in enumerate(WORDS)}, "[UNK]")
    )
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    tokenizer.normalizer = tokenizers.normalizers.Lowercase()
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    helper, kind = onnx.helper, onnx.TensorProto
    graph = helper.make_graph(
        [helper.make_node("Gather", ["rows", "input_ids"], ["last_hidden_state"])],
        "words",
        [helper.make_tensor_value_info("input_ids", kind.INT64, ["n", "tokens"])],
        [helper.make_tensor_value_info("last_hidden_state", kind.FLOAT, ["n", "tokens", 8])],
        [onnx.numpy_helper.from_array(_ROWS, "rows")],
    )
    onnx.save(_model(graph), str(folder / "model.onnx"))
    return str(folder)


def image_network(file: Path, planes: bool = True, told: dict[str, str] | None = None) -> str:
    """An ONNX file of a network whose features are what it is given, by place."""
    pytest.importorskip("onnxruntime", reason="ONNX Runtime comes with the extra images")
    pytest.importorskip("PIL", reason="Pillow comes with the extra images")
    onnx = pytest.importorskip("onnx", reason="it comes with the extra images")
    helper, kind = onnx.helper, onnx.TensorProto
    shape = [1, 3, 8, 8] if planes else [1, 8, 8, 3]
    graph = helper.make_graph(
        [helper.make_node("Identity", ["image"], ["features"])],
        "colours",
        [helper.make_tensor_value_info("image", kind.FLOAT, shape)],
        [helper.make_tensor_value_info("features", kind.FLOAT, shape)],
    )
    model = _model(graph)
    helper.set_model_props(model, told or {"mean": "0", "std": "1", "crop": "1"})
    file.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(file))
    return str(file)


def _model(graph: object) -> object:
    import onnx

    opset = onnx.helper.make_opsetid("", 13)
    return onnx.helper.make_model(graph, opset_imports=[opset], ir_version=8)


def picture(
    colour: object = (255, 0, 0),
    size: tuple[int, int] = (32, 24),
    form: str = "PNG",
    mode: str = "RGB",
) -> bytes:
    """An image of one colour."""
    pillow = pytest.importorskip("PIL.Image", reason="Pillow comes with the extra images")
    out = io.BytesIO()
    pillow.new(mode, size, colour).save(out, form)
    return out.getvalue()
