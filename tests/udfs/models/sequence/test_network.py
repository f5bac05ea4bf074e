from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.udfs.models.own.files import graph, save, sequence, told
from udfs.errors import ConfigError
from udfs.events.batch import item_key
from udfs.models.own.network import ModelFailure
from udfs.models.sequence.network import AT_ONCE, SequenceNetwork

VECTORS = np.array([[1, 0], [0, 1], [3, 4]], np.float32)


def test_it_says_what_users_want(tmp_path: Path) -> None:
    network = SequenceNetwork(sequence(tmp_path / "m", ["a", "b", "c"], VECTORS, length=2))
    assert network.length == 2
    assert network.vectors.tolist() == [[0, 0], *VECTORS.tolist()]
    found = dict(zip(network.keys.tolist(), network.rows.tolist(), strict=True))
    assert found == {item_key("a"): 1, item_key("b"): 2, item_key("c"): 3}
    assert (np.diff(network.keys.astype(object)) > 0).all()
    assert network.run(np.array([[0, 3], [1, 2]])).tolist() == [[3, 4], [1, 1]]
    assert network.run(np.zeros((0, 2), np.int64)).shape == (0, 2)


def test_many_users_are_the_same_as_each(tmp_path: Path) -> None:
    network = SequenceNetwork(sequence(tmp_path / "m", ["a", "b", "c"], VECTORS, length=2))
    items = np.random.default_rng(1).integers(0, 4, (AT_ONCE + 3, 2))
    alone = [network.run(items[k : k + 1])[0] for k in range(len(items))]
    np.testing.assert_array_equal(network.run(items), alone)


def test_numbers_that_are_none_are_a_failure(tmp_path: Path) -> None:
    wanted = np.where(VECTORS == 4, np.inf, VECTORS)
    network = SequenceNetwork(sequence(tmp_path / "m", ["a", "b", "c"], VECTORS, wanted=wanted))
    with pytest.raises(ModelFailure, match="not finite"):
        network.run(np.array([[0, 0, 3]]))


def model(tmp_path: Path, **changes: Any) -> Path:
    """A file with one thing that does not fit."""
    given = {
        "items": ("items", "INT64", ["n", 3]),
        "vector": ("vector", "FLOAT", ["n", 2]),
        "of": "rows",
        "told": {"items": json.dumps(["a", "b", "c"])},
    } | changes
    rows = np.vstack([np.zeros((1, 2)), VECTORS]).astype(np.float32)
    made = graph(
        [
            ("Cast", [given["items"][0]], ["whole"], {"to": 7}),
            ("Gather", [given["of"], "whole"], ["each"]),
            ("ReduceSum", ["each", "axis"], [given["vector"][0]], {"keepdims": 0}),
            ("Identity", ["rows"], ["item_vectors"]),
        ],
        [given["items"]],
        [given["vector"], ("item_vectors", "FLOAT", [4, 2])],
        {"rows": rows, "wide": np.ones((4, 5), np.float32), "axis": np.array([1], np.int64)},
    )
    return save(told(made, **given["told"]), tmp_path / "m")


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"items": ("x", "INT64", ["n", 3])}, r"inputs x: int64\[any, 3\]: it must have one"),
        ({"items": ("items", "FLOAT", ["n", 3])}, "must have one, items, of int64"),
        ({"items": ("items", "INT64", ["n", "L"])}, "second size must be a number"),
        ({"items": ("items", "INT64", [1, 3])}, "export it with a first dimension of any size"),
        ({"vector": ("v", "FLOAT", ["n", 2])}, "must have vector and item_vectors"),
        ({"of": "wide", "vector": ("vector", "FLOAT", ["n", 5])}, r"it must be \[2, 2\]"),
        ({"told": {}}, "has no metadata items: set it by onnx.helper.set_model_props"),
        ({"told": {"items": "a,b,c"}}, r"no JSON array of ids .*json\.dumps\(ids\)"),
        ({"told": {"items": '["a", "b"]'}}, "one more row than ids"),
        ({"told": {"items": '["a", "b", "a"]'}}, "3 ids, 2 of them different"),
    ],
)
def test_what_does_not_fit_is_said(tmp_path: Path, changes: dict[str, Any], what: str) -> None:
    with pytest.raises(ConfigError, match=what) as error:
        SequenceNetwork(model(tmp_path, **changes))
    assert str(error.value).startswith(f"sequence.model: {tmp_path / 'm'} ")


def test_the_rest_fits(tmp_path: Path) -> None:
    assert SequenceNetwork(model(tmp_path)).length == 3
