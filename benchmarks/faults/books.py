"""Compares the job's books with the load's: each event counted once, each list up to date.

In: a paused `Load`, the job's Redis and its topic of dead letters. Out: the differences, which must
disappear once the job has caught up.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter

import msgspec
import redis
from confluent_kafka import Consumer

from benchmarks.faults.load import Load
from benchmarks.load import known
from flink_app.config import Config
from flink_app.console.totals import read_totals
from udfs.feed.reader import FeedReader
from udfs.memory.catalogue import Catalogue
from udfs.memory.users import Users
from udfs.operators.parse import LINE_MOST
from udfs.ranking.recommender import Recommender
from udfs.stores.redis_feed import RedisFeed
from udfs.stores.redis_writer import RedisSettings, RedisWriter

SETTLE_S = 180.0  # a job that has not caught up after this never will


class Books(msgspec.Struct):
    """The differences; all are 0 if nothing was lost and nothing counted twice.

    Attributes:
        users, items: the sums of the absolute differences in events, of the counts in users' lists
            and of the items in the state of the item learners. totals: the same for `stats`.
        letters: unusable lines without a dead letter, and dead letters without such a line.
        repeated: dead letters that were written more than once, as at-least-once delivery allows.
    """

    users: int = 0
    items: int = 0
    totals: int = 0
    letters: int = 0
    repeated: int = 0

    @property
    def agree(self) -> bool:
        """Whether nothing differs."""
        return not (self.users or self.items or self.totals or self.letters)


class DeadLetters:
    """Reads the topic of dead letters, in a thread."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self.lines: Counter[str] = Counter()
        self._ended = False
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": "faults",
                "log_level": 0,
                "auto.offset.reset": "earliest",
                "allow.auto.create.topics": True,
                "reconnect.backoff.max.ms": 500,
            }
        )
        self._consumer.subscribe([topic])
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while not self._ended:
            message = self._consumer.poll(0.2)
            if message is not None and not message.error():
                self.lines[json.loads(message.value() or b"{}")["line"]] += 1

    def close(self) -> None:
        """End the thread."""
        self._ended = True
        self._thread.join()
        self._consumer.close()


def compare(load: Load, url: str, letters: DeadLetters, item_shards: int) -> Books:
    """The current differences."""
    client = redis.Redis.from_url(url)
    totals = read_totals(client, "")
    users = load.users
    stored = client.mget([f"rec:{user}" for user in users])
    lists = Counter(dict(zip(users, map(known, stored), strict=True)))  # type: ignore[arg-type]
    bad, good = len(load.bad), sum(users.values())
    counted = (totals.received, totals.learned, totals.rejected) if totals else (0, 0, 0)
    return Books(
        users=_apart(users, lists),
        items=_apart(load.items, items(url, item_shards)),
        totals=sum(abs(a - b) for a, b in zip(counted, (good + bad, good, bad), strict=True)),
        letters=len({line[:LINE_MOST] for line in load.bad} ^ letters.lines.keys()),
        repeated=sum(letters.lines.values()) - len(letters.lines),
    )


def settle(
    load: Load, url: str, letters: DeadLetters, item_shards: int, seconds: float = SETTLE_S
) -> Books:
    """Wait until nothing differs, at most `seconds`; returns the remaining differences."""
    deadline = time.monotonic() + seconds
    while True:
        found = compare(load, url, letters, item_shards)
        if found.agree or time.monotonic() > deadline:
            return found
        time.sleep(0.2)


def items(url: str, item_shards: int) -> Counter[str]:
    """Events of each item, as published by the item learners from their state."""
    config = Config()
    d = config.model.dimensions
    catalogue = Catalogue(d, 1, 100_000)
    models = Recommender(config.settings, catalogue, Users(d, 1, 10, 10))
    feed = RedisFeed(RedisWriter(RedisSettings(url)), "")
    FeedReader(feed, item_shards, False, 30.0).start(models)
    living = catalogue.living_slots()
    names = map(str, catalogue.names(living.tolist()))
    return Counter(dict(zip(names, catalogue.events[living].tolist(), strict=True)))


def _apart(wanted: Counter[str], found: Counter[str]) -> int:
    return sum(abs(wanted[key] - found[key]) for key in wanted.keys() | found.keys())
