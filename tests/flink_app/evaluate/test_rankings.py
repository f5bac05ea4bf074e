"""Rows of the ranker's log, as JSON and as Parquet, and the places that policies give."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flink_app.evaluate.rankings import places, read
from udfs.errors import ConfigError

ROWS: list[dict[str, Any]] = [
    {
        "user": "ann",
        "taken": "b",
        "items": ["a", "b", "c"],
        "position": [1, 2, 0],
        "propensity": [1.0, 0.25, 1.0],
        "features": {"item-cf": [0.1, 0.9, 0.5], "events": [3.0, 2.0, 9.0]},
    },
    {
        "user": None,
        "taken": "z",
        "items": ["c", "a"],
        "position": [2, 1],
        "propensity": [1.0, 1.0],
        "features": {"events": [1.0, 5.0]},
    },
    {
        "user": "ann",
        "taken": "a",
        "items": ["a"],
        "position": [0],
        "propensity": [1.0],
        "features": {"events": [1.0]},
    },
]


@pytest.fixture(params=["json", "parquet", "folder"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / ("ranked.jsonl" if request.param == "json" else "part-0.parquet")
    if request.param == "json":
        path.write_bytes(b"\n".join(map(msgspec.json.encode, ROWS)))
        return path
    kind = pa.map_(pa.string(), pa.list_(pa.float32()))
    rows = [{**row, "features": [*row["features"].items()]} for row in ROWS]
    columns = {name: [row[name] for row in rows] for name in rows[0] if name != "features"}
    table = pa.table({**columns, "features": pa.array([row["features"] for row in rows], kind)})
    pq.write_table(table, path)
    return tmp_path if request.param == "folder" else path


def test_rows_are_read_in_each_form(log: Path) -> None:
    found = read([log])
    assert found.names == ["events", "item-cf"] and found.length == 2
    assert found.log.lists.tolist() == [0, 0, 0, 1, 1], "a row without a list says nothing"
    assert found.log.users.tolist() == [0, 1]
    assert found.log.place.tolist() == [1, 2, 0, 2, 1]
    assert found.log.chance.tolist() == [1.0, 0.25, 1.0, 1.0, 1.0]
    assert found.log.taken.tolist() == [False, True, False, False, False]
    assert found.log.features[:, 0].tolist() == [3.0, 2.0, 9.0, 1.0, 5.0]
    assert np.allclose(found.log.features[3:, 1], 0.0), "a feature that a row has not"


def test_policies_give_places(log: Path) -> None:
    found = read([log])
    assert places(found, "ranker").tolist() == [1, 2, 0, 1, 2]
    assert places(found, "item-cf").tolist() == [0, 1, 2, 1, 2]
    assert places(found, "events").tolist() == [2, 0, 1, 2, 1]


def test_what_is_no_policy_or_no_log_is_said(tmp_path: Path, log: Path) -> None:
    with pytest.raises(ConfigError, match="--policy item_cf is not a policy: did you mean item-cf"):
        places(read([log]), "item_cf")
    other = tmp_path / "events.jsonl"
    other.write_text('{"user": "ann", "item": "a"}\n')
    for path, words in ((other, "is not what the ranker ranked"), (tmp_path / "no", "cannot be")):
        with pytest.raises(ConfigError, match=words):
            read([path])
