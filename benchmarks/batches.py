"""The fixed CPU time of a micro-batch, and the CPU time per event in it.

In: nothing. Out: a table on standard error, and one line of JSON. With more TaskManagers, the same
events are split into more and smaller batches, so the fixed time limits how far a job scales. The
learner, the lists, the item shard and Redis are the job's own; Flink is left out, which also takes
time to pass each batch to Python.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.feed import Case, batches, item_shard
from flink_app.local.redis_server import RedisServer
from udfs.learning.learner import Learner
from udfs.state.handles import MemoryRows
from udfs.stores.redis_lists import RedisLists
from udfs.stores.redis_writer import RedisSettings, RedisWriter

SIZES = (1, 3, 10, 30, 100, 300, 1000)
TRAINED = (0, 50)
WARMUP, EVENTS = 100_000, 20_000
PARTS = ("learn", "rank", "redis", "item")


def cost(url: str, size: int, trained: int, warmup: int, events: int) -> dict[str, Any]:
    """Learn `warmup` events in large batches, then measure `events` in batches of `size`.

    Args:
        trained: `ranker.train_per_s`.

    Returns: CPU microseconds per batch of the user learner, of its lists, of Redis commands in the
        client, and of the item shard; and the number of lists per batch.
    """
    case = Case(rate=50 * size, window_ms=20, train=trained)
    config = case.config()
    settings = config.settings
    learner, rows, history = Learner(settings), MemoryRows(), MemoryRows()
    shard, store = item_shard(config), RedisLists(settings, RedisWriter(RedisSettings(url)))
    learner.compile()
    number = 0
    for batch in batches(Case(rate=50_000, window_ms=20), warmup):
        learner.learn(batch, rows, history, number, 1)
        for message in learner.messages(1).values():
            shard.apply(message)
        number += len(batch)
    spent = dict.fromkeys(("learn", "rank", "redis", "item"), 0.0)
    done = now = lists = 0
    for batch in batches(case, events):
        now += 20
        began = time.process_time()
        learned = learner.learn(batch, rows, history, number, now)
        messages = learner.messages(now)
        spent["learn"] += (at := time.process_time()) - began
        updates = learner.user_lists(learned.slots, now)
        _ = [some.json for some in updates]
        spent["rank"] += (then := time.process_time()) - at
        store.write(updates)
        spent["redis"] += (at := time.process_time()) - then
        for message in messages.values():
            shard.apply(message)
        spent["item"] += time.process_time() - at
        number, done, lists = number + len(batch), done + 1, lists + len(learned.slots)
    each = {name: round(1e6 * s / done, 1) for name, s in spent.items()}
    return {"size": size, "trained": trained, **each, "lists": round(lists / done, 1)}


def line(rows: list[dict[str, Any]], name: str) -> tuple[float, float]:
    """A batch of n events costs a + b·n: the a and b that minimise the relative squared error.

    >>> a, b = line([{"size": n, "learn": 100 + 2.0 * n} for n in (1, 10, 100)], "learn")
    >>> round(a, 6), round(b, 6)
    (100.0, 2.0)
    """
    sizes = np.array([row["size"] for row in rows], float)
    spent = np.array([row[name] for row in rows], float)
    design = np.stack([np.ones_like(sizes), sizes], axis=1) / spent[:, None]
    (a, b), *_ = np.linalg.lstsq(design, np.ones_like(sizes), rcond=None)
    return float(a), float(b)


def main() -> None:
    """Measure, print."""
    rows = []
    with RedisServer() as server:
        for trained in TRAINED:
            for size in SIZES:
                print(f"batches of {size}, {trained} trained …", file=sys.stderr)
                rows.append(cost(server.url, size, trained, WARMUP, min(EVENTS, 1000 * size)))
    untrained = [row for row in rows if not row["trained"]]
    lines = {name: [round(x, 2) for x in line(untrained, name)] for name in PARTS}
    table = Table("events", "trained/s", *PARTS, "lists", title="µs of CPU time per micro-batch")
    for row in rows:
        table.add_row(*(f"{value:,}" for value in row.values()))
    table.add_row("n", "0", *(f"{a:g} + {b:g} n" for a, b in lines.values()))
    Console(stderr=True).print(table)
    print(json.dumps({"batches": rows, "lines": lines}))


if __name__ == "__main__":
    main()
