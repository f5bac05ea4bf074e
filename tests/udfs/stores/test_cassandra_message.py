"""What a batch leaves for Cassandra: the last list of each user, nothing of the forgotten."""

from __future__ import annotations

from tests.udfs.builders import NOW, batch_of
from tests.udfs.stores.test_redis_lists import updates
from udfs.lists.keys import POPULAR, USER
from udfs.stores.cassandra_message import Collected, Kept, unpack


def taken(collected: Collected) -> Kept:
    packed = collected.message()
    assert packed is not None
    return unpack(packed)


def test_of_several_lists_of_a_user_the_last_is_kept() -> None:
    collected = Collected(lists=True)
    collected.written([updates(USER, ["ann", "bob"]), updates(POPULAR, [""])])
    collected.written([updates(USER, ["ann"])])
    found = {one.user: one for one in taken(collected).lists}
    assert set(found) == {"ann", "bob"}
    assert found["ann"].stamp > found["bob"].stamp >= NOW * 1000
    assert found["ann"].json.startswith(b'{"user":"ann"')
    assert collected.message() is None


def test_who_is_forgotten_leaves_only_what_came_later() -> None:
    collected = Collected(lists=True)
    collected.written([updates(USER, ["ann", "bob"])])
    collected.learned(batch_of([("ann", "a"), ("bob", "b")]), NOW)
    collected.erased(["ann"], NOW)
    collected.written([updates(USER, ["ann"])])
    found = taken(collected)
    assert {event.user for event in found.events} == {"bob"}
    [later] = [one for one in found.lists if one.user == "ann"]
    assert later.stamp > found.erased["ann"] > found.events[0].stamp


def test_stamps_grow_when_the_clock_does_not() -> None:
    collected = Collected(lists=False)
    stamps = []
    for now in (NOW, NOW, NOW - 5, NOW + 1):
        collected.erased(["ann"], now)
        stamps.append(taken(collected).erased["ann"])
    assert stamps == sorted(set(stamps))
    assert stamps[-1] == (NOW + 1) * 1000


def test_lists_are_left_out_if_they_are_not_wanted() -> None:
    collected = Collected(lists=False)
    collected.written([updates(USER, ["ann"])])
    assert collected.message() is None


def test_events_keep_their_fields() -> None:
    collected = Collected(lists=True)
    batch = batch_of([("ann", "a")])
    collected.learned(batch, NOW)
    [event] = taken(collected).events
    assert (event.user, event.item, event.ts) == ("ann", "a", batch.ts[0])
    assert event.weight == batch.weights[0] and event.id == batch.ids[0]
