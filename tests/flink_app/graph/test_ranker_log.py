"""What the ranker ranked, as a table; a whole run writes it, and the examples learn from that."""

from __future__ import annotations

import json
import math
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flink_app.config import load
from flink_app.connections.kafka import connector_jars
from flink_app.connections.storage import addresses
from flink_app.graph.ranker_log import table
from udfs.operators import flink
from udfs.ranking.features import names
from udfs.ranking.log import LAST, Ranking

ODD = "ü 🎈'\"\\\n"
NAMES = [*names()]


def made(*settings: str) -> str:
    return table(load(None, list(settings), {}).config)


def test_a_folder_gets_parquet_and_a_topic_json_by_the_client_of_the_source() -> None:
    assert "'format' = 'parquet'" in made("ranker.log=s3://b/ranked")
    assert "'path' = 's3://b/ranked'" in made("ranker.log=s3://b/ranked")
    topic = made(
        "ranker.log=kafka:ranked",
        "source.brokers=k:1",
        "source.properties.security.protocol=SSL",
    )
    assert "'topic' = 'ranked'" in topic and "'format' = 'json'" in topic
    assert "'properties.bootstrap.servers' = 'k:1'" in topic
    assert "'properties.security.protocol' = 'SSL'" in topic


def test_what_is_downloaded_is_what_the_place_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def cached(use: str) -> list[Path]:
        asked.append(use)
        return []

    monkeypatch.setattr("flink_app.connections.kafka.cached", cached)
    for log, uses in (("", []), ("a", ["parquet"]), ("kafka:a", ["flink"])):
        asked.clear()
        connector_jars(load(None, [f"ranker.log={log}"], {}).config)
        assert asked == uses
    far = load(None, ["ranker.log=s3://b/ranked"], {}).config
    assert list(addresses(far)) == ["s3://b/ranked"]


def test_a_row_has_the_columns_in_order() -> None:
    one = Ranking(1, None, ["a"], "b", ["b"], [0], [1.0], {"taken": [0.5]})
    made = flink.row(one)
    assert flink.RANKING.get_field_names() == [*Ranking._fields]
    assert list(iter(made)) == [*one]


def events(path: Path) -> None:
    """Three groups of users, each with items of its own, and an item for all with an odd id."""
    draw = random.Random(2)
    with path.open("w", encoding="utf-8") as file:
        for n in range(900):
            user = draw.randrange(30)
            item = f"i{user % 3 * 9 + draw.randrange(9)}" if n % 5 else ODD
            at = 1_700_000_000 + 60 * n
            line = {"user": f"user-{user}", "item": item, "type": "click", "ts": at}
            file.write(json.dumps(line) + "\n")


def known(path: Path) -> int:
    """How many events the ranker learns from: of users and items that were met before."""
    met: set[str] = set()
    found = 0
    for line in map(json.loads, path.open(encoding="utf-8")):
        found += {line["user"], line["item"]} <= met
        met |= {line["user"], line["item"]}
    return found


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """What one run writes."""
    folder = tmp_path_factory.mktemp("ranked")
    events(folder / "events.jsonl")
    out = folder / "log"
    sets = f"ranker.log={out}", "ranker.sample=1", "job.strict=true", "dead_letters.kind=none"
    command = [sys.executable, "-m", "flink_app", "run", str(folder / "events.jsonl")]
    for one in sets:
        command += ["--set", one]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    yield out


@pytest.mark.job
@pytest.mark.xdist_group("ranker log")
def test_a_run_leaves_parquet_with_all_that_was_ranked(log: Path) -> None:
    import pyarrow.parquet as pq

    rows: list[dict[str, Any]] = pq.read_table(log).to_pylist()
    assert len(rows) == known(log.parent / "events.jsonl") > 700
    assert {row["user"] for row in rows} == {None}
    assert ODD in {row["taken"] for row in rows}
    assert ODD in {item for row in rows for item in row["items"]}
    for row in rows:
        count = len(row["items"])
        columns = dict(row["features"])
        assert sorted(columns) == sorted(NAMES)
        assert {*map(len, (row["position"], row["propensity"], *columns.values()))} == {count}
        assert all(map(math.isfinite, np.ravel([*columns.values()])))
        assert set(row["propensity"]) == {1.0}
        assert len(row["history"]) <= LAST and set(row["items"]).isdisjoint(row["history"])
