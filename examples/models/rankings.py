"""Reads what the job has logged (`ranker.log`), and saves a model where the job finds it.

In: a folder of Parquet files, or a file of JSON lines as they are in Kafka. Out: rankings as
dictionaries, and their candidates as arrays.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pyarrow.parquet as pq
from numpy.typing import NDArray

FEATURES = [
    "item-cf",
    "user-cf",
    "product",
    "taken",
    "decayed",
    "likeness",
    "new",
    "had",
    "last-item",
    "norm",
    "activity",
]


def read(log: str, *columns: str) -> list[dict[str, Any]]:
    """All rankings, in the order of time; `features` as a dictionary of lists. Of Parquet only some
    columns, if any are named: `features` is nearly all of it."""
    if Path(log).is_dir():
        rows = pq.read_table(log, columns=[*columns] or None).to_pylist()
    else:
        rows = [json.loads(line) for line in Path(log).read_text("utf-8").splitlines()]
    for row in rows:
        row["features"] = dict(row.get("features", ()))
    return sorted(rows, key=lambda row: row["at"])


def split(rows: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The rankings to train on, and the last tenth, to test on; of those whose item was a
    candidate, since the others say nothing about the order."""
    rows = [row for row in rows if row["taken"] in row["items"]]
    at = len(rows) - len(rows) // 10
    return rows[:at], rows[at:]


def candidates(rows: list[dict[str, Any]]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The candidates of all rankings: float32[m, F], and float32[m], 1 for those taken."""
    x = [np.stack([row["features"][name] for name in FEATURES], axis=1) for row in rows]
    y = [np.array(row["items"]) == row["taken"] for row in rows]
    return np.concatenate(x).astype(np.float32), np.concatenate(y).astype(np.float32)


def weights(rows: list[dict[str, Any]]) -> NDArray[np.float32]:
    """float32[m]: an item that was shown by chance counts as if it had always been shown."""
    return np.float32(1.0) / np.concatenate([row["propensity"] for row in rows]).astype(np.float32)


def compare(rows: list[dict[str, Any]], scores: NDArray[Any]) -> None:
    """Print how often the item taken is among the first ten, by the job's ranker and by scores."""
    ends = np.cumsum([len(row["items"]) for row in rows])
    before = after = 0
    for row, own in zip(rows, np.split(scores.ravel(), ends[:-1]), strict=True):
        at = row["items"].index(row["taken"])
        before += at < 10
        after += int((own > own[at]).sum()) < 10
    print(f"{len(rows)} tests, hits@10: the job's ranker {before}, this model {after}")


def save(model: onnx.ModelProto, path: str, **metadata: str) -> None:
    """Replace the file as a whole: the job may load it at any moment."""
    onnx.helper.set_model_props(model, metadata)
    for node in model.graph.node:
        del node.metadata_props[:]  # PyTorch notes which lines of which files made it
    model.ir_version = min(model.ir_version, 9)  # what ONNX Runtime 1.17 reads
    part = Path(f"{path}.part")
    onnx.save(model, part)
    part.replace(path)
