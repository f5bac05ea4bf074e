"""The packaged job on a real Kafka, Redis and Flink with 1 and then 2 TaskManagers, one slot each.

In: options. Out: tables on standard error, and one line of JSON. Throughput is measured on events
that are in the topic from the start, quality on events with real structure at a steady rate:
MovieLens-100K if available, else the simulated shop. All processes share the machine's cores, so
the CPU time per event of each is measured too, from which follows what more machines could do.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import redis
from rich.console import Console
from rich.table import Table

from benchmarks.cluster_events import Events, pace, structured
from benchmarks.cluster_fresh import Rate, freshness
from benchmarks.cluster_jobs import kafka, rates, submit, wait, watch
from benchmarks.load import DIMENSIONS, EXPONENT, ITEMS, LENGTH, USERS
from benchmarks.usage import key_bytes, peak_mib, processes
from deploy.download import CACHE
from deploy.stack import Stack
from flink_app.simulator import zipf_events
from flink_app.writers.kafka import KafkaWriter

_STEPS = ("parse", "user learner", "item learner", "stats")


def throughput(
    stack: Stack, folder: Path, events: int, subtasks: int, settings: Sequence[str]
) -> dict[str, Any]:
    """One bounded run over the topic `zipf`; its first third, in which Java compiles, does not
    count."""
    job = submit(
        stack,
        folder,
        "zipf",
        subtasks,
        "source.bounded=true",
        f"model.dimensions={DIMENSIONS}",
        f"lists.length={LENGTH}",
        *settings,
    )
    first, last = watch(stack, job, events, events // 3)
    wait(stack, job, "FINISHED")
    pids, client = processes(stack), redis.Redis.from_url(stack.redis_url)
    checkpoint = stack.rest(f"/jobs/{job}/checkpoints")["latest"]["completed"] or {}
    memory: Any = client.info("memory")
    return {
        **rates(first, last),
        "shuffled_bytes": shuffled(stack.rest(f"/jobs/{job}"), events),
        "balanced": last.totals.learned == events,
        "peak_mib": peak_mib(pids),
        "redis_peak_mib": round(memory["used_memory_peak"] / 2**20),
        "list_bytes": key_bytes(client, "rec:*"),
        "similar_bytes": key_bytes(client, "similar:*"),
        "state_mib": round(checkpoint.get("state_size", 0) / 2**20, 1),
    }


def shuffled(job: dict[str, Any], events: int) -> dict[str, int]:
    """Bytes per event that each operator sends, to this machine or another."""
    found: dict[str, int] = {}
    for vertex in job["vertices"]:
        step = next((step for step in _STEPS if step in vertex["name"]), "source")
        found[step] = found.get(step, 0) + round(vertex["metrics"]["write-bytes"] / events)
    return found


def quality(stack: Stack, folder: Path, events: Events, subtasks: int, rate: int) -> dict[str, Any]:
    """One live run: `rate` events/s, each of which is a test before it is learned."""
    topic = f"live-{subtasks}"
    with KafkaWriter(stack.kafka_bootstrap, topic) as writer:
        pace(writer, events.lines[:1], rate)  # makes the topic
        writer.flush()
        job = submit(
            stack, folder, topic, subtasks, "quality.every=1", *events.settings,
            arguments=("--sequential-tests",),
        )  # fmt: skip
        watch(stack, job, 1)
        pace(writer, events.lines[1:], rate)
    _, last = watch(stack, job, len(events.lines))
    stack.rest(f"/jobs/{job}", "PATCH")
    wait(stack, job, "CANCELED")
    found = last.totals.total_quality
    return {
        "events": last.totals.learned,
        "tests": round(found["served:tests"]),
        **{f"{name}": round(found[f"served:{name}"], 4) for name in ("recall@10", "ndcg@10")},
        "popular_recall@10": round(found["popular:recall@10"], 4),
        "freshness_p50_ms": last.totals.total_freshness_p50_ms,
        "freshness_p99_ms": last.totals.total_freshness_p99_ms,
    }


def main() -> None:
    """Generate, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=600_000, help="of the throughput run")
    parser.add_argument("--live", type=int, default=21_201, help="events of the quality run")
    parser.add_argument("--rate", type=int, default=150, help="events/s of the quality run")
    parser.add_argument("--fresh", type=int, default=500, help="events/s of the freshness run")
    parser.add_argument("--warm", type=int, default=60, help="its seconds before the last minute")
    parser.add_argument("--data", type=Path, help="u.data of MovieLens-100K, or its folder")
    parser.add_argument("--set", action="append", default=[], help="an option of all runs' jobs")
    parser.add_argument("--task-managers", type=int, nargs="+", default=[1, 2])
    options = parser.parse_args()
    runs: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name, kafka(Path(name) / "stack", 2) as ports:
        folder = Path(name)
        live = structured(options.data, options.live, folder)
        live = live._replace(settings=(*live.settings, *options.set))
        for subtasks in options.task_managers:
            stack = Stack(folder / "stack", ports, CACHE, subtasks)
            stack.up()
            if not runs:
                with KafkaWriter(stack.kafka_bootstrap, "zipf") as writer:
                    for chunk in zipf_events(options.events, USERS, ITEMS, EXPONENT):
                        writer.write(chunk.splitlines())
            say(f"throughput, {subtasks} TaskManagers: {options.events:,} events …")
            speed = throughput(stack, folder, options.events, subtasks, options.set)
            say(f"quality, {subtasks} TaskManagers: {len(live.lines):,} events …")
            tested = quality(stack, folder, live, subtasks, options.rate)
            say(f"freshness, {subtasks} TaskManagers: {options.fresh:,} events/s …")
            rate = Rate(options.fresh, options.warm, 60)
            fresh = freshness(stack, folder, subtasks, rate, options.set)
            runs[str(subtasks)] = speed | tested | {f"{options.fresh}/s": fresh}
            stack.down(["flink", "redis"])
    figures = {"cpus": os.cpu_count(), "events": options.events, "live": live.name, "runs": runs}
    report(figures)
    print(json.dumps(figures))


def say(text: str) -> None:
    """Print progress."""
    print(text, file=sys.stderr)


def report(figures: dict[str, Any]) -> None:
    """Print a table: a row for each figure, a column for each number of TaskManagers."""
    runs = figures["runs"]
    table = Table(title=f"TaskManagers, on {figures['cpus']} cores; quality: {figures['live']}")
    table.add_column("")
    for subtasks in runs:
        table.add_column(subtasks, justify="right")
    rows = [dict(flat(run)) for run in runs.values()]
    for name in dict.fromkeys(key for row in rows for key in row):
        table.add_row(name, *(f"{row[name]:,}" if name in row else "" for row in rows))
    Console(stderr=True).print(table)


def flat(run: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Grouped figures, each as a row of its own.

    >>> list(flat({"seconds": 2, "cpu_us": {"redis": 3}}))
    [('seconds', 2), ('cpu_us: redis', 3)]
    """
    for name, value in run.items():
        if isinstance(value, dict):
            yield from ((f"{name}: {part}", figure) for part, figure in value.items())
        else:
            yield name, value


if __name__ == "__main__":
    main()
