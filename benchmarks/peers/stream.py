"""The events of the live measurement, and which of them test the lists.

In: MovieLens-100K, or the simulated shop. Out: a `Stream`, the same for every peer, and the hits of
the popular list, for comparison.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from benchmarks.load import Event
from benchmarks.peers.loop import LENGTH, top
from flink_app.simulator import ShopSettings, simulate
from flink_app.writers.files import FileWriter

SIDE_BY_SIDE = 300
"""Users whose events alternate in the live part."""


class Stream(msgspec.Struct, frozen=True, eq=False):
    """n events, in order: first the prefix, then the live part.

    Attributes:
        users, items: int64[n], any numbers. times: int64[n], ms, never decreasing.
        prefix: number of events of history, before the live part.
        source: the origin of the events, as text.
    """

    users: NDArray[np.int64]
    items: NDArray[np.int64]
    times: NDArray[np.int64]
    prefix: int
    source: str

    def event(self, n: int) -> Event:
        """An event in millirec's own format."""
        user, item, ts = int(self.users[n]), int(self.items[n]), int(self.times[n])
        return {"user": f"u{user}", "item": f"i{item}", "type": "view", "ts": ts}


def recorded(path: Path, prefix: int, seed: int = 1) -> Stream:
    """MovieLens's `u.data` by time, every rating an event, the live part interleaved."""
    rows = np.loadtxt(path, np.int64, ndmin=2)
    users, items, _, seconds = rows[np.argsort(rows[:, 3], kind="stable")].T
    return woven(users, items, seconds * 1000, prefix, "MovieLens-100K, all ratings", seed)


def simulated(events: int, prefix: int, seed: int = 1) -> Stream:
    """Events of the simulated shop by time, of every type, the live part interleaved."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events"
        with FileWriter(path) as writer:
            simulate(ShopSettings(seed=seed), writer, events)
        found = [json.loads(line) for line in path.read_bytes().splitlines()]
    users, items = (np.array([int(e[name][1:]) for e in found]) for name in ("user", "item"))
    times = np.array([event["ts"] for event in found])
    return woven(users, items, times, prefix, "the simulated shop", seed)


def woven(
    users: NDArray[np.int64],
    items: NDArray[np.int64],
    times: NDArray[np.int64],
    prefix: int,
    source: str,
    seed: int,
) -> Stream:
    """Let users alternate after the prefix; each user's own order and the times stay the same.

    In a recording of months, one user's session often fills an hour. Replayed in a minute without
    interleaving, each user would send a whole session within a second, one user after another.
    """
    rest = np.arange(prefix, len(users))
    order = np.concatenate([np.arange(prefix), rest[weave(users[prefix:], SIDE_BY_SIDE, seed)]])
    return Stream(users[order], items[order], times, prefix, source)


def weave(users: NDArray[np.int64], width: int, seed: int) -> NDArray[np.int64]:
    """An order, int64[n], in which the events of `width` users alternate at random.

    Users enter in the order of their first events; one without further events is replaced by the
    next.

    >>> weave(np.array([7, 7, 8, 8]), 1, seed=1).tolist()
    [0, 1, 2, 3]
    """
    draw = np.random.default_rng(seed)
    queues: dict[int, list[int]] = {}
    for n, user in enumerate(users.tolist()):
        queues.setdefault(user, []).append(n)
    waiting = [queue[::-1] for queue in queues.values()][::-1]
    active = [waiting.pop() for _ in range(min(width, len(waiting)))]
    order = []
    while active:
        chosen = int(draw.integers(len(active)))
        order.append(active[chosen].pop())
        if not active[chosen]:
            if waiting:
                active[chosen] = waiting.pop()
            else:
                del active[chosen]
    return np.array(order, np.int64)


def is_test(stream: Stream) -> NDArray[np.bool_]:
    """Which events are tests: those of a known user on an item that is new to that user."""
    found = np.zeros(len(stream.users), np.bool_)
    seen: dict[int, set[int]] = {}
    for n, (user, item) in enumerate(
        zip(stream.users.tolist(), stream.items.tolist(), strict=True)
    ):
        had = seen.setdefault(user, set())
        found[n] = bool(had) and item not in had
        had.add(item)
    return found


def popular_hits(stream: Stream, begin: int, end: int) -> NDArray[np.bool_]:
    """Whether the popular list just before each of the events `begin` to `end` − 1 had its item.

    The list has the 10 items with the most events so far that the user has not had.
    """
    names, items = np.unique(stream.items, return_inverse=True)
    counts = np.zeros(len(names))
    seen: dict[int, set[int]] = {}
    hits = np.zeros(end - begin, np.bool_)
    for n, (user, item) in enumerate(
        zip(stream.users[:end].tolist(), items.tolist(), strict=False)
    ):
        had = seen.setdefault(user, set())
        if n >= begin:
            scores = np.where(counts > 0, counts, -np.inf)
            hits[n - begin] = counts[item] > 0 and item in top(scores, had, LENGTH)
        counts[item] += 1
        had.add(item)
    return hits
