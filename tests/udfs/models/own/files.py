"""Small ONNX files of a team's own, made for tests: sums of vectors, weighted sums of features."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest


def save(model: Any, path: Path) -> Path:
    """Put a file into its place at once, as a team should."""
    onnx = pytest.importorskip("onnx", reason="it comes with the extra images")
    beside = path.with_suffix(".part")
    onnx.save(model, str(beside))
    return beside.replace(path)


def graph(
    nodes: list[Any], inputs: list[Any], outputs: list[Any], constants: dict[str, Any]
) -> Any:
    """A model of nodes; inputs and outputs as (name, type, shape)."""
    pytest.importorskip("onnxruntime", reason="ONNX Runtime comes with the extra onnx")
    onnx = pytest.importorskip("onnx", reason="it comes with the extra images")
    helper = onnx.helper
    made = helper.make_graph(
        [helper.make_node(*node[:3], **(node[3] if len(node) > 3 else {})) for node in nodes],
        "small",
        *(
            [helper.make_tensor_value_info(n, getattr(onnx.TensorProto, t), s) for n, t, s in some]
            for some in (inputs, outputs)
        ),
        [onnx.numpy_helper.from_array(values, name) for name, values in constants.items()],
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def told(model: Any, **metadata: str) -> Any:
    """The model with metadata."""
    import onnx

    onnx.helper.set_model_props(model, metadata)
    return model


def sequence(
    path: Path,
    ids: Sequence[str],
    vectors: Any,
    *,
    length: int = 3,
    wanted: Any = None,
    first: Any = "n",
) -> Path:
    """A model whose user wants the sum of what `wanted` (by default `vectors`) has of the last
    items; float32[V, d] without the row of padding."""
    rows = np.vstack([np.zeros((1, np.shape(vectors)[1])), vectors]).astype(np.float32)
    wants = rows if wanted is None else np.vstack([rows[:1], wanted]).astype(np.float32)
    d = rows.shape[1]
    model = graph(
        [
            ("Gather", ["wants", "items"], ["each"]),
            ("ReduceSum", ["each", "axis"], ["vector"], {"keepdims": 0}),
            ("Identity", ["rows"], ["item_vectors"]),
        ],
        [("items", "INT64", [first, length])],
        [("vector", "FLOAT", [first, d]), ("item_vectors", "FLOAT", list(rows.shape))],
        {"rows": rows, "wants": wants, "axis": np.array([1], np.int64)},
    )
    return save(told(model, items=json.dumps(list(ids))), path)


def ranker(path: Path, weights: dict[str, float], *, columns: int = 1) -> Path:
    """A model whose score is a weighted sum of named features, [n], [n, 1] or in the last of more
    columns."""
    w = np.zeros((len(weights), columns), np.float32)
    w[:, -1] = [*weights.values()]
    model = graph(
        [("MatMul", ["features", "w"], ["score"])],
        [("features", "FLOAT", ["n", len(weights)])],
        [("score", "FLOAT", ["n", columns])],
        {"w": w},
    )
    return save(told(model, features=",".join(weights)), path)
