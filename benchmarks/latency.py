"""Event to Redis at a steady rate: from writing the event to its user's list being readable.

In: a Redis URL, events/s, seconds and `lists.model`, from the command line. Out: one JSON line with
p50 and p99 in ms. Events go into a watched directory; a subscriber on channel `rec` takes the time
at which each user's list changed. The first half of the run warms up and is not counted.
"""

from __future__ import annotations

import json
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import redis

from benchmarks.load import Load, received, subscribe, zipf
from flink_app.config import load
from flink_app.environment import embedded_options, environments, flink_options, prepare_process

_SAMPLE = 20  # one event in so many is timed


def measure(url: str, rate: int, seconds: int, model: str) -> dict[str, Any]:
    """Run the job on a watched directory and count the second half of `seconds`."""
    prepare_process()
    client = redis.Redis.from_url(url)
    client.flushall()
    ages: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as name:
        overrides = [
            "source.kind=directory", f'source.paths=["{name}"]', f"redis.url={url}",
            "model.dimensions=64", "job.shards=1", "job.item_shards=1",
            "dead_letters.kind=none", "source.poll_ms=10", f"lists.model={model}",
        ]  # fmt: skip
        config = load(None, overrides, {}).config
        stream, tables = environments(embedded_options(config) | flink_options(config))
        from flink_app.job import build

        build(stream, tables, config)
        job = stream.execute_async()
        load_ = Load(Path(name), _SAMPLE, lambda: received(client))
        given = (url, load_, ages, threading.Event())
        threading.Thread(target=subscribe, args=given, daemon=True).start()
        load_.write(zipf(4000, seed=1), 200, 20)  # until Java and the kernels are warm
        while not ages:
            load_.write(zipf(200, seed=1), 200, 1)
        reached = load_.write(zipf(rate * seconds, seed=2), rate, seconds)
        ended = time.time()
        time.sleep(1.0)
        job.cancel().result()
    counted = np.array([age for at, age in ages if at > ended - seconds / 2])
    return {
        "events": len(counted),
        "events_per_s": round(reached),
        "p50_ms": round(float(np.percentile(counted, 50)), 1),
        "p99_ms": round(float(np.percentile(counted, 99)), 1),
    }


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])))
