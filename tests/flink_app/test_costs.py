"""What a micro-batch costs in numbers that no machine changes: calls, round trips, bytes.

They guard what makes the job fast: everything is done once per batch, and nothing once per event.
The workload is that of `make bench`, with the default configuration.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pytest

from flink_app.config import load
from flink_app.simulator import zipf_events
from tests.udfs.flink import Subtask
from udfs.events.batch import make_batch, pack
from udfs.learning.settings import JobSettings
from udfs.operators.flink import STATS
from udfs.operators.user_learner import UserLearner

USERS, ITEMS, SHARD = 300, 200, 7
ONE_SHARD = ('source.paths=["x"]', "job.shards=1", "job.item_shards=1", "redis.url=")


class Costs(NamedTuple):
    """Of one micro-batch."""

    events: int
    lists: int
    strangers: int
    reads: int
    writes: int
    round_trips: int
    redis_bytes: int
    messages: int
    message_bytes: int


class Worker:
    """A user learner that has learned 4,000 events of all users, and goes on."""

    def __init__(self, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        config = load(None, [*ONE_SHARD[:3], ONE_SHARD[3] + url], {}).config
        self.now = 1_700_000_000_000
        monkeypatch.setattr("udfs.operators.user_learner.now_ms", lambda: self.now)
        self.flink = Subtask(UserLearner(JobSettings(options=config.settings, item_keys=[SHARD])))
        self.sent = 0
        connection: Any = self.flink.operator.writer
        send = connection.send

        def counted(commands: Any) -> Any:
            self.sent += sum(len(c) if isinstance(c, bytes) else len(repr(c)) for c in commands)
            return send(commands)

        monkeypatch.setattr(connection, "send", counted)
        self._events = self._generate()
        for _ in range(8):
            self.batch(500)

    def _generate(self) -> Iterator[dict[str, Any]]:
        for block in zipf_events(20_000, USERS, ITEMS, 1.0):
            yield from (msgspec.json.decode(line) for line in block.splitlines())

    def batch(self, n: int) -> Costs:
        """Learn the next n events."""
        self.now += 50
        events = [next(self._events) for _ in range(n)]
        names = [str(event["user"]) for event in events]
        batch = make_batch(
            names, [str(event["item"]) for event in events], np.ones(n), np.ones(n, np.uint8),
            np.full(n, self.now), [""] * n, self.now,
        )  # fmt: skip
        strangers = sum(self.flink.operator.learner.users.find(user) < 0 for user in set(names))
        handles = ("users", "history")
        states = [self.flink.state[name].get(SHARD) for name in handles]
        before = [(s.reads, s.writes) if s else (0, 0) for s in states]
        trips, sent = self.flink.operator.writer.round_trips, self.sent
        out = self.flink.process(SHARD, (SHARD, pack(batch)))
        states = [self.flink.state[name][SHARD] for name in handles]
        messages = [value for key, value in out if key is not STATS]
        return Costs(
            n,
            len(set(names)),
            strangers,
            sum(s.reads - b[0] for s, b in zip(states, before, strict=True)),
            sum(s.writes - b[1] for s, b in zip(states, before, strict=True)),
            self.flink.operator.writer.round_trips - trips,
            self.sent - sent,
            len(messages),
            sum(map(len, messages)),
        )


@pytest.fixture
def worker(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Worker:
    return Worker(redis_url, monkeypatch)


def test_calls_are_by_batch_and_not_by_event(worker: Worker) -> None:
    for size in (10, 100, 1000):
        costs = worker.batch(size)
        assert costs.reads == costs.strangers < size / 10, "who is in memory is not read"
        assert costs.writes <= 2, "all users in one call, and all full pages of histories"
        assert costs.round_trips <= 3, "to look at the feed, to count what tests showed, for lists"
        assert costs.messages == 1, "one for each item shard"


def test_bytes_are_by_list_and_by_item(worker: Worker) -> None:
    """An eighth above what they were when this was written: 1,660, 671 and 113."""
    small, large = worker.batch(100), worker.batch(1000)
    for costs in (small, large):
        assert costs.redis_bytes / costs.lists < 1860, "20 items, with scores and reasons"
    # What a batch changes of an item is told once, so that larger batches say less per event.
    assert small.message_bytes / small.events < 755
    assert large.message_bytes / large.events < 127
