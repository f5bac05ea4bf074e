"""The step of a user shard, without Flink and without Redis: effects in their order."""

from __future__ import annotations

from typing import Any

import msgspec

from tests.udfs.builders import NOW, SETTINGS, batch_of, changed
from tests.udfs.fakes import DictCell, DictState
from tests.udfs.flink import ListCell
from udfs.accounts import Account
from udfs.events.batch import pack
from udfs.learning.effects import END, Count, Emit, Report, Show, Wake, Write
from udfs.learning.learner import Learner
from udfs.learning.settings import JobSettings
from udfs.learning.user_shard import Handles
from udfs.learning.user_step import UserStep
from udfs.lists.keys import USER

KEY = 7


class Nothing:
    """A feed without changes, and marks that are never lost."""

    read = connections = 0
    settled = True

    def refresh(self, models: Any) -> int:
        return 0

    def set(self, mark: bytes) -> None:
        self.mark = mark


def handles() -> Handles:
    return Handles(*(DictState() for _ in range(4)), *(DictCell() for _ in range(4)), ListCell())


class Clock:
    now = NOW

    def __call__(self) -> int:
        return self.now


def step(state: Handles, clock: Any = lambda: NOW, **options: Any) -> UserStep:
    settings = changed(SETTINGS, threads=1, refill_per_s=0, **options)
    job = JobSettings(options=settings, item_keys=[100, 101])
    nothing: Any = Nothing()
    return UserStep(job, state, Learner(settings), nothing, lambda key: nothing, clock)


def batch(*pairs: tuple[str, str]) -> bytes:
    return pack(batch_of(pairs))


def kinds(effects: list[Any]) -> list[type]:
    return [type(effect) for effect in effects]


def account(effects: list[Any]) -> Account:
    total = Account()
    for effect in effects:
        if isinstance(effect, Report):
            total.add(effect.account)
    return total


def test_lists_are_written_after_the_batch_is_in_state_and_before_the_account() -> None:
    state, seen = handles(), []
    for effect in step(state, test_every=0).batch(KEY, batch(("ann", "a"), ("bob", "b"))):
        seen.append(effect)
        if isinstance(effect, Write):
            assert state.learned.value() == (2).to_bytes(8, "little")
            assert sorted(name for name, _ in state.users.items()) == ["ann", "bob"]
    order = [kind for kind in kinds(seen) if kind is not Emit]
    assert order == [Wake, Wake, Count, Write, Count, Count, Report]
    assert seen[1] == Wake(END)
    [write] = [effect for effect in seen if isinstance(effect, Write)]
    assert {some.kind.of(name) for some in write.updates for name in some.names} == {
        "rec:ann",
        "rec:bob",
        "popular",
        "trending",
        "similar:a",
        "similar:b",
    }
    assert {effect.item_shard for effect in seen if isinstance(effect, Emit)} <= {0, 1}
    found = account(seen)
    assert (found.learned, found.lists, found.users, found.batches) == (2, 2, 2, 1)


def test_a_second_batch_of_the_shard_sets_no_timer_and_goes_on_counting() -> None:
    state = handles()
    one = step(state, test_every=0)
    list(one.batch(KEY, batch(("ann", "a"))))
    again = list(one.batch(KEY, batch(("ann", "b"))))
    assert Wake not in kinds(again)
    assert state.learned.value() == (2).to_bytes(8, "little")
    restarted = list(step(state, test_every=0).batch(KEY, batch(("ann", "c"))))
    assert account(restarted).users == 0
    assert state.learned.value() == (3).to_bytes(8, "little")


def test_strict_writes_after_each_event() -> None:
    effects = list(
        step(handles(), strict=True, test_every=0).batch(KEY, batch(*[("ann", "a")] * 3))
    )
    names = [
        [name for some in effect.updates if some.kind == USER for name in some.names]
        for effect in effects
        if isinstance(effect, Write)
    ]
    assert names == [["ann"]] * 3


def test_items_that_were_shown_are_named_before_the_batch_is_learned() -> None:
    one = step(handles(), test_every=1)
    list(one.batch(KEY, batch(("ann", "a"), ("bob", "b"))))
    effects = list(one.batch(KEY, batch(("ann", "b"))))
    assert effects[0] == Show({"served": ["b"], "popular": ["b"]})
    assert kinds(effects)[1] is Emit


def test_under_overload_a_timer_writes_postponed_lists() -> None:
    state, clock = handles(), Clock()
    one = step(state, clock, test_every=0, coalesce_ms=100)

    def late(user: str) -> bytes:
        return pack(msgspec.structs.replace(batch_of([(user, "a")]), opened=NOW - 5000))

    assert Write in kinds(list(one.batch(KEY, late("ann"))))
    put_off = list(one.batch(KEY, late("bob")))
    assert Write not in kinds(put_off)
    assert Wake(NOW + 100) in put_off
    assert account(put_off).learned == 1
    assert state.due.value() == b'{"bob":%d}' % NOW
    clock.now += 100
    effects = list(one.timer(KEY, clock.now))
    assert account(effects).lists == 1
    assert Count("freshness_ms_sum", 100) in effects
    assert state.due.value() is None


def test_at_the_end_every_shared_list_is_written() -> None:
    one = step(handles(), test_every=0)
    list(one.batch(KEY, batch(("ann", "a"))))
    list(one.batch(KEY, batch(("bob", "b"))))
    [effect] = one.end()
    assert isinstance(effect, Write)
    assert [some.kind.key for some in effect.updates] == ["popular", "trending", "similar:"]
    assert effect.updates[-1].names == ["b"], "that of a is written"
