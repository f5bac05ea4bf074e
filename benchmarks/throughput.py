"""Events to lists at full speed, from a file: `python -m benchmarks.throughput`.

In: the number of events. Out: a table, and one JSON line: for each run events/s, lists/s, seconds
by stage and peak memory; and ratios between runs.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.load import DIMENSIONS, EXPONENT, ITEMS, LENGTH, USERS
from benchmarks.measured import measured
from flink_app.local.redis_server import RedisServer
from flink_app.simulator import zipf_events

HOT_USER, HOT_ITEM = 0.2, 0.3  # shares of all events
PLAIN = ("lists.model=mf", "model.window=0", "model.negatives=4", "quality.every=0")
STEPS = (
    "rerank.debias=0.2",
    "rerank.repeats=3",
    "rerank.calibration=2",
    "rerank.diversity=0.5",
    """rules=[{when = 'provider == "p1"', exposure = 0.4}]""",
)
ATTRIBUTION = ("quality.attribution_days=7",)
EXPERIMENT = (
    """experiments=[{name = "a", variants = [{name = "now"},"""
    """ {name = "pairs", set = {"lists.model" = "item-cf"}}]}]""",
)
LEARN = ("lists.refresh=false",)

Run = tuple[str, str, tuple[str, ...]]
"""A job, its file of events, and its options."""

RUNS: dict[str, Run] = {
    "all models": ("millirec", "all", ()),
    "all models, RocksDB, checkpoints each 10 s": ("millirec", "all", ("state.backend=rocksdb",)),
    "factors alone": ("millirec", "all", ("lists.model=mf",)),
    "textbook, factors alone": ("textbook", "slice", ("lists.model=mf",)),
    "learning alone, all models": ("millirec", "all", LEARN),
    "learning alone, factors": ("millirec", "all", (*LEARN, "lists.model=mf")),
    "learning alone, plain factors": ("millirec", "all", (*LEARN, *PLAIN)),
    "items described": ("millirec", "described", ()),
    "items described, all steps of re-ranking": ("millirec", "described", STEPS),
    "items described, lists attributed": ("millirec", "described", ATTRIBUTION),
    "items described, an experiment": ("millirec", "described", (*ATTRIBUTION, *EXPERIMENT)),
    "all models, a third of the events": ("millirec", "third", ()),
    "one user with 20 % of the events": ("millirec", "user", ()),
    "one item with 30 % of the events": ("millirec", "item", ()),
}
RATIOS = {
    "factors alone / textbook job": ("factors alone", "textbook, factors alone"),
    "RocksDB / heap": ("all models, RocksDB, checkpoints each 10 s", "all models"),
    "all steps of re-ranking / none": (
        "items described, all steps of re-ranking",
        "items described",
    ),
    "lists attributed / not": ("items described, lists attributed", "items described"),
    "an experiment of two models / none": (
        "items described, an experiment",
        "items described, lists attributed",
    ),
    "skewed by a user / even": (
        "one user with 20 % of the events",
        "all models, a third of the events",
    ),
    "skewed by an item / even": (
        "one item with 30 % of the events",
        "all models, a third of the events",
    ),
}


def throughput(
    job: str, path: Path, redis_url: str, *options: str, tree: Path | None = None
) -> dict[str, Any]:
    """One bounded run of `job` over a file of JSON lines.

    Args:
        options: `section.option=value`, in addition to those of the workload.
        tree: the source tree to run, if not this one.
    """
    return measured(
        "benchmarks.process",
        job,
        f"source.paths={json.dumps([str(path)])}",
        f"redis.url={redis_url}",
        f"model.dimensions={DIMENSIONS}",
        f"lists.length={LENGTH}",
        "job.shards=1",
        "job.item_shards=1",
        "dead_letters.kind=none",
        *options,
        tree=tree,
    )


def write_workload(path: Path, events: int, hot_user: float = 0.0, hot_item: float = 0.0) -> None:
    """Write the benchmark's events as JSON lines, with extra shares of a hot user and item."""
    lines = zipf_events(events, USERS, ITEMS, EXPONENT, hot_user=hot_user, hot_item=hot_item)
    with path.open("wb") as file:
        file.writelines(lines)


def descriptions() -> list[bytes]:
    """A line that says what it is for each item, with one of 20 categories and of 10 providers."""
    fields = ({"category": f"c{n * 7 % 20}", "provider": f"p{n % 10}"} for n in range(ITEMS))
    lines = ({"kind": "item", "item": f"i{n}", "ts": 1} | own for n, own in enumerate(fields))
    return [json.dumps(line).encode() + b"\n" for line in lines]


def measure(names: Iterable[str], events: int, part: int) -> dict[str, Any]:
    """Measure the named runs; the textbook job gets the first `part` events."""
    runs = {}
    with tempfile.TemporaryDirectory() as name, RedisServer() as server:
        folder = Path(name)
        write_workload(folder / "all", events)
        write_workload(folder / "third", events // 3)
        (folder / "described").write_bytes(b"".join(descriptions()) + (folder / "all").read_bytes())
        write_workload(folder / "user", events // 3, hot_user=HOT_USER)
        write_workload(folder / "item", events // 3, hot_item=HOT_ITEM)
        with (folder / "all").open("rb") as lines:
            (folder / "slice").write_bytes(b"".join(islice(lines, part)))
        for run in names:
            print(f"throughput: {run} …", file=sys.stderr)
            job, file, options = RUNS[run]
            if "state.backend=rocksdb" in options:
                options += (f"state.checkpoints={folder / 'checkpoints'}", "state.checkpoint_s=10")
            runs[run] = throughput(job, folder / file, server.url, *options)
    ratios = {
        name: round(runs[one]["events_per_s"] / max(runs[other]["events_per_s"], 1), 2)
        for name, (one, other) in RATIOS.items()
        if one in runs and other in runs
    }
    workload = {
        "events": events,
        "users": USERS,
        "items": ITEMS,
        "zipf": EXPONENT,
        "dimensions": DIMENSIONS,
    }
    return {"workload": workload, "runs": runs, "ratios": ratios}


def report(figures: dict[str, Any], console: Console) -> None:
    """Print the figures as a table."""
    table = Table(title="events to lists in Redis, one run each")
    for column in ("", "events", "events/s", "lists/s", "µs/event by stage", "peak MiB"):
        table.add_column(column, justify="right" if column else "left")
    for name, row in figures["runs"].items():
        memory = ", ".join(f"{k} {v:,.0f}" for k, v in sorted(row["peak_mib"].items()))
        stages = ", ".join(
            f"{stage} {1e6 * spent / row['events']:.1f}" for stage, spent in row["stages_s"].items()
        )
        table.add_row(
            name,
            f"{row['events']:,}",
            f"{row['events_per_s']:,}",
            f"{row['lists_per_s']:,}",
            stages,
            memory,
        )
    console.print(table)
    for name, ratio in figures["ratios"].items():
        console.print(f"{name}: {ratio}")


def main() -> None:
    """Generate, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--slice", type=int, default=30_000, help="events of the textbook job")
    parser.add_argument("--only", nargs="+", choices=RUNS, default=list(RUNS), metavar="RUN")
    options = parser.parse_args()
    figures = measure(options.only, options.events, options.slice)
    report(figures, Console(stderr=True))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
