"""`python -m benchmarks.scale`: a large shop, 1,000,000 users and 100,000 items, on one machine.

In: options. Out: tables, `benchmarks/out/scale.json`, and the figures as one line of JSON:
10,000,000 events through the whole embedded job, all models; cost and recall of a list by factors,
exactly and by cluster, by the size of the catalogue; bytes of a user and of an item.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import redis
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks import sizes, tastes
from benchmarks.bare import OUT, Bare
from benchmarks.load import DIMENSIONS, EXPONENT, LENGTH
from benchmarks.throughput import throughput
from flink_app.local.redis_server import RedisServer
from flink_app.simulator import zipf_events

PARTS = ("search", "bytes", "job")
SEARCHED = (5_000, 20_000, 100_000, 300_000)
_USERS, _LEARNED, _COUNTED = 500, 20_000, 200_000


def job(events: int, users: int, items: int, settings: list[str]) -> dict[str, Any]:
    """The figures of a bounded run of the whole job, with the memory of its processes and Redis."""
    with tempfile.TemporaryDirectory() as folder, RedisServer() as server:
        path = Path(folder) / "events.jsonl"
        with path.open("wb") as file:
            file.writelines(zipf_events(events, users, items, EXPONENT))
        print(f"the job: {events:,} events …", file=sys.stderr)
        found = throughput("millirec", path, server.url, f"state.user_cache={users}", *settings)
        memory: Any = redis.Redis.from_url(server.url).info("memory")
        found["peak_mib"]["redis"] = round(memory["used_memory_peak"] / 2**20, 1)
        return found


def search(items: int, *, structured: bool) -> dict[str, float]:
    """CPU µs per list by factors, exactly and by cluster, and the recall of the latter.

    The factors are those of `tastes.factors`, after learning some events.
    """
    print(f"search: {items:,} items …", file=sys.stderr)
    found: dict[str, float] = {}
    exact: NDArray[np.int32] | None = None
    for way in ("exact", "approximate"):
        bare = Bare(
            f"lists.search={way}",
            "lists.model=mf",
            f"model.dimensions={DIMENSIONS}",
            f"lists.length={LENGTH}",
        )
        bare.know(items, structured=structured)
        slots = bare.meet(_USERS)
        bare.learn(*tastes.events(_LEARNED, _USERS, items))
        bare.want(slots, structured=structured)
        models, spent, lists = bare.learner.models, [], []
        models.rank(slots[:1], 1, "mf")
        for begin in range(0, _USERS, 10):
            began = time.process_time()
            lists.append(models.rank(slots[begin : begin + 10], 1, "mf")[0][2].items)
            spent.append((time.process_time() - began) / 10 * 1e6)
        found |= {f"{way}_us": round(float(np.mean(spent)), 1)}
        found |= {f"{way}_p99_us": round(float(np.percentile(spent, 99)), 1)}
        made = np.concatenate(lists)
        exact = made if exact is None else exact
        hits = [
            len(set(a) & set(b)) / LENGTH
            for a, b in zip(made.tolist(), exact.tolist(), strict=True)
        ]
        found |= {"recall": round(float(np.mean(hits)), 3)}
        found |= {"recall_p10": round(float(np.percentile(hits, 10)), 2)}
    return found


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument(
        "--set", action="append", default=[], help="section.option=value, of the job"
    )
    parser.add_argument(
        "--parts", nargs="+", choices=PARTS, default=PARTS, help="what to measure; default: all"
    )
    options = parser.parse_args()
    figures: dict[str, Any] = {
        "workload": {"events": options.events, "users": options.users, "items": options.items}
    }
    if "search" in options.parts:
        figures["search"] = {
            f"{size:,} items, {name}": search(size, structured=structured)
            for size in SEARCHED
            if size <= 3 * options.items
            for structured, name in ((True, "structured"), (False, "without structure"))
        }
    if "bytes" in options.parts:
        print("bytes …", file=sys.stderr)
        some = min(options.events, _COUNTED), min(options.users, _COUNTED)
        figures["bytes"] = sizes.measured(*some, options.items)
    if "job" in options.parts:
        figures["job"] = job(options.events, options.users, options.items, options.set)
    report(figures)
    OUT.mkdir(exist_ok=True)
    (OUT / "scale.json").write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps(figures))


def report(figures: dict[str, Any]) -> None:
    """Print the figures as tables."""
    console = Console(stderr=True)
    if rows := figures.get("search"):
        console.print(_searched(rows))
    if rows := figures.get("bytes"):
        table = Table("bytes", "counted", "by the formula")
        for name, row in rows.items():
            table.add_row(name, f"{row['measured']:,.0f}", f"{row['formula']:,.0f}")
        console.print(table)
    if row := figures.get("job"):
        memory = ", ".join(f"{k} {v:,.0f} MiB" for k, v in sorted(row["peak_mib"].items()))
        stages = ", ".join(f"{k} {v} s" for k, v in row["stages_s"].items())
        console.print(
            f"{row['events']:,} events in {row['seconds']} s: {row['events_per_s']:,} events/s, "
            f"{row['lists_per_s']:,} lists/s; at most {memory}\nstages: {stages}"
        )


def _searched(rows: dict[str, Any]) -> Table:
    table = Table("", "exact µs", "p99", "by cluster µs", "p99", "recall", "p10")
    units = [f"{way}_{unit}" for way in ("exact", "approximate") for unit in ("us", "p99_us")]
    for name, row in rows.items():
        cells = [f"{row[unit]:,.0f}" for unit in units]
        table.add_row(name, *cells, f"{row['recall']:.3f}", f"{row['recall_p10']:.2f}")
    return table


if __name__ == "__main__":
    main()
