"""Idle users are found and forgotten, others never."""

from __future__ import annotations

import numpy as np

from tests.udfs.builders import OneShard, batch_of
from tests.udfs.fakes import DictState
from udfs.learning.idle_users import IdleUsers
from udfs.state.item_records import pack_record

LIMIT = 80_000


class Watched:
    """A shard with its log of idle users."""

    def __init__(self) -> None:
        self.shard, self.log, self.people = OneShard(), DictState(), DictState()
        self.idle = IdleUsers(self.log, LIMIT)

    def visit(self, now: int, *users: str, items: int = 1) -> None:
        pairs = [(user, f"item {k}") for user in users for k in range(items)]
        learned = self.shard.learn(batch_of(pairs), now)
        self.idle.mark(self.shard.learner.users, learned.slots, now)

    def sweep(self, now: int, *, elsewhere: bool = False) -> list[str]:
        shard = self.shard
        rows = shard.rows, shard.history, self.people
        gone = self.idle.sweep(*rows, shard.learner.users.dtype, now, elsewhere=elsewhere)
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


def test_a_forgotten_user_leaves_the_log() -> None:
    watched = Watched()
    watched.visit(0, "ann", "bob")
    watched.visit(20_000, "ann", "cid")
    watched.idle.forget({"ann"})
    assert sorted(watched.idle.names()) == ["bob", "cid"]
    assert "ann" not in str(watched.log.data)
    assert sorted(IdleUsers(watched.log, LIMIT).names()) == ["bob", "cid"]


def test_what_is_said_of_users_goes_with_them_or_when_it_is_as_old() -> None:
    watched = Watched()
    watched.visit(0, "ann", "bob")
    learner = watched.shard.learner
    watched.idle.mark(learner.users, watched.shard.slots("eve"), 0)
    for user, ts in (("ann", 0), ("bob", 70_000), ("eve", 0)):
        watched.people.put_all({user: pack_record({"country": (ts, "DE")})})
    assert sorted(watched.sweep(LIMIT + 10_001)) == ["ann", "bob", "eve"]
    assert list(watched.people.data) == ["bob"]


def test_who_has_no_row_is_idle_when_nothing_is_left() -> None:
    watched = Watched()
    learner = watched.shard.learner
    for now, users in ((0, ("said", "newly", "searched", "again")), (30_000, ("again",))):
        slots = np.concatenate([watched.shard.slots(user) for user in users])
        watched.idle.mark(learner.users, slots, now)
    for user, ts in (("said", 0), ("newly", 70_000)):
        watched.people.put_all({user: pack_record({"country": (ts, "DE")})})
    kept = watched.log.copy(), watched.people.copy()
    assert watched.sweep(LIMIT + 10_001) == ["said", "searched"]
    assert watched.sweep(LIMIT + 40_001) == ["again"]
    # Where ids may be those of persons in other places, only what was here may go.
    watched.log, watched.people = kept
    watched.idle = IdleUsers(watched.log, LIMIT)
    assert watched.sweep(LIMIT + 10_001, elsewhere=True) == ["said"]


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
