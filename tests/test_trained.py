"""The examples that train models: each learns from a small log, and its file says what it learned.

Each runs in an environment of its own, made from the line in its head: TensorFlow and PyTorch have
other needs than Flink. These are kept in benchmarks/out/venvs.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.peers.environments import NotInstalled, python_of
from tests.documents import ROOT
from udfs.ranking.features import names

EXAMPLES = ROOT / "examples" / "models"
NAMES = [*names()]
ITEMS = [f"item ü{n}" for n in range(12)]


def rankings(count: int, rng: np.random.Generator) -> list[dict[str, Any]]:
    """A log in which the item with the most of two features is taken, and i follows i − 1."""
    rows = []
    for at in range(count):
        size = int(rng.integers(4, 12))
        first = int(rng.integers(12))
        history = [ITEMS[(first + n) % 12] for n in range(int(rng.integers(1, 5)))]
        taken = ITEMS[(first + len(history)) % 12]
        others = [item for item in rng.permutation(ITEMS).tolist() if item != taken]
        columns = {name: rng.normal(size=size).round(3) for name in NAMES}
        best = int(np.argmax(columns["item-cf"] + columns["product"]))
        items = [*others[:best], taken, *others[best : size - 1]]
        rows.append(
            {
                "at": at,
                "user": None,
                "history": history,
                "taken": taken,
                "items": items,
                "position": [*range(1, size + 1)],
                "propensity": [1.0] * size,
                "features": {name: column.tolist() for name, column in columns.items()},
            }
        )
    return rows


def trained(example: str, folder: Path) -> Any:
    """What an example makes of a log, in ONNX Runtime."""
    runtime = pytest.importorskip("onnxruntime")
    script = EXAMPLES / example
    needed = re.search(r"pip install (.*)", script.read_text("utf-8"))
    assert needed is not None
    try:
        python = python_of(f"models-{script.stem}", needed[1].split())
    except NotInstalled as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"the packages of {example} cannot be installed: {error}")
    log = folder / "log.jsonl"
    rows = rankings(600, np.random.default_rng(3))
    log.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    command = [python, str(script), str(log), str(folder / "model.onnx")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [path.name for path in folder.glob("model*")] == ["model.onnx"]
    return runtime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])


def of_best(session: Any, rows: list[dict[str, Any]]) -> float:
    """In how many of the rankings the item taken has the largest score."""
    named = session.get_modelmeta().custom_metadata_map["features"].split(",")
    (given,) = session.get_inputs()
    assert sorted(named) == sorted(NAMES) and given.type == "tensor(float)"
    hits = []
    for row in rows:
        x = np.array([row["features"][name] for name in named], np.float32).T
        found = session.run(None, {given.name: x})[-1]
        alone = session.run(None, {given.name: x[:1]})[-1]
        assert found.dtype == np.float32 and len(found) == len(x)
        assert alone.ravel()[-1] == pytest.approx(found[0].ravel()[-1], abs=1e-5)
        scores = found.reshape(len(x), -1)[:, -1]
        hits.append(row["items"][int(scores.argmax())] == row["taken"])
    return float(np.mean(hits))


@pytest.mark.stack
@pytest.mark.parametrize("example", ["trees.py", "network.py"])
def test_a_ranker_has_learned_what_is_taken(example: str, tmp_path: Path) -> None:
    rows = rankings(200, np.random.default_rng(4))
    assert of_best(trained(example, tmp_path), rows) > 0.6  # by chance .14


@pytest.mark.stack
def test_a_sequence_model_has_learned_what_follows(tmp_path: Path) -> None:
    session = trained("gru.py", tmp_path)
    ids = json.loads(session.get_modelmeta().custom_metadata_map["items"])
    (given,) = session.get_inputs()
    assert sorted(ids) == sorted(ITEMS)
    assert (given.name, given.type) == ("items", "tensor(int64)")
    length = given.shape[1]
    assert isinstance(length, int) and not isinstance(given.shape[0], int)
    asked = np.zeros((len(ids), length), np.int64)
    asked[:, -1] = np.arange(1, len(ids) + 1)
    found, items = session.run(["vector", "item_vectors"], {"items": asked})
    assert found.dtype == items.dtype == np.float32 and len(items) == len(ids) + 1
    follows = {ids[row]: ids[int(best)] for row, best in enumerate((found @ items[1:].T).argmax(1))}
    right = [follows[item] == ITEMS[(n + 1) % 12] for n, item in enumerate(ITEMS)]
    assert sum(right) >= 10
    one = session.run(["vector"], {"items": asked[:1]})[0]
    assert one[0] == pytest.approx(found[0], abs=1e-5)


def test_the_examples_know_the_features() -> None:
    found = re.search(r"FEATURES = (\[.*?\])", (EXAMPLES / "rankings.py").read_text("utf-8"))
    assert found is not None and json.loads(found[1]) == NAMES


@pytest.mark.parametrize("example", ["trees.py", "network.py", "gru.py"])
def test_what_an_example_needs_is_in_its_head_and_in_the_requirements(example: str) -> None:
    needed = re.search(r"pip install (.*)", (EXAMPLES / example).read_text("utf-8"))
    listed = (EXAMPLES / "requirements.txt").read_text("utf-8").splitlines()
    assert needed is not None and {*needed[1].split()} <= {*listed}
