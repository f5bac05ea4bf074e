"""`make bench`: the whole embedded job on 1,000,000 events, beside the textbook PyFlink job.

In: nothing but options. Out: a table, and `benchmarks/out/bench.json`. Everything is measured in
one run on one machine: throughput of both jobs, time per stage, peak memory, then the latency of
the job under a steady load.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from itertools import islice
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.load import EXPONENT, ITEMS, USERS
from flink_app.embedded.redis_server import RedisServer
from flink_app.simulator import zipf_events

OUT = Path(__file__).parent / "out"
DIMENSIONS = 64


def measured(module: str, *arguments: str, tree: Path | None = None) -> dict[str, Any]:
    """Run a measuring module, of this source tree or another, as a process; returns the JSON it
    prints last."""
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, cwd=tree)
    if done.returncode:
        raise SystemExit(f"{module} ended with {done.returncode}; its messages stand above")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def throughput(
    job: str, path: Path, redis_url: str, model: str, tree: Path | None = None
) -> dict[str, Any]:
    """One bounded run of `job` over a file of JSON lines, lists made by `model`."""
    return measured(
        "benchmarks.process", job, f"source.paths={json.dumps([str(path)])}",
        f"redis.url={redis_url}", f"model.dimensions={DIMENSIONS}", "lists.length=20",
        "job.shards=1", "job.item_shards=1", "dead_letters.kind=none", f"lists.model={model}",
        tree=tree,
    )  # fmt: skip


def main() -> None:
    """Generate, measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--slice", type=int, default=30_000, help="events of the textbook job")
    parser.add_argument("--rate", type=int, default=5_000, help="events/s of the latency run")
    parser.add_argument("--seconds", type=int, default=40, help="of the latency run")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, RedisServer() as server:
        path, part = Path(folder) / "events.jsonl", Path(folder) / "slice.jsonl"
        with path.open("wb") as file:
            file.writelines(zipf_events(options.events, USERS, ITEMS, EXPONENT))
        with path.open("rb") as lines:
            part.write_bytes(b"".join(islice(lines, options.slice)))
        runs = {}
        for name, job, model, file_ in (
            ("millirec, all models", "millirec", "ranker", path),
            ("millirec, factors alone", "millirec", "mf", path),
            ("textbook, factors alone", "textbook", "mf", part),
        ):
            print(f"throughput: {name} …", file=sys.stderr)
            runs[name] = throughput(job, file_, server.url, model)
        latency = {}
        for name, model in (("all models", "ranker"), ("factors alone", "mf")):
            print(f"latency, {name}: {options.rate:,} events/s …", file=sys.stderr)
            latency[name] = measured(
                "benchmarks.latency", server.url, str(options.rate), str(options.seconds), model
            )
    figures = {
        "machine": {
            "cpus": os.cpu_count(), "python": platform.python_version(),
            "processor": platform.machine(),
        },
        "workload": {
            "events": options.events, "users": USERS, "items": ITEMS, "zipf": EXPONENT,
            "dimensions": DIMENSIONS,
        },
        "runs": runs,
        "ratio": round(
            runs["millirec, factors alone"]["events_per_s"]
            / runs["textbook, factors alone"]["events_per_s"],
            1,
        ),
        "latency": latency,
    }  # fmt: skip
    OUT.mkdir(exist_ok=True)
    (OUT / "bench.json").write_text(json.dumps(figures, indent=2) + "\n")
    report(figures)


def report(figures: dict[str, Any]) -> None:
    """Print the figures for people."""
    console = Console()
    table = Table(title="events to lists in Redis, one run")
    for column in ("", "events", "events/s", "lists/s", "peak MiB"):
        table.add_column(column, justify="right" if column else "left")
    for name, row in figures["runs"].items():
        memory = ", ".join(f"{k} {v:,.0f}" for k, v in sorted(row["peak_mib"].items()))
        table.add_row(
            name, f"{row['events']:,}", f"{row['events_per_s']:,}", f"{row['lists_per_s']:,}",
            memory,
        )  # fmt: skip
    console.print(table)
    console.print(f"factors alone, ratio to the textbook job: {figures['ratio']}")
    for name, row in figures["runs"].items():
        if row["stages_s"]:
            stages = ", ".join(f"{k} {v} s" for k, v in row["stages_s"].items())
            console.print(f"time per stage, {name}: {stages}")
    for name, row in figures["latency"].items():
        console.print(
            f"latency at {row['events_per_s']:,} events/s, {name}, event to Redis: "
            f"p50 {row['p50_ms']} ms, p99 {row['p99_ms']} ms ({row['events']:,} events)"
        )
    console.print(f"written: {OUT / 'bench.json'}")


if __name__ == "__main__":
    main()
