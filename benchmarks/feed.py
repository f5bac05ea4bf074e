"""Bytes in the item feed per event, counted without Flink and Redis.

In: nothing. Out: a table on standard error, and one line of JSON: bytes per event by events/s,
items, dimensions, neighbours and length of a micro-batch, with and without the bound of
`feed.megabytes_per_s`. The learner, the item shard and the packing are the job's own; only time is
simulated.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
from rich.console import Console
from rich.table import Table

from flink_app.config import Config, load
from flink_app.simulator import zipf_events
from udfs.events.batch import EventBatch, make_batch
from udfs.feed.changes import Changes
from udfs.feed.entries import KEEP_S, PUBLISH_MS
from udfs.feed.parameters import Shared
from udfs.feed.reader import FeedReader
from udfs.feed.writer import FeedWriter
from udfs.learning.item_shard import ItemShard
from udfs.learning.item_step import PAIRS_MS
from udfs.learning.learner import Learner
from udfs.memory.catalogue import Catalogue
from udfs.memory.users import Users
from udfs.models.item_cf.neighbours import Neighbours
from udfs.models.item_cf.wire import KeyIndex
from udfs.ranking.ranker import RANKER, Ranker
from udfs.ranking.recommender import Recommender
from udfs.state.handles import MemoryRows
from udfs.stores.redis_feed import RedisFeed
from udfs.stores.redis_writer import RedisSettings, RedisWriter

UNBOUNDED = 1e6  # megabytes/s
WARMUP, SECONDS = 100_000, 4


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """A shop and a job.

    Attributes:
        rate: events/s. items, users: of the shop. dimensions, neighbours: of the models.
        window_ms: length of a micro-batch. bound: `feed.megabytes_per_s`. train:
            `ranker.train_per_s`.
    """

    rate: int = 5_000
    items: int = 5_000
    users: int = 20_000
    dimensions: int = 32
    neighbours: int = 200
    window_ms: int = 20
    bound: float = UNBOUNDED
    train: float = 100.0

    def config(self, *more: str) -> Config:
        """The job's configuration: one shard of each kind, and `more` options."""
        given = [
            f"model.dimensions={self.dimensions}",
            f"item_cf.neighbours={self.neighbours}",
            f"feed.megabytes_per_s={self.bound}",
            f"ranker.train_per_s={self.train}",
            "job.shards=1",
            "job.item_shards=1",
            *more,
        ]
        return load(None, given, {}).config


BASE = Case()
CASES = [
    BASE,
    *(msgspec.structs.replace(BASE, rate=rate) for rate in (1_000, 20_000)),
    *(msgspec.structs.replace(BASE, items=items) for items in (1_000, 100_000)),
    msgspec.structs.replace(BASE, dimensions=64),
    msgspec.structs.replace(BASE, neighbours=50),
    msgspec.structs.replace(BASE, window_ms=200),
    msgspec.structs.replace(BASE, bound=4.0),
    msgspec.structs.replace(BASE, items=100_000, bound=4.0),
]


