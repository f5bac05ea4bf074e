"""A small run of `python -m benchmarks.cluster`, on the running stack."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis

from benchmarks.cluster import quality, report, throughput
from benchmarks.cluster_events import structured
from benchmarks.cluster_fresh import Rate, freshness
from benchmarks.usage import processes
from deploy.stack import Stack
from flink_app.simulator import zipf_events
from flink_app.writers.kafka import KafkaWriter
from tests.deploy.stack.cluster import Cluster

pytestmark = pytest.mark.stack


def test_full_speed_and_live_with_two_subtasks(
    running: Stack, cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["kafka", "redis", "jobmanager", "taskmanager 1", "taskmanager 2"]
    assert list(processes(running)) == names
    with KafkaWriter(running.kafka_bootstrap, "zipf") as writer:
        for chunk in zipf_events(6000, 300, 200, 1.0):
            writer.write(chunk.splitlines())
    found = throughput(running, tmp_path, 6000, 2, [])
    assert found["balanced"]
    assert 1 <= found["events"] <= 6000
    assert list(found["cpu_us"]) == names
    assert found["shuffled_bytes"]["parse"] > 20
    assert found["shuffled_bytes"]["user learner"] > 100
    assert found["list_bytes"] > 1000
    assert found["state_mib"] > 0
    client = redis.Redis.from_url(running.redis_url)
    assert len(client.keys("rec:*")) > 200  # type: ignore[arg-type]

    monkeypatch.setattr("benchmarks.evaluate.DATA", tmp_path)
    live = structured(None, 600, tmp_path)
    served = quality(running, tmp_path, live, 2, 300)
    assert served["events"] == 600
    assert 0 < served["tests"] < 600
    assert 0 <= served["recall@10"] <= 1
    assert served["freshness_p50_ms"] > 0

    fresh = freshness(running, tmp_path, 2, Rate(100, 2, 6))
    assert 30 < fresh["events_per_s"] <= 150
    assert 0 < fresh["p50_ms"] <= fresh["p99_ms"]
    assert 0 < fresh["cores of taskmanager 1"] <= fresh["cores"]
    report({"cpus": 2, "live": live.name, "runs": {"2": found | served | {"100/s": fresh}}})
