"""`python -m benchmarks.batches`: the fixed CPU time of a micro-batch, and that per event in it.

In: nothing. Out: a table on standard error, and one line of JSON. With more TaskManagers, the same
events are split into more and smaller batches, so the fixed time limits how far a job scales. The
user shard's step, the item shard and Redis are the job's own; Flink is left out, which also takes
time to pass each batch to Python, and to read and write its state.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import Any

import msgspec
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.feed import Case, batches, item_shard
from benchmarks.steps import Cpu, Shard
from flink_app.local.redis_server import RedisServer
from udfs.events.batch import EventBatch, pack
from udfs.learning.item_step import APPLY_MS
from udfs.learning.learner import Learner
from udfs.state.handles import MemoryRows

SIZES = (1, 3, 10, 30, 100, 300, 1000)
TRAINED = (0, 100)
WARMUP, EVENTS = 100_000, 20_000
MESSAGES = 100  # of small batches, which a job of many user learners sends in `APPLY_MS`
PARTS = ("learn", "rank", "redis", "item", "step")
TIMERS = "timers"


def cost(url: str, size: int, trained: int, warmup: int, events: int) -> dict[str, Any]:
    """Learn `warmup` events in large batches, then measure `events` in batches of `size`.

    Args:
        trained: `ranker.train_per_s`.

    Returns: CPU microseconds per batch of the user learner, of its lists, of Redis commands in the
        client, of the item shard, which applies at once what gathers in `APPLY_MS`, of the step
        around them, and their `total`; a batch's share of `timers`, which come by time, not by
        batch; and the number of lists per batch.
    """
    case = Case(rate=50 * size, window_ms=20, train=trained)
    config = case.config("redis.refill_per_s=0")
    cpu = Cpu((*PARTS, TIMERS))
    user, shard = (
        Shard(config.settings, url, cpu),
        item_shard(config, follow=False),
    )  # as with a single user learner
    for batch in batches(Case(rate=50_000, window_ms=20), warmup):
        user.now += 20
        shard.apply(*user.batch(_sent(batch, user.now)))
    gathered: list[bytes] = []
    cpu.spent, user.lists, done = dict.fromkeys(cpu.spent, 0.0), 0, 0
    for batch in batches(case, events):
        user.now += 20
        data = _sent(batch, user.now)
        messages = user.batch(data)
        cpu.switch("item")
        gathered += messages
        if user.now % APPLY_MS == 0:
            shard.apply(*gathered, now_ms=user.now)
            gathered.clear()
        cpu.switch("")
        done += 1
    each = {name: round(1e6 * s / done, 1) for name, s in cpu.spent.items()}
    total = round(sum(each[name] for name in PARTS), 1)
    timers = each.pop(TIMERS)
    result = {"size": size, "trained": trained, **each, "total": total, TIMERS: timers}
    return result | {"lists": round(user.lists / done, 1)}


def message(size: int) -> dict[str, Any]:
    """CPU microseconds of an item shard for a message of `size` events, if `MESSAGES` are applied
    as one."""
    case = Case(rate=200 * size, window_ms=5)
    config = case.config()
    learner, rows, history = Learner(config.settings), MemoryRows(), MemoryRows()
    sent: list[bytes] = []
    for number, batch in enumerate(batches(case, 2 * MESSAGES * size)):
        learner.learn(batch, rows, history, number * size, batch.opened + 1)
        sent += learner.messages(batch.opened + 1).values()
    shard = item_shard(config, follow=False)
    shard.apply(*sent[:MESSAGES], now_ms=1)
    began = time.process_time()
    shard.apply(*sent[MESSAGES:], now_ms=2)
    return {"size": size, "item": round((time.process_time() - began) * 1e6 / MESSAGES, 1)}


def _sent(batch: EventBatch, now: int) -> bytes:
    """A batch as `parse` sends it, its window closed now, each event with an id of its own."""
    ids = [f"{now}-{n}" for n in range(len(batch))]
    columns = batch.columns | {"ids": ids, "ts": np.full(len(batch), now - 10)}
    return pack(msgspec.structs.replace(batch, columns=columns, opened=now - 20))


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
    argparse.ArgumentParser("python -m benchmarks.batches", description=__doc__).parse_args()
    rows = []
    with RedisServer() as server:
        for trained in TRAINED:
            for size in SIZES:
                print(f"batches of {size}, {trained} trained …", file=sys.stderr)
                rows.append(cost(server.url, size, trained, WARMUP, min(EVENTS, 1000 * size)))
    untrained = [row for row in rows if not row["trained"]]
    lines = {name: [round(x, 2) for x in line(untrained, name)] for name in PARTS}
    names = "events", "trained/s", *PARTS, "total", TIMERS, "lists"
    table = Table(*names, title="µs of CPU time per micro-batch")
    for row in rows:
        table.add_row(*(f"{value:,.0f}" for value in row.values()))
    Console(stderr=True).print(table)
    for name, (fixed, each) in lines.items():
        print(f"{name}, n events, 0 trained: {fixed:g} + {each:g} n", file=sys.stderr)
    messages = [message(size) for size in (1, 10, 100)]
    costs = ", ".join(f"{found['size']} events: {found['item']}" for found in messages)
    print(f"item learner, {MESSAGES} messages as one, each of {costs}", file=sys.stderr)
    print(json.dumps({"batches": rows, "lines": lines, "messages": messages}))


if __name__ == "__main__":
    main()
