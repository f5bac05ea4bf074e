"""Latency at steady rates, from writing an event until its user's list can be read in Redis.

In: events/s, seconds for each rate, and `lists.model`, from the command line. Out: a table, and one
JSON line with p50, p95 and p99 in ms by rate, and the time in each stage. Events go into a watched
directory; a subscriber on channel `rec` records when each user's list changed. The first half of
each rate's time is for warming up and does not count.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import redis
from rich.console import Console
from rich.table import Table

from benchmarks.load import DIMENSIONS, Load, subscribe, zipf
from benchmarks.process import java
from flink_app.config import Config, load
from flink_app.console.totals import Totals, read_totals
from flink_app.graph.environment import (
    embedded_options,
    environments,
    flink_options,
)
from flink_app.local.redis_server import RedisServer

RATES = (400, 1_000, 5_000, 20_000)
_SAMPLE = 20  # one event in this number is timed; in slow streams every event
_SLOW = 100  # events/s
_REST_S = 60.0
_STAGES = ("quality", "learn", "rank", "redis")  # of the user learner, in order


def measure(
    url: str,
    rates: list[int],
    seconds: int,
    model: str,
    warm: int,
    given: Sequence[str] = (),
    first: Sequence[bytes] = (),
) -> dict[str, Any]:
    """Run the job on a watched directory, with each rate in turn for `seconds`, after the lines
    `first`, and 200 events/s for `warm` seconds and until the first list."""
    with tempfile.TemporaryDirectory() as name:
        overrides = [
            "source.kind=directory",
            f'source.paths=["{name}"]',
            f"redis.url={url}",
            f"model.dimensions={DIMENSIONS}",
            "job.shards=1",
            "job.item_shards=1",
            "dead_letters.kind=none",
            f"lists.model={model}",
            *given,
        ]
        config = load(None, overrides, {}).config
        if first:
            (Path(name) / "first.jsonl").write_bytes(b"\n".join([*first, b""]))
        with java(config):
            return {"rates": _measure(config, Path(name), rates, seconds, warm)}


def _measure(
    config: Config, folder: Path, rates: list[int], seconds: int, warm: int
) -> list[dict[str, Any]]:
    model, url = config.lists.model, config.redis.url
    client = redis.Redis.from_url(url)
    client.flushall()
    stream, tables = environments(embedded_options(config) | flink_options(config))
    from flink_app.job import build

    build(stream, tables, config)
    job = stream.execute_async()
    ages: list[tuple[float, float]] = []
    found = []
    writer = Load(folder, _SAMPLE)
    events = zipf(200 * (warm + 600) + (sum(rates) + 1) * (seconds + 1), seed=1)
    stop = threading.Event()
    threading.Thread(target=subscribe, args=(url, writer, ages, stop), daemon=True).start()
    writer.write(events, 200, warm)  # until Java and the kernels are warm
    while not ages:
        writer.write(events, 200, 1)
    _rest(writer)
    for rate in rates:
        print(f"latency, {model}: {rate:,} events/s …", file=sys.stderr)
        writer.sample = 1 if rate <= _SLOW else _SAMPLE
        writer.write(events, rate, seconds / 2)
        began, before = time.time(), read_totals(client, "") or Totals()
        reached = writer.write(events, rate, seconds / 2)
        ended, after = time.time(), read_totals(client, "") or Totals()
        _rest(writer)
        written = [(at - age / 1000, age) for at, age in list(ages)]
        counted = np.array([age for at, age in written if began <= at < ended])
        missing = sum(began <= at < ended for q in writer.waiting.values() for _, at in list(q))
        found.append(
            {"model": model, "asked_per_s": rate, "events_per_s": round(reached, 1)}
            | summary(counted, missing, before, after, config.job.window_ms)
        )
    stop.set()
    job.cancel().result()
    return found


def _rest(writer: Load) -> None:
    """Wait at most a minute until all timed events have arrived, so that the next rate starts
    without a queue; if that takes longer, the rate was too high."""
    until = time.time() + _REST_S
    while any(writer.waiting.values()) and time.time() < until:
        time.sleep(0.1)


def summary(
    ages: np.ndarray[Any, np.dtype[np.float64]],
    missing: int,
    before: Totals,
    after: Totals,
    window_ms: int,
) -> dict[str, Any]:
    """Quantiles of `ages`, float64[n] in ms, and means by stage from totals before and after.

    `missing` sampled events had no list at the end: their latency counts as infinite, and so does
    a quantile among them, which is given as null.

    The stages: `window`, from writing the event until its micro-batch closes (the remainder of the
    other stages); `queue`, from there until the learner starts; `quality` tests, `learn`, `rank`
    and `redis`, of the whole batch, since its lists are written together.
    """
    whole = np.concatenate([ages, np.full(missing, np.inf)])
    result: dict[str, Any] = {"timed": len(whole)}
    for share in (50, 95, 99):
        value = float(np.percentile(whole, share, method="higher")) if len(whole) else np.inf
        result[f"p{share}_ms"] = round(value, 1) if np.isfinite(value) else None
    batches = max(after.batches - before.batches, 1)
    stages = {
        stage: (after.stages.get(stage, 0) - before.stages.get(stage, 0)) / 1000 / batches
        for stage in _STAGES
    }
    queue = max((after.waited_ms - before.waited_ms) / batches - window_ms, 0.0)
    mean = float(ages.mean()) if len(ages) else 0.0
    window = max(mean - queue - sum(stages.values()), 0.0)
    stages = {"window": window, "queue": queue, **stages}
    events = (after.learned - before.learned) / batches
    return result | {
        "mean_ms": round(mean, 1),
        "stages_ms": {stage: round(value, 1) for stage, value in stages.items()},
        "events_per_batch": round(events, 1),
    }


def report(figures: dict[str, Any], console: Console) -> None:
    """Print the figures as a table."""
    table = Table(title="from event to list in Redis, ms")
    for column in ("model", "events/s", "p50", "p95", "p99", "mean by stage", "events/batch"):
        table.add_column(column, justify="left" if column == "model" else "right")
    for row in figures["rates"]:
        stages = ", ".join(f"{name} {value}" for name, value in row["stages_ms"].items())
        quantiles = [f"{row[f'p{share}_ms'] or '∞'}" for share in (50, 95, 99)]
        table.add_row(
            row["model"],
            f"{row['events_per_s']:,}",
            *quantiles,
            stages,
            f"{row['events_per_batch']:,}",
        )
    console.print(table)


def main() -> None:
    """Start a Redis, measure at each rate, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rates", type=int, nargs="+", default=[1, *RATES])
    parser.add_argument("--seconds", type=int, default=40, help="of each rate")
    parser.add_argument("--model", default="ranker", help="lists.model")
    parser.add_argument("--set", action="append", default=[], help="an option of the job")
    parser.add_argument("--warm", type=int, default=20, help="seconds at 200 events/s first")
    options = parser.parse_args()
    with RedisServer() as server:
        figures = measure(
            server.url, options.rates, options.seconds, options.model, options.warm, options.set
        )
    report(figures, Console(stderr=True))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
