"""Compares the job's books with the load's: each event counted once, each list up to date.

In: a paused `Load`, the job's Redis and its topic of dead letters. Out: the differences, which must
disappear once the job has caught up.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from typing import Any

import msgspec
import redis
from confluent_kafka import Consumer

from benchmarks.faults.load import GONE, Load
from benchmarks.faults.topic import differing, events, last_records
from benchmarks.load import known
from flink_app.config import Config
from flink_app.console.totals import read_totals
from udfs.attributed import UNKNOWN, VIEWS, tables
from udfs.feed.reader import FeedReader
from udfs.memory.catalogue import Catalogue
from udfs.memory.users import Users
from udfs.operators.parse import LINE_MOST
from udfs.options.cassandra import Cassandra
from udfs.ranking.recommender import Recommender
from udfs.stores.cassandra_reads import CassandraReads, list_of
from udfs.stores.redis_feed import RedisFeed
from udfs.stores.redis_writer import RedisSettings, RedisWriter

EXPERIMENT = "faults"
"""Every user is in it, so what it counts is what became of all lists."""
LISTS = [
    "quality.attribution_days=7",
    "rerank.diversity=0.5",
    "rerank.calibration=2",
    "rerank.debias=0.2",
    "rerank.repeats=3",
    """rules=[{when = 'provider == "p1"', exposure = 0.4}]""",
    f"""experiments=[{{name = "{EXPERIMENT}", variants = [{{name = "now"}},
    {{name = "plain", set = {{"rerank.diversity" = 0, "rerank.calibration" = 0}}}}]}}]""",
]
"""Options for all that is done with lists after ranking, and for the experiment."""
SETTLE_S = 180.0  # a job that has not caught up after this never will


class Books(msgspec.Struct):
    """The differences; all are 0 if nothing was lost and nothing counted twice.

    Attributes:
        users, items: the sums of the absolute differences in events, of the counts in users' lists
            (of users who were forgotten, since then) and of the items in the state of the item
            learners. totals: the same for `stats`.
        metadata: items of which Redis has another price than was said last, or that are hidden or
            not, where they should be otherwise.
        topic: users of whom the last record in the topic of lists counts other events than the list
            in Redis.
        lists: impressions that are neither a view of an item of a list nor of an unknown list or
            item, and what is counted twice. experiment: views of lists that are in none of its
            variants, or in two.
        letters: unusable lines without a dead letter, and dead letters without such a line.
        kept: users of whom the list in Cassandra, if there is one, counts other events than that in
            Redis.
        repeated: dead letters that were written more than once, as at-least-once delivery allows.
    """

    users: int = 0
    items: int = 0
    totals: int = 0
    lists: int = 0
    experiment: int = 0
    letters: int = 0
    metadata: int = 0
    topic: int = 0
    kept: int = 0
    repeated: int = 0

    @property
    def agree(self) -> bool:
        """Whether nothing differs."""
        return not self.wrong

    @property
    def wrong(self) -> int:
        """The sum of all differences."""
        found = self.users, self.items, self.totals, self.letters, self.metadata
        return self.lists + self.experiment + sum(found) + self.topic + self.kept


class DeadLetters:
    """Reads the topic of dead letters, in a thread; when asked, also that of lists."""

    def __init__(self, bootstrap: str, topic: str, lists: str) -> None:
        self._bootstrap, self._lists = bootstrap, lists
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

    def lists(self) -> dict[str, bytes | None] | None:
        """The last list of each user, see `last_records`; None if there is no topic of lists."""
        return last_records(self._bootstrap, self._lists) if self._lists else None

    def close(self) -> None:
        """End the thread."""
        self._ended = True
        self._thread.join()
        self._consumer.close()


def compare(load: Load, url: str, letters: DeadLetters, item_shards: int) -> Books:
    """The current differences."""
    client = redis.Redis.from_url(url)
    totals = read_totals(client, "")
    users = load.persons
    stored = client.mget([f"rec:{user}" for user in users])
    lists = Counter(dict(zip(users, map(known, stored), strict=True)))  # type: ignore[arg-type]
    bad, good, told = len(load.bad), load.sent, load.described
    counted, views, seen, tested = (0, 0, 0, 0, 0), 0.0, 0.0, 0.0
    if totals:
        taken = totals.learned + totals.refused
        counted = (totals.received, taken, totals.rejected, totals.described, totals.ignored)
        places = tables(totals.attribution)["position"].values()
        views = sum(row.get(VIEWS, 0.0) for row in places)
        counts = totals.experiment.items()
        tested = sum(float(value) for name, value in counts if name.endswith(f":{VIEWS}"))
        seen = views + sum(totals.attribution.get(name, 0.0) for name in UNKNOWN)
    wanted = good + bad + told + load.seen, good, bad, told, load.seen
    books = Books(
        users=_apart(users, lists),
        items=_apart(load.items, items(url, item_shards)),
        totals=sum(abs(a - b) for a, b in zip(counted, wanted, strict=True)),
        lists=int(abs(seen - load.seen)),
        experiment=int(abs(views - tested)),
        letters=len({line[:LINE_MOST] for line in load.bad} ^ letters.lines.keys()),
        metadata=_misdescribed(load, client),
        kept=_unkept(dict(zip(users, stored, strict=True)), load.cassandra),  # type: ignore[arg-type]
        repeated=sum(letters.lines.values()) - len(letters.lines),
    )
    # The topic is read from its beginning.
    if books.agree and (records := letters.lists()) is not None:
        books.topic = differing(client, users, records)
    return books


def _unkept(stored: dict[str, bytes | None], options: Cassandra | None) -> int:
    """Users of whom Cassandra's list counts other events than Redis', or is there without one. A
    hidden item is taken out of the lists in Redis alone, so that the rest may differ."""
    if options is None:
        return 0
    try:
        reads = CassandraReads(options)
        reads.start()
        asked = {user: reads.ask_list(user) for user in stored}
        found = {user: events(list_of(answer.result())) for user, answer in asked.items()}
        return sum(found[user] != events(value) for user, value in stored.items())
    except Exception:  # of the driver: it has not found the node again
        return len(stored)


def _misdescribed(load: Load, client: redis.Redis) -> int:
    """Items of which Redis says something else than the load said last."""
    pages: Any = client.mget([f"item:{item}" for item in load.prices] or ["item:"])
    prices = [_page(page or b"{}").get("price") for page in pages[: len(load.prices)]]
    wrong = sum(a != b for a, b in zip(prices, load.prices.values(), strict=True))
    members: Any = client.smembers("hidden")
    hidden = {str(name.decode()) for name in members}
    return int(wrong) + len(hidden ^ load.hidden)


_page = msgspec.json.Decoder(dict[str, Any]).decode


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
    found = zip(names, catalogue.events[living].tolist(), strict=True)
    return Counter({name: events for name, events in found if not name.startswith(GONE)})


def _apart(wanted: Counter[str], found: Counter[str]) -> int:
    return sum(abs(wanted[key] - found[key]) for key in wanted.keys() | found.keys())
