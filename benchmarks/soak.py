"""A steady load over a long time: memory, checkpoints and freshness must remain stable.

In: minutes and events/s. Out: a table and `benchmarks/out/soak.json`, exit code 1 if something
grew. The packaged job runs on a real Kafka, Redis and Flink with one TaskManager, RocksDB and
checkpoints every 10 s. Histories are limited to 500 items, so that users reach their full size.
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import redis
from rich.console import Console
from rich.table import Table

from benchmarks.cluster_jobs import kafka, submit
from benchmarks.load import EXPONENT, ITEMS, USERS
from benchmarks.usage import processes, resident_mib
from deploy.download import CACHE
from deploy.stack import Stack
from flink_app.console.totals import read_totals
from flink_app.graph.java import java_home
from flink_app.simulator import zipf_events
from flink_app.writers.kafka import KafkaWriter

OUT = Path(__file__).parent / "out" / "soak.json"
STEP_S = 0.02
WARM = 1 / 3  # of the time: caches fill, Java compiles, histories grow
MOST = {
    "redis resident MiB": 0.05,
    "taskmanager 1 resident MiB": 0.05,
    "live heap MiB": 0.05,
    "checkpoint MiB": 0.2,
    "freshness p50 ms": 0.5,
}
"""The maximum growth per hour, as a share of the mean, by the end of a figure's name. For pure Java
processes the live objects in the heap count, since the heap itself grows to its limit, needed or
not."""


def feed(writer: KafkaWriter, rate: int, stop: threading.Event, sent: list[int]) -> None:
    """Write `rate` events/s until `stop` is set; at its end, the stream starts again."""
    lines = itertools.cycle(
        [
            line
            for chunk in zipf_events(500_000, USERS, ITEMS, EXPONENT)
            for line in chunk.splitlines()
        ]
    )
    began, done = time.monotonic(), 0
    while not stop.is_set():
        due = int((time.monotonic() - began) * rate)
        writer.write(list(itertools.islice(lines, due - done)))
        done = sent[0] = due
        time.sleep(STEP_S)


def sample(stack: Stack, job: str, client: redis.Redis) -> dict[str, float]:
    """The current figures."""
    totals = read_totals(client, "")
    checkpoint = stack.rest(f"/jobs/{job}/checkpoints")["latest"]["completed"] or {}
    memory: Any = client.info("memory")
    pids = processes(stack)
    found = {f"{name} resident MiB": float(mib) for name, mib in resident_mib(pids).items()}
    for name in ("kafka", "jobmanager"):
        found[f"{name} live heap MiB"] = live_mib(pids[name])
    return found | {
        "redis data MiB": memory["used_memory"] / 2**20,
        "checkpoint MiB": checkpoint.get("state_size", 0) / 2**20,
        "checkpoint s": checkpoint.get("end_to_end_duration", 0) / 1000,
        "freshness p50 ms": totals.freshness_p50_ms if totals else 0.0,
        "freshness p99 ms": totals.freshness_p99_ms if totals else 0.0,
    }


def live_mib(pid: int) -> float:
    """MiB of the live objects in a Java process, after a garbage collection."""
    command = [str(java_home() / "bin" / "jcmd"), str(pid), "GC.class_histogram"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return int(done.stdout.split()[-1]) / 2**20


def accounted(client: redis.Redis) -> int:
    """Events that the job has learned or dropped; the one that creates the topic is repeated."""
    totals = read_totals(client, "")
    return totals.learned + totals.duplicates if totals else 0


def slopes(minutes: list[float], samples: list[dict[str, float]]) -> dict[str, float]:
    """Growth per hour of each figure, as a share of its mean, after warming up.

    >>> slopes([0, 1, 2, 3], [{"x": v} for v in (9.0, 1.0, 1.1, 1.2)])["x"] > 5
    True
    """
    first = int(len(minutes) * WARM)
    hours = np.array(minutes[first:]) / 60
    found = {}
    for name in samples[-1]:
        values = np.array([each.get(name, 0.0) for each in samples[first:]])
        found[name] = float(np.polyfit(hours, values, 1)[0] / max(values.mean(), 1e-9))
    return found


def grown(found: dict[str, float]) -> list[str]:
    """The figures that grow faster than allowed."""
    return [
        name
        for name, growth in found.items()
        if any(name.endswith(kind) and growth > most for kind, most in MOST.items())
    ]


def run(folder: Path, stack: Stack, minutes: float, rate: int, each_s: float) -> dict[str, Any]:
    """Load the job for `minutes`, and take the figures every `each_s` seconds."""
    stop, sent, client = threading.Event(), [0], redis.Redis.from_url(stack.redis_url)
    samples: list[dict[str, float]] = []
    times: list[float] = []
    with KafkaWriter(stack.kafka_bootstrap, "soak") as writer:
        writer.write([next(iter(zipf_events(1, USERS, ITEMS, EXPONENT))).strip()])
        writer.flush()
        job = submit(stack, folder, "soak", 1, "state.history=500")
        thread = threading.Thread(target=feed, args=(writer, rate, stop, sent), daemon=True)
        thread.start()
        began = time.monotonic()
        while (passed := time.monotonic() - began) < 60 * minutes:
            time.sleep(each_s)
            times.append(passed / 60)
            samples.append(sample(stack, job, client))
            print(json.dumps({k: round(v, 1) for k, v in samples[-1].items()}), file=sys.stderr)
        stop.set()
        thread.join()
        writer.flush()
        deadline = time.monotonic() + 300
        while accounted(client) < sent[0] + 1 and time.monotonic() < deadline:
            time.sleep(1)
    found = slopes(times, samples)
    return {
        "minutes": minutes,
        "rate": rate,
        "sent": sent[0] + 1,
        "accounted": accounted(client),
        "slopes_per_hour": found,
        "grown": grown(found),
        "times": times,
        "samples": samples,
    }


def report(figures: dict[str, Any]) -> Table:
    """Each figure after warming up: first, last, and its growth per hour."""
    table = Table(title=f"{figures['minutes']:g} minutes at {figures['rate']:,} events/s")
    for column in ("", "after warming up", "at the end", "per hour"):
        table.add_column(column, justify="left" if not column else "right")
    samples = figures["samples"]
    first = samples[int(len(samples) * WARM)]
    for name, slope in figures["slopes_per_hour"].items():
        shown = f"{first.get(name, 0):,.1f}", f"{samples[-1][name]:,.1f}"
        table.add_row(name, *shown, f"{slope:+.1%}")
    return table


def main() -> None:
    """Run, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rate", type=int, default=5_000, help="events/s")
    parser.add_argument("--each", type=float, default=30, help="seconds between samples")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, kafka(Path(name) / "stack", 1) as ports:
        stack = Stack(Path(name) / "stack", ports, CACHE, 1)
        stack.up()
        figures = run(Path(name), stack, options.minutes, options.rate, options.each)
        stack.down(["flink", "redis"])
    Console(stderr=True).print(report(figures))
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_bytes(msgspec.json.format(msgspec.json.encode(figures)))
    print(json.dumps({key: figures[key] for key in ("sent", "accounted", "grown")}))
    if figures["grown"] or figures["accounted"] != figures["sent"]:
        raise SystemExit("something grew, or events are missing: see above")


if __name__ == "__main__":
    main()
