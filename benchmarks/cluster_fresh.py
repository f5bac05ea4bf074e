"""Freshness on a cluster, as in the README: a shop's events at a steady rate, and the last minute.

In: a running stack, a rate. Out: freshness p50 and p99 of the last minute, as the hash `stats` has
it, and the cores that each process used in that time. Events are dated when they are written, so
freshness includes the writer's way to Kafka; the seconds before that minute are for warming up.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import redis

from benchmarks.cluster_jobs import submit, wait, watch
from benchmarks.usage import look, processes
from deploy.stack import Stack
from flink_app.console.totals import Totals, read_totals
from flink_app.simulator import Shop, ShopSettings, play
from flink_app.writers.kafka import KafkaWriter


class Rate(NamedTuple):
    """How many events/s, and for how many seconds before and during the measurement."""

    per_s: int
    warm_s: float
    counted_s: float


def freshness(
    stack: Stack, folder: Path, subtasks: int, rate: Rate, settings: Sequence[str] = ()
) -> dict[str, Any]:
    """One live run."""
    topic, client = f"fresh-{subtasks}", redis.Redis.from_url(stack.redis_url)
    shop = Shop(ShopSettings())
    with KafkaWriter(stack.kafka_bootstrap, topic) as writer:
        play(shop, writer, events=1, rate=rate.per_s)  # makes the topic
        job = submit(stack, folder, topic, subtasks, *settings)
        watch(stack, job, 1)  # the job has started, its kernels are loaded
        stop = threading.Event()
        given = {"rate": float(rate.per_s), "stop": stop}
        busy = threading.Thread(target=play, args=(shop, writer), kwargs=given, daemon=True)
        busy.start()
        time.sleep(rate.warm_s)
        pids = processes(stack)
        before, first = look(pids, client), read_totals(client, "") or Totals()
        time.sleep(rate.counted_s)
        used, totals = look(pids, client).since(before), read_totals(client, "") or Totals()
        stop.set()
        busy.join()
    stack.rest(f"/jobs/{job}", "PATCH")
    wait(stack, job, "CANCELED")
    learned = max(totals.learned - first.learned, 1)
    cores = {name: round(spent / used.at_s, 3) for name, spent in used.cpu_s.items()}
    return {
        "events_per_s": round(1000 * learned / max(totals.at - first.at, 1)),
        "p50_ms": totals.freshness_p50_ms,
        "p99_ms": totals.freshness_p99_ms,
        "cores": round(sum(cores.values()), 3),
        **{f"cores of {name}": spent for name, spent in cores.items()},
        "events_per_batch": round(learned / max(totals.batches - first.batches, 1), 1),
        "feed_bytes_per_event": round(
            (totals.feed.get("changes", 0) - first.feed.get("changes", 0)) / learned
        ),
    }
