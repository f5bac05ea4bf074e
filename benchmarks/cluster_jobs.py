"""The packaged job on a running stack: handing it to Flink, and waiting for its events.

In: a `Stack`, a topic, options of the job. Out: the id of a running job, and `Look`s: its totals
and what the processes have used.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import redis

from benchmarks.usage import Usage, look, processes
from deploy.download import CACHE
from deploy.stack import Ports, Stack
from flink_app.config import load
from flink_app.console.totals import Totals, read_totals
from flink_app.package import write

_POLL_S = 0.2
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


@contextlib.contextmanager
def kafka(folder: Path, task_managers: int) -> Iterator[Ports]:
    """A Kafka for all runs, with a partition per TaskManager; yields the ports of the stack."""
    ports = Ports.free()
    Stack(folder, ports, CACHE, task_managers).up(["kafka"])
    try:
        yield ports
    finally:
        Stack(folder, ports, CACHE).down()
