"""What lists in a Kafka topic cost the job: `python -m benchmarks.lists_topic`.

In: the number of events, and of pairs of runs. Out: a table and a JSON line: events/s, and CPU
time of the job and of the broker, of runs without and with the topic, which alternate; and the
ratios. The broker and Redis run on the same machine.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
from rich.console import Console
from rich.table import Table

from benchmarks.load import EXPONENT, ITEMS, USERS
from benchmarks.throughput import throughput
from deploy.download import CACHE
from deploy.stack import Ports, Stack
from flink_app.simulator import zipf_events

FIGURES = "events_per_s", "lists_per_s", "job_cpu_s", "broker_cpu_s"


def run(stack: Stack, path: Path, number: int, *, topic: bool) -> dict[str, Any]:
    """One run; each with the topic has a new one."""
    given = [f"lists_topic.topic=lists-{number}", f"lists_topic.brokers={stack.kafka_bootstrap}"]
    before = _cpu(stack)
    found = throughput("millirec", path, stack.redis_url, *(given if topic else []))
    job, broker = (round(now - then, 2) for now, then in zip(_cpu(stack), before, strict=True))
    return {"topic": topic, "job_cpu_s": job, "broker_cpu_s": broker} | found


def _cpu(stack: Stack) -> tuple[float, float]:
    """CPU seconds of all jobs that have ended, and of the broker."""
    jobs = resource.getrusage(resource.RUSAGE_CHILDREN)
    pids = [pid for line in stack.status() if line.name == "kafka" for pid in line.pids]
    brokers = [psutil.Process(pid).cpu_times() for pid in pids]
    return jobs.ru_utime + jobs.ru_stime, sum(one.user + one.system for one in brokers)


def report(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """The median of each figure without and with the topic, and their ratio."""
    found: dict[str, Any] = {"runs": len(runs)}
    table = Table(title=f"{runs[0]['events']:,} events, {len(runs) // 2} pairs of runs")
    for column in ("", "without", "with", "with / without"):
        table.add_column(column, justify="right")
    for name in FIGURES:
        off, on = (
            statistics.median(one[name] for one in runs if one["topic"] is topic)
            for topic in (False, True)
        )
        ratio = round(on / off, 3) if off else None
        found[name] = {"without": off, "with": on, "ratio": ratio}
        table.add_row(name, f"{off:,}", f"{on:,}", str(ratio))
    Console(stderr=True).print(table)
    return found


def main() -> None:
    """Start a broker and Redis, and run the pairs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=300_000)
    parser.add_argument("--pairs", type=int, default=3)
    given = parser.parse_args()
    ports = Ports.free()
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "events.jsonl"
        with path.open("wb") as file:
            for chunk in zipf_events(given.events, USERS, ITEMS, EXPONENT):
                file.write(chunk)
        stack = Stack(Path(name) / "stack", ports, CACHE)
        stack.up(["kafka", "redis"])
        try:
            runs = []
            for number in range(2 * given.pairs):
                runs.append(run(stack, path, number, topic=number % 2 == 1))
                print(json.dumps(runs[-1]), file=sys.stderr)
        finally:
            stack.down()
    print(json.dumps(report(runs)))


if __name__ == "__main__":
    main()
