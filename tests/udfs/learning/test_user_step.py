"""The step of a user shard, without Flink and without Redis: effects in their order."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from tests.udfs.builders import NOW, SETTINGS, batch_of, changed, with_columns
from tests.udfs.metadata import reader
from tests.udfs.persons import handles
from udfs.accounts import Account, fields
from udfs.errors import ServiceError
from udfs.events.batch import pack
from udfs.events.people import PersonChange, pack_people
from udfs.events.searches import Search, pack_searches
from udfs.feed.metadata import Described
from udfs.learning.effects import END, Emit, Expire, Report, Show, Wake, Write
from udfs.learning.learner import Learner
from udfs.learning.settings import JobSettings
from udfs.learning.user_shard import Handles, Progress
from udfs.learning.user_step import UserStep
from udfs.lists.keys import USER
from udfs.models.content.features import content_vector
from udfs.options.crowd import Crowd
from udfs.stores.redis_marks import RedisMarks

KEY = 7


@pytest.fixture(autouse=True)
def _no_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch in which kernels are compiled takes long, and would report its progress."""
    monkeypatch.setattr("udfs.learning.learn_step._REPORT_S", 600.0)


class Nothing:
    """A feed without changes, and marks that are never lost."""

    read = connections = 0
    settled = True

    def refresh(self, models: Any) -> int:
        return 0

    def set(self, mark: bytes) -> None:
        self.mark = mark


class Marks(RedisMarks):
    """Marks in a Redis that loses nothing."""

    connections = 0

    def __init__(self) -> None:
        self.mark: bytes | None = None

    def read(self) -> list[bytes | None]:
        return [self.mark]

    def set(self, mark: bytes) -> None:
        self.mark = mark


class Clock:
    now = NOW

    def __call__(self) -> int:
        return self.now


def step(
    state: Handles, clock: Any = lambda: NOW, *, topic: tuple[str, ...] = (), **options: Any
) -> UserStep:
    settings = changed(SETTINGS, threads=1, refill_per_s=0, **options)
    job = JobSettings(options=settings, item_keys=[100, 101], topic=topic)
    nothing: Any = Nothing()
    return UserStep(job, state, Learner(settings), nothing, reader(), lambda key: nothing, clock)


def batch(*pairs: tuple[str, str]) -> bytes:
    return pack(batch_of(pairs))


def written(write: Write) -> set[str]:
    return {some.kind.of(name) for some in write.updates for name in some.names}


def kinds(effects: list[Any]) -> list[type]:
    return [type(effect) for effect in effects]


def account(effects: list[Any]) -> Account:
    total = Account()
    for effect in effects:
        if isinstance(effect, Report):
            total.add(effect.account)
    return total


def progress(state: Handles) -> Progress:
    return msgspec.msgpack.decode(state.learned.value() or b"", type=Progress)


def test_lists_are_written_after_the_batch_and_shared_lists_with_the_account_by_a_timer() -> None:
    state, seen, clock = handles(), [], Clock()
    one = step(state, clock, test_every=0)
    for effect in one.batch(KEY, batch(("ann", "a"), ("bob", "b"))):
        seen.append(effect)
        if isinstance(effect, Write):
            assert sorted(name for name, _ in state.users.items()) == ["ann", "bob"]
    order = [kind for kind in kinds(seen) if kind is not Emit]
    assert order == [Wake, Wake, Write, Wake]
    assert seen[1] == Wake(END)
    clock.now = seen[-1].at_ms
    assert NOW < clock.now <= NOW + 400
    assert progress(state).learned == progress(state).account.learned == 2
    late = list(one.timer(KEY, clock.now))
    assert kinds(late) == [Write, Report]
    seen += late
    own, shared = (effect for effect in seen if isinstance(effect, Write))
    assert written(own) == {"rec:ann", "rec:bob"}
    assert written(shared) == {"popular", "trending", "similar:a", "similar:b"}
    assert {effect.item_shard for effect in seen if isinstance(effect, Emit)} <= {0, 1}
    found = account(seen)
    assert (found.learned, found.lists, found.users, found.batches) == (2, 2, 2, 1)
    assert progress(state).account == Account()


