"""Flink's plan becomes a picture: helpers go, the SQL is one step, keys are marked."""

from __future__ import annotations

from unittest.mock import Mock

import msgspec
import pytest

from flink_app import job
from flink_app.config import load
from flink_app.local.plan import Step, as_mermaid, as_text, steps
from tests.udfs.formats.pretend import pretended


def node(number: int, name: str, *before: tuple[int, str], parallelism: int = 2) -> object:
    edges = [{"id": id_, "ship_strategy": ship, "side": "second"} for id_, ship in before]
    found = {"id": number, "type": name, "pact": "Operator", "parallelism": parallelism}
    return {**found, "predecessors": edges} if edges else found


PLAN = msgspec.json.encode(
    {
        "nodes": [
            node(1, "Source: source0[1]"),
            node(2, "Calc[2]", (1, "FORWARD")),
            node(3, "GroupWindowAggregate[6]", (2, "HASH")),
            node(4, "TableToDataStream", (3, "FORWARD")),
            node(5, "parse", (4, "FORWARD")),
            node(8, "user learner", (5, "HASH")),
            node(9, "dead letters: Writer", (5, "REBALANCE"), parallelism=1),
            node(10, "dead letters: Committer", (9, "FORWARD"), parallelism=1),
            node(11, "layout: shards=1: Writer", (8, "FORWARD"), parallelism=1),
        ]
    }
).decode()

STEPS = [
    Step("source0", 2, ()),
    Step("micro-batches", 2, (("source0", False),)),
    Step("parse", 2, (("micro-batches", False),)),
    Step("user learner", 2, (("parse", True),)),
    Step("dead letters", 1, (("parse", False),)),
]


def test_steps() -> None:
    assert steps(PLAN) == STEPS


def test_text() -> None:
    assert as_text(STEPS).splitlines()[2:4] == [
        "parse          x2  <- micro-batches",
        "user learner   x2  <- parse by key  -> Redis rec:<user>, similar:<item>, popular, "
        "trending",
    ]


def test_mermaid() -> None:
    lines = as_mermaid(STEPS).splitlines()
    assert lines[0] == "flowchart LR"
    assert '  n3["user learner x2"]' in lines
    assert "  n2 -->|by key| n3" in lines
    assert '  n3 -.->|"rec:#lt;user#gt;, similar:#lt;item#gt;, popular, trending"| redis' in lines


class Built(Exception):
    """The graph is built up to here."""


def test_a_graph_is_built_without_a_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan would have to be let in otherwise, and would register the schema of lists."""
    monkeypatch.setattr(job, "check_layout", Mock())
    monkeypatch.setattr(job, "micro_batches", Mock())
    monkeypatch.setattr(job, "decode_settings", Mock(side_effect=Built))
    lists = "lists_topic.topic=recs", "lists_topic.format=avro"
    with pretended() as there:
        settings = ["source.kind=kafka", "source.format=avro", f"schema_registry.url={there.url}"]
        config = load(None, [*settings, *lists], {}).config
        with pytest.raises(Built):
            job.build(Mock(), Mock(), config)
        assert not there.asked and not there.subjects
