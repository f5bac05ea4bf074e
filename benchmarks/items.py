"""What items' metadata gives and costs: `python -m benchmarks.items`.

In: parts and numbers, from the command line. Out: a table on standard error, and one JSON line:
how soon a new item is listed and one out of stock is gone; the speed of a job whose items have
metadata beside one without; and on a simulated shop, how many of the ten items that suit a user
best are listed, of those that nobody has taken and of others, and the regret.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from benchmarks.latency import measure as latency
from benchmarks.load import ITEMS
from benchmarks.measured import measured
from benchmarks.regret import regret
from benchmarks.served import Shown, Trial, run
from benchmarks.throughput import throughput, write_workload
from flink_app.local.redis_server import RedisServer
from flink_app.simulator import Shop, ShopSettings

PARTS = ("new", "gone", "speed", "shop")
_ROUNDS = 2


def item_lines() -> list[bytes]:
    """An item event for each item of the benchmarks' workload."""
    shop = Shop(ShopSettings(users=1, items=ITEMS, metadata=True))
    return shop.news(time.time_ns() // 1_000_000)


def speed(url: str, events: int, seconds: int) -> dict[str, Any]:
    """Throughput and freshness with and without metadata, alternating."""
    lines = item_lines()
    rates: dict[str, list[float]] = {"without": [], "with": []}
    with tempfile.TemporaryDirectory() as name:
        plain, described = Path(name) / "without", Path(name) / "with"
        write_workload(plain, events)
        described.write_bytes(b"".join(line + b"\n" for line in lines) + plain.read_bytes())
        for _ in range(_ROUNDS):
            for path in (plain, described):
                rates[path.name].append(throughput("millirec", path, url)["events_per_s"])
    found: dict[str, Any] = {"events_per_s": rates}
    middle = {name: statistics.median(some) for name, some in rates.items()}
    found["ratio"] = round(middle["with"] / middle["without"], 3)
    for name, first in (("without", []), ("with", lines)):
        [row] = latency(url, [1_000], seconds, "ranker", 10, first=first)["rates"]
        found[f"freshness {name}"] = {q: row[f"p{q}_ms"] for q in (50, 99)}
    return found


def trial(seed: int, *, metadata: bool, blocks: int, **more: bool) -> Trial:
    """A shop in which an item arrives for every hundred events."""
    shop = ShopSettings(
        users=160,
        items=400,
        session_views=4,
        seed=seed,
        traffic=0.02,
        new_users=0.001,
        new_items=0.01,
        metadata=metadata,
        **more,
    )
    return Trial(world=shop, blocks=blocks)


def recall(shown: Shown, after: int) -> dict[str, float]:
    """How many of the ten items that suit a user best stand in the served list, from block `after`
    on: before, all items are new."""
    taken, later = shown.taken, shown.wanted >= after
    groups = {
        "never taken": later & (taken == 0),
        "taken 1 to 4 times": later & (taken > 0) & (taken < 5),
        "others": later & (taken >= 5),
    }
    return {name: round(float(shown.hits[at].mean()), 4) for name, at in groups.items()} | {
        f"{name}, tests": int(at.sum()) for name, at in groups.items()
    }


def shop(seeds: int, blocks: int) -> list[dict[str, Any]]:
    """Recall and regret with and without metadata."""
    rows = []
    for seed in range(1, seeds + 1):
        for name, more in (
            ("without", {}),
            ("words", {}),
            ("words and vectors", {"vectors": True}),
        ):
            shown = run(trial(seed, metadata=name != "without", blocks=blocks, **more))
            wrong = regret(shown.served, shown, 4, blocks)
            rows.append(
                {
                    "metadata": name,
                    "seed": seed,
                    "regret": round(float(regret(shown.served, shown)[0]), 4),
                    "regret of the last quarter": round(float(wrong[-1]), 4),
                    **recall(shown, blocks // 4),
                }
            )
            print(rows[-1], file=sys.stderr)
    return rows


def report(figures: dict[str, Any], console: Console) -> None:
    """Print the figures, part by part."""
    for part, found in figures.items():
        if part != "shop":
            console.print(f"[bold]{part}[/]: {found}")
            continue
        for name in dict.fromkeys(row["metadata"] for row in found):
            rows = [row for row in found if row["metadata"] == name]
            means = {
                key: round(float(np.mean([row[key] for row in rows])), 4)
                for key in rows[0]
                if key not in ("metadata", "seed")
            }
            console.print(f"[bold]{part}, {name}[/]: {means}")


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--new", type=int, default=200, help="items that arrive")
    parser.add_argument("--rate", type=float, default=400, help="events/s beside them")
    parser.add_argument("--users", type=int, default=100_000, help="with a list, of part gone")
    parser.add_argument("--events", type=int, default=300_000, help="of part speed")
    parser.add_argument("--seconds", type=int, default=30, help="of part speed")
    parser.add_argument("--seeds", type=int, default=3, help="of part shop")
    parser.add_argument("--blocks", type=int, default=100, help="of part shop, 20 lists each")
    options = parser.parse_args()
    figures: dict[str, Any] = {}
    with RedisServer() as server:
        if "new" in options.only:
            for rate, active in ((20.0, False), (options.rate, True)):
                name = "new, for an active user" if active else "new"
                given = json.dumps({"count": options.new, "rate": rate, "active": active})
                figures[name] = measured("benchmarks.items_live", "new", server.url, given)
        if "gone" in options.only:
            given = json.dumps({"users": options.users, "rate": options.rate})
            figures["gone"] = measured("benchmarks.items_live", "gone", server.url, given)
        if "speed" in options.only:
            figures["speed"] = speed(server.url, options.events, options.seconds)
    if "shop" in options.only:
        figures["shop"] = shop(options.seeds, options.blocks)
    report(figures, Console(stderr=True))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
