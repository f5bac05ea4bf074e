"""Users who are forgotten, who opt out and who ask what is known of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import pytest

from tests.udfs.builders import NOW, batch_of, with_columns
from tests.udfs.learning.test_user_step import KEY, Clock, account, handles, step, written
from udfs.events.batch import pack
from udfs.events.people import PersonChange, pack_people
from udfs.events.searches import Search, pack_searches
from udfs.learning.effects import Answer, Emit, Erase, Write
from udfs.learning.places import MEMORY, names
from udfs.learning.user_shard import Handles
from udfs.learning.user_step import UserStep
from udfs.lists.keys import KNOWN, RECEIPT, digest
from udfs.models.item_cf.taking_back import is_back

ANN = "ann-of-green-gables"


@pytest.fixture(autouse=True)
def _no_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("udfs.learning.learn_step._REPORT_S", 600.0)


def events(user: str, count: int, ts: int = NOW, ids: bool = False) -> bytes:
    batch = batch_of([(user, f"item {n}") for n in range(count)], ts=ts)
    return pack(with_columns(batch, ids=[f"{user}:{n}" for n in range(count)]) if ids else batch)


def said(kind: str, user: str = ANN, ts: int = NOW, **fields: Any) -> bytes:
    return pack_people([PersonChange(kind, user, ts, fields)])


def held(state: Handles) -> bytes:
    """Every key and value of the state."""
    parts = [cell.data for cell in state if cell is not None]
    return repr(parts).encode()


def reachable(root: Any) -> Iterator[tuple[str, str | bytes]]:
    """All strings, bytes and texts in arrays in the memory of a step, each with the class and the
    attribute that hold it."""
    seen, todo = set[int](), [("", root)]
    while todo:
        owner, one = todo.pop()
        if id(one) in seen or isinstance(one, type):
            continue
        seen.add(id(one))
        if isinstance(one, np.ndarray):
            if one.dtype == np.uint8:  # others hold numbers
                yield owner, one.tobytes()
        elif isinstance(one, str | bytes):
            yield owner, one
        elif isinstance(one, dict):
            todo += [(owner, each) for pair in one.items() for each in pair]
        elif isinstance(one, list | tuple | set | frozenset) or hasattr(one, "maxlen"):
            todo += [(owner, each) for each in one]
        elif type(one).__module__.startswith("udfs"):
            names = [*getattr(one, "__struct_fields__", ()), *getattr(one, "__dict__", ())]
            own = type(one).__name__
            todo += [(f"{own}.{name}", getattr(one, name)) for name in names]


def places(users: UserStep, user: str) -> set[str]:
    """Where in memory the id of a user is."""
    raw = user.encode()
    return {
        owner
        for owner, one in reachable(users)
        if (raw in one if isinstance(one, bytes) else user in one)
    }


def fill(users: UserStep, user: str, clock: Clock) -> None:
    """Let a user leave traces wherever users can."""
    list(users.batch(KEY, said("profile", user, country="DE", follows=["bob"])))
    list(users.batch(KEY, events(user, 70, ids=True)))
    list(users.batch(KEY, pack_searches([Search(user, "red kettle", NOW)])))
    late = msgspec.structs.replace(batch_of([(user, "late")]), opened=clock.now - 5_000)
    shard = users._shards[KEY]
    shard.flushed_ms = clock.now
    list(users.batch(KEY, pack(late)))  # its list is postponed
    assert user in shard.due
    shard.recent.add([user])


def test_all_that_is_known_of_a_user_goes_and_others_stay() -> None:
    state, clock = handles(), Clock()
    users = step(state, clock)
    list(users.batch(KEY, events("bob", 40)))
    before = {name: dict(getattr(state, name).items()) for name in ("users", "history", "people")}
    fill(users, ANN, clock)
    assert ANN.encode() in held(state)
    assert len(places(users, ANN)) > 5
    assert places(users, ANN) <= names(MEMORY)
    effects = list(users.batch(KEY, said("forget")))
    assert [effect for effect in effects if isinstance(effect, Erase)] == [Erase([ANN])]
    assert ANN.encode() not in held(state)
    assert places(users, ANN) == set()
    after = {name: dict(getattr(state, name).items()) for name in ("users", "history", "people")}
    assert after == before
    assert users._learner.users.find("bob") >= 0


def test_a_receipt_says_when_it_was_done_and_until_when_copies_exist() -> None:
    state = handles()
    users = step(state)
    list(users.batch(KEY, events(ANN, 3)))
    [receipt] = [e for e in users.batch(KEY, said("forget")) if isinstance(e, Answer)]
    assert receipt.key == RECEIPT + digest(ANN)
    assert ANN.encode() not in receipt.value
    assert msgspec.json.decode(receipt.value) == {
        "digest": digest(ANN),
        "ts": NOW,
        "asked": "2023-11-14T22:13:20.000Z",
        "done": "2023-11-14T22:13:20.000Z",
        "checkpoints_until": "2023-11-21T22:13:20.000Z",
        "source_until": "2023-11-21T22:13:20.000Z",
    }
    assert receipt.expiry_s == 7 * 86_400
    # Asked twice, or long before: nothing more to do.
    assert not [e for e in users.batch(KEY, said("forget")) if isinstance(e, Erase | Answer)]


def test_later_events_begin_from_nothing_and_older_ones_are_refused() -> None:
    state, clock = handles(), Clock()
    users = step(state, clock)
    list(users.batch(KEY, events(ANN, 5)))
    list(users.batch(KEY, said("forget", ts=NOW + 1)))
    list(users.batch(KEY, events(ANN, 3, ts=NOW + 1, ids=True)))
    assert ANN.encode() not in held(state)
    effects = list(users.batch(KEY, events(ANN, 2, ts=NOW + 2)))
    assert any(f"rec:{ANN}" in written(e) for e in effects if isinstance(e, Write))
    assert users._learner.users.events[users._learner.users.find(ANN)] == 2
    # Forgotten once more by an old line that was read late, nothing happens.
    list(users.batch(KEY, said("forget", ts=NOW + 1)))
    assert users._learner.users.find(ANN) >= 0
    total = account([*users.timer(KEY, 0), *step(state).timer(KEY, 0)])
    assert (total.learned, total.refused, total.described) == (7, 3, 2)


def test_a_late_word_from_before_changes_nothing_of_a_newer_one() -> None:
    users = step(handles())
    list(users.batch(KEY, said("forget", ts=NOW)))
    both = [PersonChange("profile", ANN, NOW + ms, {"country": "DE"}) for ms in (9, -9)]
    effects = list(users.batch(KEY, pack_people(both)))
    assert any(f"rec:{ANN}" in written(e) for e in effects if isinstance(e, Write))


def test_what_waits_is_learned_before_its_user_is_forgotten() -> None:
    state, clock = handles(), Clock()
    users = step(state, clock)
    list(users.batch(KEY, events("bob", 1)))
    users._shards[KEY].queued._window_ms = 10
    late = msgspec.structs.replace(batch_of([(ANN, "late")]), opened=clock.now - 5_000)
    list(users.batch(KEY, pack(late)))
    assert users._shards[KEY].queued
    list(users.batch(KEY, said("forget", ts=NOW + 1)))
    assert not users._shards[KEY].queued
    assert ANN.encode() not in held(state)


def test_whoever_opts_out_is_forgotten_and_served_what_all_get() -> None:
    state, clock = handles(), Clock()
    users = step(state, clock)
    fill(users, ANN, clock)
    effects = list(users.batch(KEY, said("consent", personalise=False)))
    assert Erase([ANN]) in effects
    for data in (
        events(ANN, 3, ts=NOW + 9, ids=True),
        said("profile", ts=NOW + 9, country="FR"),
        pack_searches([Search(ANN, "tea", NOW + 9)]),
    ):
        found = list(users.batch(KEY, data))
        assert not any(f"rec:{ANN}" in written(e) for e in found if isinstance(e, Write))
    assert ANN.encode() not in held(state)
    assert places(users, ANN) == set()
    total = account([*users.timer(KEY, 0), *step(state).timer(KEY, 0)])
    assert (total.learned, total.opted_out, total.refused) == (71, 3, 0)


def test_whoever_opts_in_again_begins_from_nothing_and_the_newest_word_counts() -> None:
    state = handles()
    users = step(state)
    list(users.batch(KEY, said("consent", ts=NOW, personalise=False)))
    list(users.batch(KEY, said("consent", ts=NOW - 5, personalise=True)))  # late
    list(users.batch(KEY, events(ANN, 1, ts=NOW + 5)))
    assert users._learner.users.find(ANN) < 0
    list(users.batch(KEY, said("consent", ts=NOW + 9, personalise=True)))
    list(users.batch(KEY, events(ANN, 1, ts=NOW + 5)))  # from before
    assert users._learner.users.find(ANN) < 0
    list(users.batch(KEY, events(ANN, 2, ts=NOW + 10)))
    assert users._learner.users.events[users._learner.users.find(ANN)] == 2
    list(users.batch(KEY, said("consent", ts=NOW + 3, personalise=False)))  # late
    assert users._learner.users.find(ANN) >= 0


def test_what_is_known_is_told_in_words() -> None:
    state, clock = handles(), Clock()
    users = step(state, clock)
    list(users.batch(KEY, said("profile", country="DE", attributes={"job": "nurse"})))
    list(users.batch(KEY, events(ANN, 2)))
    list(users.batch(KEY, pack(batch_of([(ANN, "item 1"), (ANN, "bad")], [-1.0, -1.0]))))
    [answer] = [e for e in users.batch(KEY, said("export", ts=NOW + 7)) if isinstance(e, Answer)]
    assert answer.key == KNOWN + digest(ANN)
    assert answer.expiry_s == 600
    told = msgspec.json.decode(answer.value)
    assert len(told.pop("factor")) == 8
    assert told.pop("spread") >= 0
    moment = "2023-11-14T22:13:20.000Z"
    assert told == {
        "ts": NOW + 7,
        "asked": "2023-11-14T22:13:20.007Z",
        "answered": moment,
        "user": ANN,
        "personalise": True,
        "said": {"country": "DE", "attributes": {"job": "nurse"}},
        "said_at": {"country": moment, "attributes.job": moment},
        "events": 4,
        "last_event": moment,
        "last_learned": moment,
        "history": [
            {"item": "bad", "liked": False},
            {"item": "item 1", "liked": False},
            {"item": "item 0", "liked": True},
        ],
    }


def test_of_a_stranger_and_of_a_forgotten_user_hardly_anything_is_known() -> None:
    state = handles()
    users = step(state)
    list(users.batch(KEY, said("forget", "bob")))
    asked = pack_people([PersonChange("export", user, NOW) for user in ("cid", "bob")])
    cid, bob = (
        msgspec.json.decode(e.value) for e in users.batch(KEY, asked) if isinstance(e, Answer)
    )
    moment = "2023-11-14T22:13:20.000Z"
    assert cid.pop("ts") == bob.pop("ts") == NOW
    assert cid == {"asked": moment, "answered": moment, "user": "cid", "personalise": True}
    assert bob == cid | {"user": "bob", "forgotten_at": moment}
    assert users._learner.users.find("cid") < 0


@pytest.mark.parametrize("fractions", [{}, {"Watch": 0.2}])
def test_where_events_may_have_added_next_to_nothing_nothing_is_taken_back(
    fractions: dict[str, float],
) -> None:
    users = step(handles(), weights={"watch": 1.5}, fractions=fractions)
    list(users.batch(KEY, events(ANN, 3)))
    counts = users._learner.models.neighbours.counts
    before = counts.sum()
    told = [e for e in users.batch(KEY, said("forget")) if isinstance(e, Emit)]
    assert [is_back(one.message) for one in told] == ([] if fractions else [True, True])
    assert (counts.sum() < before) == (not fractions)
