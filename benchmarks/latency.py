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
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
import redis

from flink_app.config import load
from flink_app.environment import embedded_options, environments, flink_options, prepare_process
from flink_app.simulator import zipf_events

_STEP_S = 0.02
_SAMPLE = 20  # one event in so many is timed
_KEPT = 100  # files stay in the folder: 2 s of them


class Load:
    """Writes events and remembers when the sampled ones were written.

    Attributes:
        waiting: user → (number of the event among the user's, time of writing, s) in order.
        clear: delete the files before the last 100, once the job reads.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers: dict[str, int] = {}
        self._files, self._oldest = 0, 1
        self.clear = False
        self.waiting: dict[str, deque[tuple[int, float]]] = {}

    def write(self, rate: int, seconds: float, seed: int) -> float:
        """Write `rate` events/s for `seconds`; returns the rate that was reached."""
        lines = (
            line
            for chunk in zipf_events(int(rate * seconds) + rate, 20_000, 5_000, 1.0, seed)
            for line in chunk.splitlines()
        )
        began, count = time.time(), 0
        while (passed := time.time() - began) < seconds:
            due = int(passed * rate) - count
            if due > 0:
                self._put([json.loads(next(lines)) for _ in range(due)], count)
                count += due
            time.sleep(max(0.0, _STEP_S - (time.time() - began - passed)))
        return count / seconds

    def _put(self, events: list[dict[str, Any]], count: int) -> None:
        now = time.time()
        for n, event in enumerate(events, count):
            user = event["user"]
            self._numbers[user] = number = self._numbers.get(user, 0) + 1
            event["ts"] = int(now * 1000)
            del event["id"]
            if n % _SAMPLE == 0:
                self.waiting.setdefault(user, deque()).append((number, now))
        self._files += 1
        part = self._folder / f".{self._files}"
        part.write_text("".join(json.dumps(event) + "\n" for event in events))
        part.rename(self._folder / f"{self._files}.jsonl")
        if self.clear:  # Flink lists the whole folder at each poll: whoever fills it clears it
            while self._oldest <= self._files - _KEPT:
                (self._folder / f"{self._oldest}.jsonl").unlink()
                self._oldest += 1


def subscribe(url: str, load: Load, ages: list[tuple[float, float]]) -> None:
    """Take the time at which the list is readable that counts a sampled event in.

    A list's id ends with how many events of its user it knows.
    """
    client: Any = redis.Redis.from_url(url)
    channel = client.pubsub(ignore_subscribe_messages=True)
    channel.subscribe("rec")
    for message in channel.listen():
        user = message["data"].decode()
        queue = load.waiting.get(user)
        if not queue:
            continue
        stored = client.get(f"rec:{user}")
        now = time.time()
        known = int(json.loads(stored)["id"].rpartition("-")[2], 16) if stored else 0
        while queue and queue[0][0] <= known:
            ages.append((now, (now - queue.popleft()[1]) * 1000))


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
        load_ = Load(Path(name))
        threading.Thread(target=subscribe, args=(url, load_, ages), daemon=True).start()
        load_.write(200, 20, seed=1)  # until Java and the kernels are warm
        while not ages:
            load_.write(200, 1, seed=1)
        load_.clear = True
        reached = load_.write(rate, seconds, seed=2)
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
