"""A store of one's own: registered in one line, it gets every list that Redis gets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from tests.udfs.flink import Subtask
from tests.udfs.user_learners import END, Clock, operator, sent
from udfs.lists.keys import USER
from udfs.lists.update import ListUpdate, ListUpdates
from udfs.models.settings import Settings
from udfs.stores.redis_writer import RedisWriter
from udfs.stores.table import STORES, register


class Toy:
    """Keeps the lists in memory."""

    opened: Toy

    def __init__(self, settings: Settings, redis: RedisWriter) -> None:
        self.kept: dict[str, ListUpdate] = {}
        self.closed = False
        Toy.opened = self

    def write(self, updates: Sequence[ListUpdates]) -> None:
        for some in updates:
            self.kept |= {update.kind.of(update.name): update for update in some}

    def erase(self, users: Sequence[str]) -> None:
        for user in users:
            self.kept.pop(USER.of(user), None)

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    clock = Clock()
    monkeypatch.setattr("udfs.operators.user_learner.now_ms", clock)
    register("toy", Toy)
    yield clock
    del STORES["toy"]


def lists(client: Any) -> dict[str, bytes]:
    """What Redis holds, but for what is no list."""
    heads = ("rec:", "similar:", "popular", "trending")
    keys = [key.decode() for key in client.scan_iter() if key.decode().startswith(heads)]
    return {key: client.get(key) for key in keys}


def kept() -> dict[str, bytes]:
    return {key: update.json for key, update in Toy.opened.kept.items()}


@pytest.mark.parametrize("strict", [False, True])
def test_it_gets_every_list_that_redis_gets(
    redis_url: str, redis_client: Any, clock: Clock, strict: bool
) -> None:
    flink = Subtask(operator(redis_url, refill_per_s=2, strict=strict))
    clock.settle(flink)
    people = ["ann", "bob", "cid", "dan", "eve"]
    pairs = list(zip(people, "abcab", strict=True))
    flink.process(7, sent(pairs, clock.now))
    flink.fire(clock.now + 1000)  # shared lists leave by a timer
    assert kept() == lists(redis_client)
    assert {f"rec:{name}" for name in people} | {"popular", "trending"} <= kept().keys()
    assert Toy.opened.kept["rec:eve"].items != []

    late = clock.now + 10_000  # under overload lists are put off
    clock.now = late + 10
    flink.process(7, sent([("ann", "c"), ("fay", "a")], clock.now - 5000))
    clock.now += 1000
    flink.fire(clock.now)
    assert kept() == lists(redis_client)

    redis_client.flushall()  # and all lists are written again, a few at a time
    Toy.opened.kept.clear()
    for _ in range(5):
        clock.now += 1000
        flink.fire(clock.now)
    assert kept() == lists(redis_client)
    assert {"rec:fay", "similar:a", "similar:b", "popular"} <= kept().keys()

    flink.process(7, sent([("gil", "d")], clock.now))
    flink.fire(END)
    flink.operator.close()
    assert kept() == lists(redis_client)
    assert {"rec:gil", "similar:d"} <= kept().keys()
    assert Toy.opened.closed
