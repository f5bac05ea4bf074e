"""Nothing lies between the job's operators, and each sends at once what it emits."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flink_app.config import load
from flink_app.graph.environment import (
    embedded_options,
    environments,
    flink_options,
    prepare_process,
)
from flink_app.job import build

pytestmark = pytest.mark.job


def test_the_plan_has_no_operators_but_the_jobs_own(tmp_path: Path) -> None:
    prepare_process()
    given = ["source.kind=directory", f"source.paths=['{tmp_path}']", "dead_letters.kind=none"]
    config = load(None, given, {}).config
    stream, tables = environments(embedded_options(config) | flink_options(config))
    build(stream, tables, config)
    nodes = json.loads(stream.get_execution_plan())["nodes"]
    names = {node["id"]: node["type"] for node in nodes}
    parse = list(names.values()).index("parse")
    own = list(names.values())[parse:]
    assert own[:-1] == ["parse", "user learner", "item learner", "stats"]
    assert own[-1].startswith("layout: ")
    before = {
        node["type"]: {names[edge["id"]] for edge in node["predecessors"]}
        for node in nodes[parse + 1 :]
    }
    assert before["user learner"] == {"parse"}
    assert before["item learner"] == {"user learner", "parse"}
    assert before["stats"] == {"parse", "user learner", "item learner"}