def batches(case: Case, events: int, warmup: int = 0) -> Iterator[EventBatch]:
    """Micro-batches of `case.window_ms` each, after `warmup` events in batches of a second; the
    very first opens at 0 ms."""
    found: list[Any] = []
    for chunk in zipf_events(warmup + events, case.users, case.items, 1.0):
        found += [msgspec.json.decode(line) for line in chunk.splitlines()]
    size = max(1, case.rate * case.window_ms // 1000)
    begins = [*range(0, warmup, case.rate), *range(warmup, len(found), size)]
    for begin, end in zip(begins, [*begins[1:], len(found)], strict=True):
        part, n, now = found[begin:end], end - begin, begin * 1000 // case.rate
        yield make_batch(
            [each["user"] for each in part],
            [each["item"] for each in part],
            np.ones(n),
            np.ones(n, np.uint8),
            np.full(n, now),
            [""] * n,
            now,
        )


def item_shard(config: Config, *, follow: bool = True) -> ItemShard:
    """An empty shard that owns all items; see `ItemShard` for `follow`."""
    s = config.settings
    return ItemShard(
        Catalogue(s.model.dimensions, s.model.seed, s.state.max_items), Neighbours(s.item_cf),
        Shared({RANKER: Ranker(s.ranker)}), KeyIndex(), s.half_life_ms, follow,
    )  # fmt: skip


def traffic(case: Case, warmup: int, events: int) -> dict[str, Any]:
    """Learn `warmup` events, then count what `events` more put into the feed."""
    config = case.config()
    settings = config.settings
    learner, rows, history = Learner(settings), MemoryRows(), MemoryRows()
    shard = item_shard(config)
    learner.compile()
    said: Any = _Said()
    writer = FeedWriter(said, 0, 1, False, KEEP_S)
    half = 1000 * config.feed.megabytes_per_s / 2
    published = counted = number = 0
    gathered: list[bytes] = []
    for batch in batches(case, events, warmup):
        now, measured = batch.opened, number >= warmup
        learner.learn(batch, rows, history, number, now + 1)
        messages = learner.messages(now + 1).values()
        gathered += messages
        said.messages += measured * sum(map(len, messages))
        number += len(batch)
        if now - published < PUBLISH_MS:
            continue
        shard.apply(*gathered, now_ms=now)
        gathered.clear()
        due, published = now - counted >= PAIRS_MS, now
        counted = now if due else counted
        said.measured = measured
        for part in shard.changes(int(half * PUBLISH_MS), int(half * PAIRS_MS) if due else 0, now):
            writer.append(shard.catalogue, part, shard.marks.flags, now)
            if measured:
                said.note(part)
    size = sum(map(len, said.entries))
    return {
        **msgspec.to_builtins(case),
        "rows": round(said.rows / events, 2),
        "pair_rows": round(said.counted / events, 2),
        "item_bytes": round((size - said.pairs) / events),
        "pair_bytes": round(said.pairs / events),
        "bytes_per_event": round(size / events),
        "megabytes_per_s": round(size / events * case.rate / 1e6, 2),
        "message_bytes": round(said.messages / events),
        "read_us_per_kb": round(read_us(config, said.entries) / max(size / 1000, 1), 2),
    }


class _Said:
    """What was put into the feed, and sent to the item learner before."""

    def __init__(self) -> None:
        self.entries: list[bytes] = []
        self.measured = False
        self.rows = self.counted = self.pairs = self.messages = 0

    def note(self, part: Changes) -> None:
        """Count the rows of an entry."""
        pairs = part.pairs
        self.pairs += sum(map(len, (pairs.heads, pairs.keys, pairs.numbers, pairs.shares)))
        self.rows, self.counted = self.rows + len(part.slots), self.counted + pairs.count

    def append(self, entry: bytes, oldest_ms: int, besides: int) -> None:
        """Take what would go to the log."""
        if self.measured:
            self.entries.append(entry)


def read_us(config: Config, entries: list[bytes]) -> float:
    """Microseconds that a replica takes to apply entries, the second time it reads them."""
    settings = config.settings
    catalogue = Catalogue(settings.model.dimensions, 1, settings.state.max_items)
    models = Recommender(settings, catalogue, Users(settings.model.dimensions, 1, 10, 10))
    reader = FeedReader(
        RedisFeed(RedisWriter(RedisSettings("redis://127.0.0.1:1")), ""), 1, False, 30.0
    )
    for _ in range(2):
        began = time.process_time()
        for data in entries:
            reader.apply(data, models)
    return (time.process_time() - began) * 1e6


def main() -> None:
    """Count, print."""
    found = []
    for case in CASES:
        print(f"{case} …", file=sys.stderr)
        found.append(traffic(case, WARMUP, SECONDS * case.rate))
    table = Table(title="bytes of the item feed per event")
    for name in found[0]:
        table.add_column(name.replace("_", " "), justify="right")
    for row in found:
        table.add_row(*(f"{value:,}" for value in row.values()))
    Console(stderr=True, width=200).print(table)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
