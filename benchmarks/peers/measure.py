"""The two measurements of a peer: at full speed, and live with the lists' quality.

In: a command that starts the peer, events, a Redis. Out: figures, as dicts for JSON.
"""

from __future__ import annotations

import json
import tempfile
import threading
import time
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import redis
from numpy.typing import NDArray

from benchmarks.load import ITEMS, USERS, Event, Load, received, subscribe, zipf
from benchmarks.peers.loop import LENGTH
from benchmarks.peers.process import PeerProcess
from benchmarks.peers.stream import Stream

START_S = 300.0
"""Time limit from the start of a peer to the lists of its first events."""

_LIMIT_S = 90.0  # for a backlog, and for the prefix
_LATER_S = 15.0  # how long to wait for lists after the last event
_STEP_S = 0.05
_PARTS = 3  # of the history, one after the other: Java becomes faster after a while
_LAST = 50  # users whose lists show that the end of a file is reached


def last_users(events: Sequence[Event]) -> list[str]:
    """The distinct users of the last events."""
    return list(dict.fromkeys(event["user"] for event in events[-_LAST:]))


def catalogue() -> list[Event]:
    """An event on every item, by 50 extra users, so that peers rank all items."""
    return [
        {
            "user": f"u{USERS + item % 50}",
            "item": f"i{item}",
            "type": "view",
            "ts": 1_704_067_200_000,
        }
        for item in range(ITEMS)
    ]


def full_speed(
    command: Sequence[str], log: Path, url: str, backlog: int, warm: int
) -> dict[str, Any]:
    """Let the peer learn all items and `warm` events, and time it on a file of `backlog` more.

    Raises:
        PeerFailed: it does not get to that file.
    """
    client = redis.Redis.from_url(url)
    client.flushall()
    with (
        tempfile.TemporaryDirectory() as name,
        PeerProcess(_in(command, name, url), log) as peer,
    ):
        load = Load(Path(name))
        events = zipf(warm + backlog, seed=1)
        first = [*catalogue(), *islice(events, warm)]
        load.put(first, timed=False)
        peer.must(load, client, last_users(first), START_S)
        time.sleep(1.0)  # counts in `stats` may be half a second old
        before = _lists(client)
        rest = list(events)
        load.put(rest, timed=False)
        began = time.monotonic()
        finished = peer.wait(load, client, last_users(rest), _LIMIT_S)
        seconds = time.monotonic() - began
        done = backlog if finished else received(client) - len(first)
        time.sleep(1.0)
        lists = _lists(client) - before
    return {
        "events": backlog,
        "finished": finished,
        "seconds": round(seconds, 1),
        "events_per_s": round(done / seconds),
        "lists_per_s": round(lists / seconds),
        "peak_mib": peer.peak_mib,
    }


def live(
    command: Sequence[str],
    log: Path,
    url: str,
    stream: Stream,
    known: int,
    rate: float,
    seconds: float,
) -> dict[str, Any]:
    """Let the peer learn the end of the prefix, then observe it with events at a steady rate.

    Args:
        known: the number of events that the peer gets from the end of the prefix.

    Raises:
        PeerFailed: it does not reach the end of the prefix, or it exits.
    """
    client = redis.Redis.from_url(url)
    client.flushall()
    ages: list[tuple[float, float]] = []
    with (
        tempfile.TemporaryDirectory() as name,
        PeerProcess(_in(command, name, url), log) as peer,
    ):
        load = Load(Path(name))
        history = [stream.event(n) for n in range(max(0, stream.prefix - known), stream.prefix)]
        began = time.monotonic()
        size = max(1, -(-len(history) // _PARTS))
        for first in range(0, len(history), size):
            part = history[first : first + size]
            load.put(part, timed=False)
            peer.must(load, client, last_users(part), START_S + _LIMIT_S)
        took = time.monotonic() - began
        stop = threading.Event()
        given = (url, load, ages, stop)
        watch = threading.Thread(target=subscribe, args=given, daemon=True)
        watch.start()
        shown = Shown(client)
        coming = map(stream.event, range(stream.prefix, len(stream.users)))
        reached = load.write(coming, rate, seconds, _STEP_S, shown.look)
        deadline = time.monotonic() + _LATER_S
        while any(load.waiting.values()) and time.monotonic() < deadline:
            time.sleep(0.02)
        peer.check()
        ended = time.time()
        stop.set()
        watch.join()
    late = [(ended - at) * 1000 for queue in load.waiting.values() for _, at in queue]
    all_ages = np.array([age for _, age in ages] + late)
    p50, p95, p99 = np.percentile(all_ages, [50, 95, 99]).round(1).tolist()
    return {
        "history": len(history),
        "history_s": round(took, 1),
        "events": len(shown.held),
        "events_per_s": round(reached),
        "p50_ms": p50,
        "p95_ms": p95,
        "p99_ms": p99,
        "late": len(late),
        "peak_mib": peer.peak_mib,
        "held": shown.held,
    }


class Shown:
    """The lists in Redis just before events are written.

    Attributes:
        held: for each event, whether its user's list had its item: 1, 0, or −1 for no list.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self.held: list[int] = []

    def look(self, events: Sequence[Event]) -> None:
        """Read the lists of the users of the next events."""
        stored: Any = self._client.mget([f"rec:{event['user']}" for event in events])
        self.held += [
            held(value, event["item"]) for event, value in zip(events, stored, strict=True)
        ]


def held(stored: bytes | None, item: str) -> int:
    """Whether a list has an item in its first 10 places; −1: there is no list.

    >>> held(b'{"items":[{"item":"i1"}]}', "i1"), held(b'{"items":[]}', "i1"), held(None, "i1")
    (1, 0, -1)
    """
    if stored is None:
        return -1
    return int(item in [entry["item"] for entry in json.loads(stored)["items"][:LENGTH]])


def recall(held: Sequence[int], popular: NDArray[np.bool_], tests: NDArray[np.bool_]) -> float:
    """The share of tests whose item was in the list; users without one get the popular list.

    Args:
        held: see `Shown`. popular, tests: bool[≥ n], of the same events.

    >>> recall([1, 0, -1, 1], np.array([0, 1, 1, 0]) > 0, np.array([1, 1, 1, 0]) > 0)
    0.6666666666666666
    """
    found = np.array(held)
    count = len(found)
    hits = np.where(found < 0, popular[:count], found > 0)
    return float(hits[tests[:count]].mean())


def _in(command: Sequence[str], folder: str, url: str) -> list[str]:
    """A command with the folder of events and the URL of Redis filled in."""
    return [part.format(folder=folder, url=url) for part in command]


def _lists(client: redis.Redis) -> int:
    stored: Any = client.hget("stats", "lists")
    return int(stored or 0)
