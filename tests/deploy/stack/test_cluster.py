"""The stack runs a job, so the pinned versions of Flink and the connector work together."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.stack import Stack
from flink_app.local.redis_server import answers
from tests.deploy.stack.cluster import Cluster
from tests.waiting import wait_for

pytestmark = pytest.mark.stack

HERE = Path(__file__).parent
KEYS = ("alice", "bob", "carol", "dave")


def test_jobs_come_and_go_in_the_same_task_managers(
    running: Stack, cluster: Cluster, tmp_path: Path
) -> None:
    task_managers = set(running.status()[2].pids[1:])
    assert len(task_managers) == 2
    assert answers(running.redis_url)
    marker = tmp_path / "failed-once"
    code = ["-py", str(HERE / "count_job.py"), "-pyfs", str(HERE / "count_operator.py")]
    kafka = (running.kafka_bootstrap, "counted")

    # An unbounded job, which takes checkpoints, fails once, and resumes.
    cluster.produce("counted", [f"{key} {n}" for n in range(50) for key in KEYS], "zstd")
    first = cluster.submit("-d", *code, *kafka, "counts-1", str(marker))
    assert cluster.counts("counts-1", dict.fromkeys(KEYS, 50)) <= task_managers
    done = cluster.checkpoints(first)["completed"]
    wait_for(lambda: cluster.checkpoints(first)["completed"] > done, 120)
    cluster.produce("counted", ["fail", *(f"{key} {n}" for n in range(50) for key in KEYS)])
    expected = {**dict.fromkeys(KEYS, 100), "fail": 1}
    assert cluster.counts("counts-1", expected) <= task_managers
    assert marker.exists()
    # Flink's REST API reports checkpoints a few seconds late.
    wait_for(lambda: cluster.checkpoints(first)["restored"] == 1, 120)
    cluster.cancel(first)

    # A bounded one, in the same JVMs: they must not load the interpreter a second time.
    cluster.produce("counted", [f"{key} {n}" for n in range(50) for key in KEYS], "snappy")
    second = cluster.submit(*code, *kafka, "--bounded", "counts-2", str(marker))
    assert cluster.state(second) == "FINISHED"
    expected = {**dict.fromkeys(KEYS, 150), "fail": 1}
    assert cluster.counts("counts-2", expected) <= task_managers
    assert set(running.status()[2].pids[1:]) == task_managers
