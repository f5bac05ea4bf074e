"""The example beside Spark's sample job; tests/deploy/stack runs a job configured like it."""

from __future__ import annotations

import ast

import pytest

from benchmarks.list_sinks import report
from benchmarks.spark_sample import EXAMPLE
from flink_app.config import load
from flink_app.config.check import check
from flink_app.graph.lists_topic import topic_kinds


def test_the_configuration_reads_and_writes_what_the_job_does() -> None:
    config = load(EXAMPLE / "millirec.toml", [], {}).config
    check(config)
    assert (config.source.topic, config.source.preset) == ("user_events", "key-value")
    assert (config.lists_topic.topic, topic_kinds(config)) == ("recommendations", ("user",))
    job = ast.parse((EXAMPLE / "sample_job.py").read_text("utf-8"))
    words = {node.value for node in ast.walk(job) if isinstance(node, ast.Constant)}
    assert {config.source.topic, config.lists_topic.topic} <= words


def test_the_medians_with_and_without_a_sink_are_compared(
    capsys: pytest.CaptureFixture[str],
) -> None:
    figures = {"events": 10, "lists_per_s": 4, "job_cpu_s": 2.0, "server_cpu_s": 0.0}
    runs = [figures | {"sink": n % 2 == 1, "events_per_s": 100 - 10 * (n % 2)} for n in range(6)]
    found = report(runs)
    assert found["events_per_s"] == {"without": 100, "with": 90, "ratio": 0.9}
    assert found["server_cpu_s"]["ratio"] is None
    assert "3 pairs of runs" in capsys.readouterr().err
