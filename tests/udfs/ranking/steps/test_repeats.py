"""What users were shown in vain: counted, kept in the state, gone with the user."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from tests.udfs.builders import NOW, batch_of, shown, with_columns
from tests.udfs.fakes import DictState
from tests.udfs.learning.test_user_step import KEY, handles, step
from udfs.errors import ServiceError
from udfs.events.batch import pack
from udfs.events.people import PersonChange, pack_people
from udfs.learning.effects import Write
from udfs.learning.user_shard import Handles
from udfs.learning.user_step import UserStep
from udfs.options.rerank import Rerank

HOUR_MS = 3_600_000
ON = Rerank(repeats=2, repeats_half_life_s=86_400.0)
PAIRS = [(f"u{n % 5}", f"i{(n * n + n // 3) % 12}") for n in range(60)]


def seen(user: str, *items: str, ts: int = NOW) -> bytes:
    """Impressions in a list."""
    batch = batch_of([(user, item) for item in items], 0.0, flags=0, ts=ts)
    return pack(with_columns(batch, recs=["list"] * len(items)))


def took(user: str, item: str, ts: int = NOW) -> bytes:
    return pack(batch_of([(user, item)], ts=ts))


def listed(one: UserStep, data: bytes, user: str = "u1") -> list[str]:
    """The user's list that a batch makes."""
    for effect in one.batch(KEY, data):
        if isinstance(effect, Write):
            for some in effect.updates:
                if user in some.names:
                    return shown(msgspec.json.decode(some.json[some.names.index(user)]))
    return []


def taught(state: Handles, rerank: Rerank = ON, **options: Any) -> UserStep:
    one = step(state, test_every=0, rerank=rerank, exclude_consumed=False, **options)
    list(one.batch(KEY, pack(batch_of(PAIRS))))
    return one


def rows(state: Handles) -> set[str]:
    return {key for key, _ in state.noted.items() if key.startswith("shown:")}


def test_what_was_shown_twice_sinks_until_the_user_takes_it() -> None:
    state = handles()
    one = taught(state)
    first = listed(one, took("u1", "i1"))
    assert len(first) == 5
    list(one.batch(KEY, seen("u1", first[0], first[1])))
    assert listed(one, took("u1", "i1"))[0] == first[0], "once is not often"
    list(one.batch(KEY, seen("u1", first[0], first[0])))
    later = listed(one, took("u1", "i1"))
    assert first[0] not in later
    assert listed(one, took("u2", "i1"), "u2"), "others have lists of their own"
    back = listed(one, took("u1", first[0]))
    assert first[0] in back


def test_it_survives_a_restart_to_the_digit_and_fades() -> None:
    state = handles()
    one = taught(state)
    first = listed(one, took("u1", "i1"))
    list(one.batch(KEY, seen("u1", first[0], first[0], first[0])))
    later = listed(one, took("u1", "i1"))
    assert first[0] not in later and rows(state) == {"shown:u1"}
    stored = state.noted.get("shown:u1")
    repeats = one._learner.models.steps.rerank.repeats
    again = step(state, test_every=0, rerank=ON, exclude_consumed=False)
    list(again.batch(KEY, pack(batch_of([(user, item) for user, item in PAIRS if user != "u1"]))))
    assert first[0] not in listed(again, took("u1", "i1"))
    loaded = again._learner.models.steps.rerank.repeats
    slots = [some._shop.users.find("u1") for some in (repeats, loaded)]
    assert repeats._packed(slots[0]) == loaded._packed(slots[1]) == stored
    assert first[0] in listed(again, took("u1", "i1", NOW + 48 * HOUR_MS))


def test_with_the_step_off_nothing_is_counted_and_lists_are_as_before() -> None:
    lists = []
    for impressions in (True, False):
        state = handles()
        one = taught(state, Rerank())
        if impressions:
            list(one.batch(KEY, seen("u1", *[f"i{n}" for n in range(12)] * 3)))
        lists.append(listed(one, took("u1", "i1")))
        assert not rows(state)
    assert lists[0] == lists[1]
    assert "Impressions" not in {type(table).__name__ for table in one._learner.users.attached}


@pytest.mark.parametrize("on", [True, False])
def test_who_is_forgotten_was_shown_nothing(on: bool) -> None:
    state = handles()
    list(taught(state).batch(KEY, seen("u1", "i1", "i1")))
    assert rows(state) == {"shown:u1"}
    later = step(state, test_every=0, rerank=ON if on else Rerank())
    list(later.batch(KEY, pack_people([PersonChange("forget", "u1", NOW + 1, {})])))
    assert not rows(state)
    assert b"u1" not in repr(later._learner.models.steps.rerank.repeats._changed).encode()


def test_what_was_shown_long_ago_is_swept() -> None:
    state = handles()
    one = taught(state)
    list(one.batch(KEY, seen("u1", "i1", "i1")))
    noted, shop = one._shards[KEY].noted, one._learner.models.shop
    noted.sweep()
    assert rows(state) == {"shown:u1"}
    shop.clock[0] = NOW + 30 * 24 * HOUR_MS
    noted.sweep()
    assert not rows(state)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ((2, NOW, b"", b""), "form 2, this millirec reads form 1"),
        ((1, NOW, bytes(8), bytes(8)), "different lengths"),
        ("nothing", "is damaged"),
    ],
)
def test_a_row_of_another_form_is_refused(row: Any, words: str) -> None:
    state = handles()
    state.noted.put_all({"shown:u1": msgspec.msgpack.encode(row)})
    with pytest.raises(ServiceError, match=words):
        taught(state)


def test_more_rows_than_there_is_room_for_are_cut() -> None:
    state = DictState()
    count = 60
    keys, counts = np.arange(1, count + 1, dtype="<u8"), np.ones(count, "<f4")
    state.put_all({"shown:u1": msgspec.msgpack.encode((1, NOW, keys.tobytes(), counts.tobytes()))})
    shard = handles()._replace(noted=state)
    one = taught(shard)
    repeats = one._learner.models.steps.rerank.repeats
    packed = repeats._packed(one._learner.users.find("u1"))
    assert packed is not None and len(msgspec.msgpack.decode(packed)[3]) == 48 * 4
