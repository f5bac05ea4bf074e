"""What the tests do with a running stack: produce, submit, look, cancel."""

from __future__ import annotations

import json
import re
import subprocess
import time
import urllib.request
from collections.abc import Callable
from typing import Any

from confluent_kafka import Consumer, Producer

from deploy.stack import Stack


class Cluster:
    """What the test does with the stack: produce, submit, look, cancel."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def produce(self, topic: str, lines: list[str], codec: str = "lz4") -> None:
        """Write lines to the two partitions of `topic` in turn."""
        producer = Producer(
            {"bootstrap.servers": self._stack.kafka_bootstrap, "compression.type": codec}
        )
        for number, line in enumerate(lines):
            producer.poll(0)
            producer.produce(topic, line.encode(), partition=number % 2)
        assert producer.flush(30) == 0

    def submit(self, *arguments: str) -> str:
        """`flink run` with these arguments; the job's id."""
        command, environment = self._stack.flink_command("run", *arguments)
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        found = re.search(r"JobID ([0-9a-f]{32})", done.stdout)
        assert found, done.stdout
        return found[1]

    def cancel(self, job: str) -> None:
        """Cancel a job and wait until it has ended."""
        self.rest(f"/jobs/{job}", "PATCH")
        wait_for(lambda: self.state(job) == "CANCELED")

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


def wait_for(what: Callable[[], object]) -> None:
    """Poll until `what` holds; fails after two minutes."""
    deadline = time.monotonic() + 120
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.1)
