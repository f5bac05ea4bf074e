"""The loop of the peers that are a library in one Python process: read, learn, rank, write.

In: a `Model`, and files of JSON lines that appear in a folder. Out: lists in Redis of the users in
each micro-batch, which holds all waiting events, at most 5,000. It runs in the peers' own
environments, so it only imports NumPy and redis.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import redis

LENGTH = 10
"""Items of a list."""
BATCH = 5_000
"""Maximum number of events that are learned before their users' lists are made."""

_TOGETHER = 64  # lists that are ranked and written together
_PAUSE_S = 0.005

Event = dict[str, Any]


class Model(Protocol):
    """The interface that a library is adapted to."""

    def learn(self, events: Sequence[Event]) -> None:
        """Learn events in their order: `user`, `item`, and `value` if it is a rating."""

    def rank(self, users: Sequence[str]) -> list[list[str]]:
        """The best items of each user that the user has not had, best first."""


def follow(folder: Path) -> Iterator[list[Event]]:
    """The waiting events in a folder, as micro-batches of at least one event; never ends."""
    last = ""
    waiting: list[bytes] = []
    while True:
        if len(waiting) < BATCH:
            for name in sorted(p.name for p in folder.glob("*.jsonl") if p.name > last):
                waiting += (folder / name).read_bytes().splitlines()
                last = name
        if waiting:
            yield [json.loads(line) for line in waiting[:BATCH]]
            del waiting[:BATCH]
        else:
            time.sleep(_PAUSE_S)


def serve(model: Model, batches: Iterable[list[Event]], client: redis.Redis) -> None:
    """Learn each batch, then write the lists of its users."""
    counts: Counter[str] = Counter()
    learned = lists = 0
    for batch in batches:
        model.learn(batch)
        counts.update(event["user"] for event in batch)
        learned += len(batch)
        users = list(dict.fromkeys(event["user"] for event in batch))
        for begin in range(0, len(users), _TOGETHER):
            part = users[begin : begin + _TOGETHER]
            lists += len(part)
            write(client, zip(part, model.rank(part), strict=True), counts, learned, lists)


def write(
    client: redis.Redis,
    lists: Iterable[tuple[str, Sequence[str]]],
    counts: dict[str, int],
    learned: int,
    written: int,
) -> None:
    """Write lists, and the totals so far, in one round trip.

    Args:
        lists: user and items. counts: user → number of the user's events that its list counts.
        learned, written: all events and lists so far, including these.
    """
    now = time.time_ns() // 1_000_000
    with client.pipeline(transaction=False) as pipeline:
        for user, items in lists:
            entries = [{"item": item} for item in items]
            value = {"user": user, "id": f"{now:x}-{counts[user]:x}", "at": now, "items": entries}
            pipeline.set(f"rec:{user}", json.dumps(value))
            pipeline.publish("rec", user)
        numbers = {"received": learned, "learned": learned, "lists": written}
        pipeline.hset("stats", mapping=numbers)
        pipeline.execute()


class Ids:
    """Numbers names from 0 in the order of their first use.

    >>> ids = Ids()
    >>> ids["b"], ids["a"], ids["b"], ids.names
    (0, 1, 0, ['b', 'a'])
    """

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self.names: list[str] = []

    def __getitem__(self, name: str) -> int:
        number = self._numbers.setdefault(name, len(self.names))
        if number == len(self.names):
            self.names.append(name)
        return number

    def __len__(self) -> int:
        return len(self.names)


def top(scores: Any, seen: Iterable[int], length: int = LENGTH) -> list[int]:
    """The numbers of the highest scores except those seen, best first.

    Args:
        scores: float[I], modified: −inf for seen items.

    >>> top(np.array([0.1, 0.9, 0.5]), [1])
    [2, 0]
    """
    seen = list(seen)
    scores[seen] = -np.inf
    length = min(length, len(scores) - len(seen))
    best = np.argpartition(-scores, length - 1)[:length] if 0 < length < len(scores) else ...
    numbers = np.arange(len(scores))[best]
    found: list[int] = numbers[np.argsort(-scores[numbers], kind="stable")][:length].tolist()
    return found
