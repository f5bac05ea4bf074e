"""The packaged job on a real Kafka, Redis and Flink with 1 and then 2 TaskManagers, one slot each.

In: options. Out: tables on standard error, and one line of JSON. Throughput is measured on events
that are in the topic from the start, quality on events with real structure at a steady rate:
MovieLens-100K if available, else the simulated shop. All processes share the machine's cores, so
the CPU time per event of each is measured too, from which follows what more machines could do.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import redis
from rich.console import Console
from rich.table import Table

from benchmarks.cluster_events import Events, pace, structured
from benchmarks.load import DIMENSIONS, EXPONENT, ITEMS, LENGTH, USERS
from benchmarks.usage import Usage, key_bytes, look, peak_mib, processes
from deploy.download import CACHE
from deploy.stack import Ports, Stack
from flink_app.config import load
from flink_app.console.totals import Totals, read_totals
from flink_app.local.ports import free_port
from flink_app.package import write
from flink_app.simulator import zipf_events
from flink_app.writers.kafka import KafkaWriter

_POLL_S = 0.2
_STEPS = ("parse", "user learner", "item learner", "stats")
SHARDS = ("job.shards=2", "job.item_shards=2")  # the largest number of subtasks


class Look(NamedTuple):
    """The job's own totals and the processes' resource usage, at one moment."""

    totals: Totals
    usage: Usage


def submit(
    stack: Stack,
    folder: Path,
    topic: str,
    subtasks: int,
    *settings: str,
    arguments: Sequence[str] = (),
) -> str:
    """Package the job and hand it to Flink with an emptied Redis; returns its id.

    Args:
        arguments: of `flink_app.main`.
    """
    redis.Redis.from_url(stack.redis_url).flushall()
    given = [
        "source.kind=kafka",
        f"source.topic={topic}",
        f"source.brokers={stack.kafka_bootstrap}",
        "source.start=earliest",
        f"redis.url={stack.redis_url}",
        "dead_letters.kind=none",
        *SHARDS,
        *settings,
    ]
    archive = folder / f"{topic}-{subtasks}.zip"
    write(archive, load(None, given, {}))
    code = ("-pyfs", str(archive), "-pym", "flink_app.main")
    return stack.submit("-d", "-p", str(subtasks), *code, *arguments)


def watch(stack: Stack, job: str, events: int, warm: int = 1) -> tuple[Look, Look]:
    """Wait until all events are accounted for; returns the first look with `warm` events learned,
    and the last look.

    Raises:
        SystemExit: the job failed, or ended with fewer events.
    """
    client, pids, first = redis.Redis.from_url(stack.redis_url), processes(stack), None
    while True:
        ended = state(stack, job) == "FINISHED"
        totals = read_totals(client, "")
        if totals is not None and totals.learned >= warm:
            last = Look(totals, look(pids, client))
            first = first or last
            if totals.received == events and not totals.missing:
                return first, last
        if ended:
            received = totals.received if totals else 0
            raise SystemExit(f"the job has ended with {received:,} of {events:,} events")
        time.sleep(_POLL_S)


def state(stack: Stack, job: str) -> str:
    """A job's state.

    Raises:
        SystemExit: the job has failed.
    """
    found = str(stack.rest(f"/jobs/{job}")["state"])
    if found in ("FAILED", "FAILING", "RESTARTING"):
        failures = stack.rest(f"/jobs/{job}/exceptions")["exceptionHistory"]["entries"]
        raise SystemExit(f"the job is {found}: {failures[0]['stacktrace'] if failures else ''}")
    return found


def wait(stack: Stack, job: str, final: str) -> None:
    """Wait until the job is in the state `final`."""
    while state(stack, job) != final:
        time.sleep(_POLL_S)


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


def rates(first: Look, last: Look) -> dict[str, Any]:
    """Events/s, and the resources used per event, between two looks."""
    # A small number of events may all be learned before the first look.
    events = max(last.totals.learned - first.totals.learned, 1)
    lists = last.totals.lists - first.totals.lists
    seconds = max((last.totals.at - first.totals.at) / 1000, 0.001)
    used = last.usage.since(first.usage)
    before = first.totals

    def each(now: dict[str, int], then: dict[str, int]) -> dict[str, float]:
        return {name: round((v - then.get(name, 0)) / events, 2) for name, v in now.items()}

    return {
        "events": events,
        "seconds": round(seconds, 2),
        "events_per_s": round(events / seconds),
        "lists_per_s": round(lists / seconds),
        "cpu_us": {k: round(1e6 * v / events, 1) for k, v in used.cpu_s.items()},
        "cores": round(sum(used.cpu_s.values()) / max(used.at_s, 0.001), 2),
        "stages_us": each(last.totals.stages, before.stages),
        "feed_bytes": each(last.totals.feed, before.feed),
        "redis": {k: round(v / events, 2) for k, v in used.redis.items()},
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


@contextlib.contextmanager
def kafka(folder: Path, task_managers: int) -> Iterator[Ports]:
    """A Kafka for all runs, with a partition per TaskManager; yields the ports of the stack."""
    ports = Ports(**{name: free_port() for name in Ports.__struct_fields__})
    Stack(folder, ports, CACHE, task_managers).up(["kafka"])
    try:
        yield ports
    finally:
        Stack(folder, ports, CACHE).down()


def main() -> None:
    """Generate, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=600_000, help="of the throughput run")
    parser.add_argument("--live", type=int, default=21_201, help="events of the quality run")
    parser.add_argument("--rate", type=int, default=150, help="events/s of the quality run")
    parser.add_argument("--data", type=Path, help="u.data of MovieLens-100K, or its folder")
    parser.add_argument("--set", action="append", default=[], help="an option of both runs' jobs")
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
            runs[str(subtasks)] = speed | quality(stack, folder, live, subtasks, options.rate)
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
