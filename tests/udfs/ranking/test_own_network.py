from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.udfs.models.own.files import graph, ranker, save, told
from udfs.errors import ConfigError
from udfs.models.own.network import ModelFailure
from udfs.ranking.own_network import OwnNetwork

KNOWN = ("item-cf", "product", "taken", "activity")


@pytest.mark.parametrize("columns", [1, 2])
def test_it_scores_named_features_in_its_own_order(tmp_path: Path, columns: int) -> None:
    weights = {"activity": 1.0, "product": -2.0}
    network = OwnNetwork(ranker(tmp_path / "m", weights, columns=columns), KNOWN)
    assert network.pick.tolist() == [3, 1]
    x = np.array([[5, 1], [0, 0.5]], np.float32)
    assert network.run(x).tolist() == [3, -1]


def test_a_classifier_gives_the_probability_of_the_second_class(tmp_path: Path) -> None:
    """As skl2onnx writes it: a label beside the probabilities."""
    model = graph(
        [
            ("MatMul", ["X", "w"], ["probabilities"]),
            ("ArgMax", ["probabilities"], ["label"], {"axis": 1, "keepdims": 0}),
        ],
        [("X", "FLOAT", [None, 1])],
        [("label", "INT64", [None]), ("probabilities", "FLOAT", [None, 2])],
        {"w": np.array([[0.25, 0.75]], np.float32)},
    )
    network = OwnNetwork(save(told(model, features="product"), tmp_path / "m"), KNOWN)
    assert network.run(np.ones((3, 1), np.float32)).tolist() == [0.75] * 3


def test_numbers_that_are_none_are_a_failure(tmp_path: Path) -> None:
    network = OwnNetwork(ranker(tmp_path / "m", {"product": 1.0}), KNOWN)
    with pytest.raises(ModelFailure, match="not finite"):
        network.run(np.full((2, 1), np.nan, np.float32))


def model(tmp_path: Path, **changes: Any) -> Path:
    given = {
        "inputs": [("features", "FLOAT", ["n", 1])],
        "output": ("score", "FLOAT", ["n", 1]),
        "node": ("Identity", ["features"], ["score"]),
        "told": {"features": "product"},
    } | changes
    constants = {"one": np.array([1], np.int64)}
    made = graph([given["node"]], given["inputs"], [given["output"]], constants)
    return save(told(made, **given["told"]), tmp_path / "m")


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"told": {}}, 'has the metadata features "": set it by onnx.helper.set_model_props'),
        ({"told": {"features": "product,product"}}, "each once"),
        (
            {"told": {"features": "price"}},
            "wants the features price, which there are not: train it on some of item-cf, product, "
            "taken, activity",
        ),
        ({"told": {"features": "product, taken"}}, r"one, of float\[any, 2\] for the 2 names"),
        (
            {"inputs": [("features", "FLOAT", ["n", 1]), ("more", "FLOAT", ["n", 1])]},
            r"has the inputs features: float\[any, 1\], more",
        ),
        (
            {"node": ("Shape", ["features"], ["score"]), "output": ("score", "INT64", [2])},
            'zipmap": False',
        ),
        (
            {
                "node": ("Squeeze", ["features", "one"], ["score"]),
                "inputs": [("features", "FLOAT", [1, 1])],
                "output": ("score", "FLOAT", [1]),
            },
            "first dimension of any size",
        ),
    ],
)
def test_what_does_not_fit_is_said(tmp_path: Path, changes: dict[str, Any], what: str) -> None:
    with pytest.raises(ConfigError, match=what) as error:
        OwnNetwork(model(tmp_path, **changes), KNOWN)
    assert str(error.value).startswith(f"ranker.model: {tmp_path / 'm'} ")


def test_the_rest_fits(tmp_path: Path) -> None:
    assert OwnNetwork(model(tmp_path), KNOWN).pick.tolist() == [1]
