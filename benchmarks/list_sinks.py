"""What lists in a Kafka topic or in Cassandra cost the job: `python -m benchmarks.list_sinks`.

In: the sink, the number of events, and of pairs of runs. Out: a table and a JSON line: events/s,
and CPU time of the job and of the sink's server, of runs without and with the sink, which
alternate; and the ratios. The server and Redis run on the same machine.
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
from flink_app.connections.cassandra import apply_schema
from flink_app.simulator import zipf_events
from udfs.options.cassandra import Cassandra
from udfs.stores.cassandra_schema import schema

SINKS = "kafka", "cassandra", "cassandra-lists"
"""Cassandra with users' histories too, or with lists alone."""
FIGURES = "events_per_s", "lists_per_s", "job_cpu_s", "server_cpu_s"


def options(stack: Stack, sink: str, number: int) -> list[str]:
    """What switches a sink on; Kafka has a new topic for each run."""
    if sink == "kafka":
        return [
            f"lists_topic.topic=lists-{number}",
            f"lists_topic.brokers={stack.kafka_bootstrap}",
        ]
    kept = ["cassandra.hosts=127.0.0.1", f"cassandra.port={stack.ports.cassandra}"]
    return [*kept, "cassandra.history=false"] if sink == "cassandra-lists" else kept


def run(stack: Stack, path: Path, number: int, sink: str) -> dict[str, Any]:
    """One run; every second one has the sink."""
    given = options(stack, sink, number) if number % 2 else []
    before = _cpu(stack, sink)
    found = throughput("millirec", path, stack.redis_url, *given)
    job, server = (
        round(now - then, 2) for now, then in zip(_cpu(stack, sink), before, strict=True)
    )
    return {"sink": bool(given), "job_cpu_s": job, "server_cpu_s": server} | found


def _cpu(stack: Stack, sink: str) -> tuple[float, float]:
    """CPU seconds of all jobs that have ended, and of the sink's server."""
    jobs = resource.getrusage(resource.RUSAGE_CHILDREN)
    name = sink.partition("-")[0]
    pids = [pid for line in stack.status() if line.name == name for pid in line.pids]
    servers = [psutil.Process(pid).cpu_times() for pid in pids]
    return jobs.ru_utime + jobs.ru_stime, sum(one.user + one.system for one in servers)


def report(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """The median of each figure without and with the sink, and their ratio."""
    found: dict[str, Any] = {"runs": len(runs)}
    table = Table(title=f"{runs[0]['events']:,} events, {len(runs) // 2} pairs of runs")
    for column in ("", "without", "with", "with / without"):
        table.add_column(column, justify="right")
    for name in FIGURES:
        off, on = (
            round(statistics.median(one[name] for one in runs if one["sink"] is sink), 1)
            for sink in (False, True)
        )
        ratio = round(on / off, 3) if off else None
        found[name] = {"without": off, "with": on, "ratio": ratio}
        table.add_row(name, f"{off:,}", f"{on:,}", str(ratio))
    Console(stderr=True).print(table)
    return found


def main() -> None:
    """Start the servers, and run the pairs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sink", choices=SINKS)
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
        stack.up([given.sink.partition("-")[0], "redis"])
        try:
            if given.sink != "kafka":
                kept = Cassandra(hosts=["127.0.0.1"], port=ports.cassandra)
                apply_schema(kept, schema(kept.keyspace, 1))
            runs = []
            for number in range(2 * given.pairs):
                runs.append(run(stack, path, number, given.sink))
                print(json.dumps(runs[-1]), file=sys.stderr)
        finally:
            stack.down()
    print(json.dumps(report(runs)))


if __name__ == "__main__":
    main()
