"""The whole stack with a job on it: what the pair of Flink and connector is pinned by."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest
from confluent_kafka import Consumer, Producer

from deploy.download import CACHE, fetch, pinned
from deploy.stack import Ports, Stack
from flink_app.embedded.ports import free_port, in_use
from flink_app.embedded.redis_server import answers
from udfs.errors import ServiceError

pytestmark = pytest.mark.stack

HERE = Path(__file__).parent
KEYS = ("alice", "bob", "carol", "dave")


@pytest.fixture(scope="module")
def jars() -> Path:
    try:
        fetch(pinned("kafka") + pinned("flink"), CACHE)
    except ServiceError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"the jars of Kafka and its connector are needed: {error}")
    return CACHE


@pytest.fixture
def stack(jars: Path, tmp_path: Path) -> Iterator[Stack]:
    ports = {name: free_port() for name in Ports.__struct_fields__}
    stack = Stack(tmp_path / "stack", Ports(**ports), jars)
    yield stack
    stack.down()


class Cluster:
    """What the test does with the stack: produce, submit, look, cancel."""

    def __init__(self, stack: Stack, marker: Path) -> None:
        self._stack = stack
        self._marker = marker

    def produce(self, lines: list[str], codec: str) -> None:
        producer = Producer(
            {"bootstrap.servers": self._stack.kafka_bootstrap, "compression.type": codec}
        )
        for number, line in enumerate(lines):
            producer.produce("events", line.encode(), partition=number % 2)
        assert producer.flush(30) == 0

    def submit(self, *options: str) -> str:
        """`flink run` with these options for the job; the job's id."""
        arguments = ["-py", str(HERE / "count_job.py"), "-pyfs", str(HERE / "count_operator.py")]
        if "--bounded" not in options:
            arguments.insert(0, "-d")
        service = (self._stack.kafka_bootstrap, "events")
        command, environment = self._stack.flink_command("run", *arguments, *service, *options)
        done = subprocess.run(
            [*command, str(self._marker)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        found = re.search(r"JobID ([0-9a-f]{32})", done.stdout)
        assert found, done.stdout
        return found[1]

    def rest(self, path: str, method: str = "GET") -> Any:
        request = urllib.request.Request(f"{self._stack.flink_rest_url}{path}", method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=10) as answer:
            return json.load(answer)

    def state(self, job: str) -> str:
        return str(self.rest(f"/jobs/{job}")["state"])

    def checkpoints(self, job: str) -> dict[str, int]:
        counts: dict[str, int] = self.rest(f"/jobs/{job}/checkpoints")["counts"]
        return counts

    def counts(self, topic: str, expected: dict[str, int]) -> set[int]:
        """Read `topic` until each key has reached its count; the TaskManagers' process ids."""
        consumer = Consumer(
            {
                "bootstrap.servers": self._stack.kafka_bootstrap,
                "group.id": f"reader-of-{topic}",
                "auto.offset.reset": "earliest",
                # The topic appears with the job's first record.
                "allow.auto.create.topics": True,
            }
        )
        consumer.subscribe([topic])
        found: dict[str, int] = {}
        pids: set[int] = set()
        deadline = time.monotonic() + 120
        while found != expected:
            assert time.monotonic() < deadline, found
            message = consumer.poll(0.5)
            if message is None or message.error():
                continue
            pid, key, count, *_ = (message.value() or b"").decode().split()
            found[key] = max(found.get(key, 0), int(count))
            pids.add(int(pid))
        consumer.close()
        return pids


def wait_for(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_jobs_come_and_go_in_the_same_task_managers(stack: Stack, tmp_path: Path) -> None:
    assert stack.up() == ["kafka", "redis", "flink"]
    pids = [pid for line in stack.status() for pid in line.pids]
    task_managers = set(stack.status()[2].pids[1:])
    assert len(task_managers) == 2
    assert answers(stack.redis_url)
    cluster = Cluster(stack, tmp_path / "failed-once")

    # An unbounded job, which checkpoints, fails once, and goes on where it was.
    cluster.produce([f"{key} {n}" for n in range(50) for key in KEYS], "zstd")
    first = cluster.submit("counts-1")
    assert cluster.counts("counts-1", dict.fromkeys(KEYS, 50)) <= task_managers
    done = cluster.checkpoints(first)["completed"]
    wait_for(lambda: cluster.checkpoints(first)["completed"] > done)
    cluster.produce(["fail", *(f"{key} {n}" for n in range(50) for key in KEYS)], "lz4")
    expected = {**dict.fromkeys(KEYS, 100), "fail": 1}
    assert cluster.counts("counts-1", expected) <= task_managers
    assert (tmp_path / "failed-once").exists()
    assert cluster.checkpoints(first)["restored"] == 1

    cluster.rest(f"/jobs/{first}", "PATCH")
    wait_for(lambda: cluster.state(first) == "CANCELED")

    # A bounded one, in the same JVMs: they must not load the interpreter a second time.
    cluster.produce([f"{key} {n}" for n in range(50) for key in KEYS], "snappy")
    second = cluster.submit("--bounded", "counts-2")
    assert cluster.state(second) == "FINISHED"
    expected = {**dict.fromkeys(KEYS, 150), "fail": 1}
    assert cluster.counts("counts-2", expected) <= task_managers
    assert set(stack.status()[2].pids[1:]) == task_managers

    assert stack.down() == ["flink", "redis", "kafka"]
    assert not any(psutil.pid_exists(pid) for pid in pids)
    assert not any(in_use(getattr(stack.ports, name)) for name in Ports.__struct_fields__)
