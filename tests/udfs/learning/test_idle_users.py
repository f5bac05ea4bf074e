"""Idle users are found and forgotten, others never."""

from __future__ import annotations

import numpy as np

from tests.udfs.builders import OneShard, batch_of
from tests.udfs.fakes import DictState
from udfs.learning.idle_users import IdleUsers

LIMIT = 80_000


class Watched:
    """A shard with its log of idle users."""

    def __init__(self) -> None:
        self.shard, self.log = OneShard(), DictState()
        self.idle = IdleUsers(self.log, LIMIT)

    def visit(self, now: int, *users: str, items: int = 1) -> None:
        pairs = [(user, f"item {k}") for user in users for k in range(items)]
        learned = self.shard.learn(batch_of(pairs), now)
        self.idle.mark(self.shard.learner.users, learned.slots, now)

    def sweep(self, now: int) -> list[str]:
        shard = self.shard
        gone = self.idle.sweep(shard.rows, shard.history, shard.learner.users.dtype, now)
        for user in gone:
            shard.learner.users.forget(user)
        return gone


def test_a_forgotten_user_loses_the_history_and_starts_again() -> None:
    watched = Watched()
    watched.visit(0, "ann", "bob", items=70)
    watched.visit(50_000, "bob")
    assert watched.sweep(LIMIT) == []
    assert watched.sweep(LIMIT + 10_001) == ["ann"]
    assert list(watched.shard.rows.data) == ["bob"]
    assert sorted(watched.shard.history.data) == ["0:bob", "1:bob"]
    learner = watched.shard.learner
    assert learner.users.events[watched.shard.slots("ann")].tolist() == [0]
    assert watched.sweep(LIMIT + 60_001) == ["bob"]
    assert watched.shard.history.is_empty()
    assert watched.log.is_empty()


def test_each_user_is_noted_once_a_bucket() -> None:
    watched = Watched()
    for now in range(0, 10_000, 100):
        watched.visit(now, "ann", "bob")
    assert len(watched.log.data) == 1
    watched.visit(10_000, "ann")
    assert len(watched.log.data) == 2


def test_a_restart_forgets_no_idle_user() -> None:
    watched = Watched()
    watched.visit(0, "ann", "ü\n")
    watched.idle = IdleUsers(watched.log.copy(), LIMIT)
    assert sorted(watched.sweep(LIMIT + 10_001)) == ["ann", "ü\n"]


def test_an_evicted_user_is_noted_again_and_forgotten_once() -> None:
    watched = Watched()
    watched.visit(0, "ann")
    for user in list(watched.shard.rows.data):
        watched.shard.learner.users.forget(user)
    watched.visit(100, "ann")
    assert watched.sweep(LIMIT + 10_101) == ["ann"]


def test_it_looks_at_intervals_that_suit_the_limit() -> None:
    assert IdleUsers(DictState(), 90 * 86_400_000).sweep_ms == 3_600_000
    assert IdleUsers(DictState(), 160_000).sweep_ms == 10_000
    assert IdleUsers(DictState(), 1).sweep_ms == 1_000


def test_nobody_is_swept_from_an_empty_log() -> None:
    watched = Watched()
    watched.idle.mark(watched.shard.learner.users, np.zeros(0, np.int32), 5)
    assert watched.sweep(10**12) == []