def test_a_second_batch_of_the_shard_sets_no_timer_and_goes_on_counting() -> None:
    state = handles()
    one = step(state, test_every=0)
    list(one.batch(KEY, batch(("ann", "a"))))
    again = list(one.batch(KEY, batch(("ann", "b"))))
    assert Wake not in kinds(again)
    assert progress(state).learned == 2
    list(step(state, test_every=0).batch(KEY, batch(("ann", "c"))))
    assert progress(state).learned == 3
    assert progress(state).account.users == 1


def test_what_was_counted_is_reported_once_also_after_a_failure() -> None:
    """Whatever is lost in memory is in the state of the same checkpoint as what was sent."""
    state, clock = handles(), Clock()
    one = step(state, clock, test_every=0)
    list(one.batch(KEY, batch(("ann", "a"), ("bob", "b"))))
    sent = account(list(one.timer(KEY, NOW + 400)))
    assert sent.learned == 2
    list(one.batch(KEY, batch(("ann", "b"))))
    checkpoint = msgspec.msgpack.encode(msgspec.msgpack.decode(state.learned.value() or b""))
    list(one.batch(KEY, batch(("eve", "b"))))
    assert account(list(one.timer(KEY, NOW + 800))).learned == 2

    state.learned.update(checkpoint)  # a failure: back to the checkpoint, and the event comes again
    again = step(state, clock, test_every=0)
    list(again.batch(KEY, batch(("eve", "b"))))
    clock.now = NOW + 800
    sent.add(account(list(again.timer(KEY, clock.now))))
    assert (sent.learned, sent.lists, sent.batches) == (4, 4, 3)
    assert list(again.timer(KEY, clock.now)) == []


def test_a_restored_shard_reports_at_its_first_timer_and_the_rest_at_the_end_of_the_input() -> None:
    state = handles()
    list(step(state, test_every=0).batch(KEY, batch(("ann", "a"))))
    again = step(state, test_every=0)
    assert account(list(again.timer(KEY, NOW + 400))).learned == 1
    list(again.batch(KEY, batch(("ann", "b"))))
    assert account(list(again.timer(KEY, END))).learned == 1
    assert progress(state).account == Account()


def test_the_state_of_older_releases_is_read() -> None:
    state = handles()
    state.learned.update((41).to_bytes(8, "little"))
    state.mean.update(np.array([3.0, 0.5]).astype("<f8").tobytes())
    list(step(state, test_every=0).batch(KEY, batch(("ann", "a"))))
    assert (progress(state).learned, progress(state).mean) == (42, (3.0, 0.5))


def test_the_state_of_a_newer_release_is_refused() -> None:
    state = handles()
    state.learned.update(msgspec.msgpack.encode(Progress(version=3)))
    with pytest.raises(ServiceError, match="form 3, this millirec reads forms 1 and 2"):
        list(step(state).batch(KEY, batch(("ann", "a"))))


def test_lists_of_items_are_written_a_few_at_a_time_by_one_shard() -> None:
    clock = Clock()
    one = step(handles(), clock, test_every=0, item_shards=1)
    list(one.batch(KEY, batch(*(("ann", f"i{k}") for k in range(80)))))
    list(one.batch(KEY + 1, batch(("bob", "i0"))))
    clock.now += 400
    first, other = list(one.timer(KEY, clock.now)), list(one.timer(KEY + 1, clock.now))
    assert Wake(clock.now + 125) in first
    assert kinds(other) == [Report], "the other shard goes on with them"
    found = {name for effect in first if isinstance(effect, Write) for name in written(effect)}
    for _ in range(2):
        clock.now += 125
        effects = list(one.timer(KEY, clock.now))
        found |= {name for each in effects if isinstance(each, Write) for name in written(each)}
    assert Wake not in kinds(effects)
    assert {f"similar:i{k}" for k in range(80)} <= found


def test_lists_of_items_that_are_due_later_do_not_wait_for_another_event() -> None:
    clock, marks, settings = Clock(), Marks(), changed(SETTINGS, threads=1, test_every=0)
    job, nothing = JobSettings(options=settings, item_keys=[100, 101]), Nothing()
    replica: Any = nothing
    one = UserStep(job, handles(), Learner(settings), replica, reader(), lambda _: marks, clock)
    for _ in range(2):
        list(one.batch(KEY, batch(("ann", "a"))))
        clock.now += 1000
        seen = list(one.timer(KEY, clock.now))
    assert not any("similar:a" in written(some) for some in seen if isinstance(some, Write))
    later: list[Any] = []
    for _ in range(12):
        clock.now += 1000
        later += one.timer(KEY, clock.now)
    shown = [written(some) for some in later if isinstance(some, Write)]
    assert sum("similar:a" in some for some in shown) == 1
    assert "similar:a" in shown[-1], "then nothing waits any more"


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
    assert Emit in kinds(effects)


