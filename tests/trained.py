"""Trains the examples on a small log: `python -m tests.trained` makes tests/fixtures/models again.

In: nothing. Out: a ranker of Keras and a sequence model of PyTorch, as the examples' own commands
write them. Each example has an environment of its own in benchmarks/out/venvs, made from the line
in its head: PyTorch takes 5 GB and TensorFlow 2 GB there, so that tests read what was kept.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.environments import python_of
from tests.documents import ROOT
from udfs.ranking.features import names

EXAMPLES = ROOT / "examples" / "models"
KEPT = ROOT / "tests" / "fixtures" / "models"
ITEMS = [f"item ü{n}" for n in range(12)]


def rankings(count: int, seed: int) -> list[dict[str, Any]]:
    """A log in which the item with the most of two features is taken, and i follows i − 1."""
    rng, rows = np.random.default_rng(seed), []
    for at in range(count):
        size = int(rng.integers(4, 12))
        first = int(rng.integers(12))
        history = [ITEMS[(first + n) % 12] for n in range(int(rng.integers(1, 5)))]
        taken = ITEMS[(first + len(history)) % 12]
        others = [item for item in rng.permutation(ITEMS).tolist() if item != taken]
        columns = {name: rng.normal(size=size).round(3) for name in names()}
        best = int(np.argmax(columns["item-cf"] + columns["product"]))
        rows.append(
            {
                "at": at,
                "user": None,
                "history": history,
                "taken": taken,
                "items": [*others[:best], taken, *others[best : size - 1]],
                "position": [*range(1, size + 1)],
                "propensity": [1.0] * size,
                "features": {name: column.tolist() for name, column in columns.items()},
            }
        )
    return rows


def needed(example: str) -> list[str]:
    """The packages in the head of an example."""
    found = re.search(r"pip install (.*)", (EXAMPLES / f"{example}.py").read_text("utf-8"))
    assert found is not None
    return found[1].split()


def train(example: str, out: Path, python: str = sys.executable) -> None:
    """Run an example on a log of 600 rankings.

    Raises:
        RuntimeError: it fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log.jsonl"
        log.write_text("".join(json.dumps(row) + "\n" for row in rankings(600, 3)), "utf-8")
        command = [python, str(EXAMPLES / f"{example}.py"), str(log), str(out)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{example}: {done.stdout[-2000:]}{done.stderr[-4000:]}")


def with_environment(example: str, out: Path) -> None:
    """The same, in an environment of its own; see `python_of`."""
    train(example, out, python_of(f"models-{example}", needed(example)))


if __name__ == "__main__":
    for one in ("network", "gru"):
        with_environment(one, KEPT / f"{one}.onnx")
