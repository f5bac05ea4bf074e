"""Tools for measuring latency: events are written to a watched folder, lists observed in Redis.

In: events, as dicts in millirec's own format, and a rate. Out: files of JSON lines that are renamed
into the folder, in the order of their names; and the age of each timed event when its user's list
first counted it.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import redis

from flink_app.simulator import zipf_events

Event = dict[str, Any]

USERS, ITEMS, EXPONENT = 20_000, 5_000, 1.0
DIMENSIONS, LENGTH = 64, 20
"""The workload of `make bench`: its size, factors and list length."""

_KEPT = 100  # files that stay in the folder after they have been read


def zipf(count: int, seed: int) -> Iterator[Event]:
    """The workload of `make bench`, without ids, each event dated when it is generated."""
    for chunk in zipf_events(count, USERS, ITEMS, EXPONENT, seed):
        for line in chunk.splitlines():
            event = json.loads(line)
            del event["id"]
            yield event | {"ts": int(time.time() * 1000)}


class Load:
    """Writes events and remembers when the timed ones were written.

    Args:
        folder: for the files. Those before the last 100 are deleted once they have been read, since
            Flink lists the whole folder at each poll; on a file system that keeps no times of
            access, all stay.

    Attributes:
        sample: one event in this number is timed.
        numbers: user → number of the user's events written.
        waiting: user → (number of the event among the user's, time of writing, s) in order.
        count: number of events written.
    """

    def __init__(self, folder: Path, sample: int = 1) -> None:
        self._folder, self.sample = folder, sample
        self._kept: deque[Path] = deque()
        self._files = self.count = 0
        self.numbers: dict[str, int] = {}
        self.waiting: dict[str, deque[tuple[int, float]]] = {}

    def write(
        self,
        events: Iterator[Event],
        rate: float,
        seconds: float,
        step_s: float = 0.02,
        before: Callable[[Sequence[Event]], object] = lambda events: None,
    ) -> float:
        """Write `rate` events/s for `seconds`, a file each `step_s`; returns the rate reached.

        Args:
            before: called with the events of each file just before it is written.
        """
        began, count = time.time(), 0
        while (passed := time.time() - began) < seconds:
            due = min(int(passed * rate), int(seconds * rate)) - count
            if due > 0:
                part = [next(events) for _ in range(due)]
                before(part)
                self.put(part)
                count += due
            time.sleep(max(0.0, step_s - (time.time() - began - passed)))
        return count / seconds

    def put(self, events: Sequence[Event], timed: bool = True) -> None:
        """Write one file of events, and time those of the sample if it is `timed`."""
        now = time.time()
        for n, event in enumerate(events, self.count):
            user = event["user"]
            self.numbers[user] = number = self.numbers.get(user, 0) + 1
            if timed and n % self.sample == 0:
                self.waiting.setdefault(user, deque()).append((number, now))
        self.count += len(events)
        self._files += 1
        part = self._folder / f".{self._files:08}"
        part.write_text("".join(json.dumps(event) + "\n" for event in events))
        os.utime(part, (0, now))
        self._kept.append(part.rename(self._folder / f"{self._files:08}.jsonl"))
        # Flink reads the newest waiting file first, so that counts do not tell which it has read.
        while len(self._kept) > _KEPT and self._kept[0].stat().st_atime > 0:
            self._kept.popleft().unlink()


def known(stored: bytes | None) -> int:
    """The number of its user's events that a list counts, from the end of the list's id.

    >>> known(b'{"user":"alice","id":"18c2f0-1f","items":[]}'), known(None)
    (31, 0)
    """
    return int(json.loads(stored)["id"].rpartition("-")[2], 16) if stored else 0


def received(client: redis.Redis) -> int:
    """The number of events a job has read, according to its hash `stats`."""
    stored: Any = client.hget("stats", "received")
    return int(stored or 0)


def subscribe(url: str, load: Load, ages: list[tuple[float, float]], stop: threading.Event) -> None:
    """Record when the lists of timed events can be read, until `stop` is set.

    Args:
        ages: receives (time at which the list was read, s; age of the event then, ms).
    """
    client: Any = redis.Redis.from_url(url)
    channel = client.pubsub(ignore_subscribe_messages=True)
    channel.subscribe("rec")
    while not stop.is_set():
        message = channel.get_message(timeout=0.1)
        if message is None:
            continue
        user = message["data"].decode()
        queue = load.waiting.get(user)
        if not queue:
            continue
        count = known(client.get(f"rec:{user}"))
        now = time.time()
        while queue and queue[0][0] <= count:
            ages.append((now, (now - queue.popleft()[1]) * 1000))
    channel.close()