def test_under_overload_a_timer_writes_postponed_lists() -> None:
    state, clock = handles(), Clock()
    one = step(state, clock, test_every=0, coalesce_ms=100)

    def late(user: str) -> bytes:
        return pack(msgspec.structs.replace(batch_of([(user, "a")]), opened=NOW - 5000))

    assert Write in kinds(list(one.batch(KEY, late("ann"))))
    put_off = list(one.batch(KEY, late("bob")))
    assert Write not in kinds(put_off)
    assert Wake(NOW + 100) in put_off
    assert progress(state).account.learned == 2
    assert state.due.value() == b'{"bob":%d}' % NOW
    clock.now += 100
    effects = list(one.timer(KEY, clock.now))
    assert Write in kinds(effects)
    assert (progress(state).account.lists, progress(state).account.freshness_ms) == (2, 100)
    assert state.due.value() is None


def test_lists_that_are_due_soon_do_not_wait_for_the_timer_of_an_overload() -> None:
    clock = Clock()
    one = step(handles(), clock, test_every=0, coalesce_ms=60_000)

    def late(user: str) -> bytes:
        return pack(msgspec.structs.replace(batch_of([(user, "a")]), opened=NOW - 5000))

    list(one.batch(KEY, late("ann")))
    assert Wake(NOW + 60_000) in list(one.batch(KEY, late("bob")))
    shard = one._shards[KEY]
    assert [*one._lists.soon(shard, ["ann"], NOW)] == [], "it goes with those that are due"
    assert Write in kinds(list(one.batch(KEY, batch(("cid", "a")))))
    [wake] = one._lists.soon(shard, ["ann"], NOW)
    assert isinstance(wake, Wake)
    assert wake.at_ms < NOW + 100
    assert Write in kinds(list(one.timer(KEY, wake.at_ms)))


def test_whoever_expires_leaves_the_topic_of_lists_also_without_an_event() -> None:
    clock = Clock()
    one = step(handles(), clock, topic=("user",), user_expiry_days=1, test_every=0)
    list(one.batch(KEY, batch(("ann", "a"))))
    list(one.batch(KEY, pack_people([PersonChange("profile", "bob", NOW, {"country": "DE"})])))
    list(one.batch(KEY, pack_searches([Search("cid", "tea", NOW)])))
    gone = list[str]()
    for _ in range(8):
        clock.now += 43_200_000
        for effect in one.timer(KEY, clock.now):
            gone += effect.users if isinstance(effect, Expire) else []
    assert gone == ["ann", "bob", "cid"]


def test_at_the_end_every_shared_list_is_written() -> None:
    one = step(handles(), test_every=0)
    list(one.batch(KEY, batch(("ann", "a"))))
    list(one.timer(KEY, NOW + 400))
    list(one.batch(KEY, batch(("bob", "b"))))
    [effect] = one.end()
    assert isinstance(effect, Write)
    assert [some.kind.key for some in effect.updates] == ["popular", "trending", "similar:"]
    assert effect.updates[-1].names == ["b"], "that of a is written"


def test_a_search_writes_the_list_of_its_user_and_counts_nothing() -> None:
    state = handles()
    one = step(state, test_every=0)
    list(one.batch(KEY, batch(("ann", "a"), ("bob", "b"))))
    rows = dict(state.users.items())
    asked = pack_searches([Search("ann", "tea", NOW), Search("cat", "tea", NOW)])
    [write] = one.batch(KEY, asked)
    assert isinstance(write, Write)
    assert written(write) == {"rec:ann", "rec:cat"}
    assert dict(state.users.items()) == rows
    assert progress(state).learned == 2


def test_a_search_of_a_job_without_lists_is_passed_over() -> None:
    one = step(handles(), refresh_lists=False, test_every=0)
    effects = list(one.batch(KEY, pack_searches([Search("ann", "tea", NOW)])))
    assert Write not in kinds(effects)


