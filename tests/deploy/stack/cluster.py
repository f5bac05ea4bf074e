"""Operations of the tests on a running stack: produce, submit, read, cancel."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis
from confluent_kafka import Consumer, Producer

from deploy.stack import Stack
from tests.waiting import wait_for


class Cluster:
    """Operations of a test on the stack: produce, submit, read, cancel."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def produce(self, topic: str, lines: list[str], codec: str = "lz4") -> None:
        """Write lines to the two partitions of `topic`, alternately."""
        producer = Producer(
            {"bootstrap.servers": self._stack.kafka_bootstrap, "compression.type": codec}
        )
        for number, line in enumerate(lines):
            producer.poll(0)
            producer.produce(topic, line.encode(), partition=number % 2)
        assert producer.flush(30) == 0

    def submit(self, *arguments: str) -> str:
        """`flink run` with these arguments; returns the job's id."""
        return self._stack.submit(*arguments)

    def cancel(self, job: str) -> None:
        """Cancel a job and wait until it has ended."""
        self.rest(f"/jobs/{job}", "PATCH")
        wait_for(lambda: self.state(job) == "CANCELED", 120)

    def read(self, topic: str, count: int) -> list[str]:
        """The first `count` messages of `topic`."""
        consumer = self._consumer(topic)
        found: list[str] = []
        deadline = time.monotonic() + 120
        while len(found) < count:
            assert time.monotonic() < deadline, f"{len(found)} of {count}"
            message = consumer.poll(0.5)
            if message is not None and not message.error():
                found.append((message.value() or b"").decode())
        consumer.close()
        return found

    def flink(
        self, *arguments: str, folder: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """`python -m deploy.local flink` with these arguments, as run by a shell in `folder`."""
        command = [sys.executable, "-m", "deploy.local", "flink", *arguments]
        environment = {**os.environ, "STACK_FOLDER": str(self._stack.folder)}
        return subprocess.run(
            command, env=environment, cwd=folder, capture_output=True, text=True, check=False
        )

    def stop(self, job: str, folder: Path) -> str:
        """`flink stop`: end a job with a savepoint below `folder`; returns the savepoint's URI."""
        done = self.flink("stop", "--savepointPath", folder.as_uri(), job)
        wait_for(lambda: self.state(job) == "FINISHED", 120)
        return _savepoint(done)

    def savepoint(self, job: str, folder: str) -> str:
        """`flink savepoint`: take one below the URI `folder` while the job runs on; returns its
        URI."""
        return _savepoint(self.flink("savepoint", job, folder))

    def rest(self, path: str, method: str = "GET", body: dict[str, Any] | None = None) -> Any:
        return self._stack.rest(path, method, body)

    def state(self, job: str) -> str:
        return str(self.rest(f"/jobs/{job}")["state"])

    def checkpoints(self, job: str) -> dict[str, int]:
        counts: dict[str, int] = self.rest(f"/jobs/{job}/checkpoints")["counts"]
        return counts

    def counts(self, topic: str, expected: dict[str, int]) -> set[int]:
        """Read `topic` until each key reaches its count; returns the TaskManagers' process ids."""
        consumer = self._consumer(topic)
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

    def _consumer(self, topic: str) -> Consumer:
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
        return consumer


@contextmanager
def cleared(stack: Stack) -> Iterator[Cluster]:
    """The stack's Flink and Kafka, and a Redis emptied of the lists of other tests; a job that a
    failed test leaves behind is cancelled."""
    with redis.Redis.from_url(stack.redis_url) as client:
        client.flushall()
    cluster = Cluster(stack)
    yield cluster
    for job in cluster.rest("/jobs/overview")["jobs"]:
        if job["state"] not in ("FINISHED", "CANCELED", "FAILED"):
            cluster.cancel(job["jid"])


def _savepoint(done: subprocess.CompletedProcess[str]) -> str:
    """The path printed by one of Flink's commands."""
    found = re.search(r"Savepoint completed\. Path: (\S+)", done.stdout)
    assert found, done.stdout + done.stderr
    return found[1]


def package(stack: Stack, out: Path, topic: str, *settings: str) -> Path:
    """`millirec package` for events in a topic of this stack; dead letters go to `refused`."""
    values = [
        "source.kind=kafka",
        f"source.topic={topic}",
        f"source.brokers={stack.kafka_bootstrap}",
        "dead_letters.kind=kafka",
        "dead_letters.topic=refused",
        f"redis.url={stack.redis_url}",
        "job.shards=2",
        "job.item_shards=2",
        *settings,
    ]
    options = [part for value in values for part in ("--set", value)]
    command = [sys.executable, "-m", "flink_app", "package", "--out", str(out), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return out