def test_the_list_follows_the_words_of_a_search_and_then_the_events_again() -> None:
    one = step(handles(), test_every=0)
    learner = one._learner
    titles = {"k": "Red kettle", "c": "Oak chair", "r": "Garden rake", "s": "Silk scarf"}
    entries = [
        Described(item, NOW, content=content_vector({"title": title}).tobytes())
        for item, title in titles.items()
    ]
    learner.describe(entries, NOW)

    def listed(effects: Any) -> list[str]:
        write = next(effect for effect in effects if isinstance(effect, Write))
        own = next(some for updates in write.updates for some in updates if some.name == "ann")
        return own.items

    list(one.batch(KEY, batch(("ann", "a"), ("bob", "b"), ("ann", "c"))))
    for words, item in (("red kettle", "k"), ("rake for gardens", "r")):
        asked = pack_searches([Search("ann", words, NOW)])
        assert listed(one.batch(KEY, asked))[0] == item
    for number in range(4):
        list(one.batch(KEY, batch(("ann", f"x{number}"))))
    assert not learner.models.steps.searches._searches


def test_what_was_seen_of_lists_is_counted_and_neither_learned_nor_answered() -> None:
    state = handles()
    one = step(state, test_every=0)
    list(one.batch(KEY, batch(("ann", "a"), ("bob", "b"))))
    seen = with_columns(batch_of([("ann", "a"), ("ann", "b")], 0.0, flags=0), recs=["7-1", "7-1"])
    effects = list(one.batch(KEY, pack(seen)))
    assert Write not in kinds(effects)
    assert progress(state).learned == 2
    kept = progress(state).account
    assert (kept.learned, kept.ignored, kept.lists) == (2, 2, 2)
    assert one._learner.models.steps.explore.tried.count.sum() == 2


def test_a_search_leads_lists_again_after_a_restart() -> None:
    state, entries = handles(), []
    for item, title in {"k": "Red kettle", "c": "Oak chair", "r": "Garden rake"}.items():
        content = content_vector({"title": title}).tobytes()
        entries.append(Described(item, NOW, content=content))
    leads = []
    for events in ([("ann", "a")], [("ann", "d")], [("ann", "e")]):
        one = step(state, test_every=0)  # as after a restart
        one._learner.describe(entries, NOW)
        effects = list(one.batch(KEY, batch(*events)))
        if not leads:
            effects = list(one.batch(KEY, pack_searches([Search("ann", "red kettle", NOW)])))
        (write,) = (effect for effect in effects if isinstance(effect, Write))
        (own,) = (some for updates in write.updates for some in updates if some.name == "ann")
        leads.append(own.items[0])
    assert leads == ["k", "k", "k"]


def test_bots_are_counted_and_whoever_is_forgotten_leaves_no_vote() -> None:
    state, clock = handles(), Clock()
    options = {"test_every": 0, "crowd": Crowd(guard=True), "user_expiry_days": 1}
    one = step(state, clock, **options)
    pairs = [("bot", f"i{k % 30}") for k in range(1_500)]
    events = pack(batch_of(pairs, ts=range(NOW, NOW + 15_000, 10)))
    effects = [*one.batch(KEY, events), *one.timer(KEY, END)]
    found = account(effects)
    assert found.learned == 1_500
    assert found.crowd["bots"] == 1
    assert 400 < found.crowd["held"] <= 500
    assert fields(found, Account(), 1, Account(), NOW, {})["crowd:bots"] == "1"
    rows = dict(state.crowd.items())
    assert sorted(rows) == ["", "bot"]
    again = step(state, clock, **options)
    restored = account([*again.batch(KEY, batch(("bot", "i1"))), *again.timer(KEY, END)])
    assert restored.crowd == {"held": 1}
    clock.now = NOW + 3 * 86_400_000
    list(again.timer(KEY, clock.now))
    assert [key for key, _ in state.crowd.items()] == [""]
    assert state.users.is_empty()


def test_without_the_guard_nothing_is_kept_of_how_users_act() -> None:
    state = handles()
    list(step(state, test_every=0).batch(KEY, batch(("ann", "a"))))
    assert state.crowd.is_empty()
