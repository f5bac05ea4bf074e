"""The users of late get lists anew when items come or go; others with their next event."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.udfs.builders import SETTINGS
from tests.udfs.metadata import MemoryMetadata, reader
from udfs.events.item_changes import ItemChange, pack_notice
from udfs.feed.metadata import Described, pack
from udfs.learning.described import END_MS, PAUSE_MS, USERS, DescribedStep, Recent
from udfs.learning.learner import Learner
from udfs.memory.metadata import NEVER
from udfs.state.handles import MemoryRows
from udfs.stores.redis_metadata import Update


def tell(redis: MemoryMetadata, item: str, at: int, **more: Any) -> bytes:
    """Write an item, and make the notice of it."""
    redis.write(0, [Update(item, pack(Described(item, at, **more)), b"{}", True)], at)
    return pack_notice([ItemChange(item, at, {})])


def made() -> tuple[DescribedStep, MemoryMetadata, Learner]:
    redis, learner = MemoryMetadata(), Learner(SETTINGS)
    read = reader(redis)
    read.start(900)
    return DescribedStep(learner, read), redis, learner


def test_a_new_item_is_known_and_the_users_of_late_are_due_once() -> None:
    one, redis, learner = made()
    recent = Recent()
    one.took(recent, ["ann"])
    assert recent.names == {}, "nothing is noted where no item is described"
    one.expect(tell(redis, "kettle", 5), 1000)
    assert one.next_ms(recent, 1000) == 1005
    one.look(1005)
    slot = learner.catalogue.find(["kettle"])
    assert learner.catalogue.shown[slot].all() and learner.catalogue.seen[slot] == 1005
    one.took(recent, ["ann", "bob"])
    assert one.due(recent, 1005) == ["ann", "bob"]
    assert one.due(recent, 1005) == []
    assert one.next_ms(recent, 1005) == NEVER


def test_lists_are_made_anew_at_intervals() -> None:
    one, redis, _ = made()
    recent = Recent()
    for n, now in enumerate((1000, 1010, 1020)):
        one.expect(tell(redis, f"i{n}", 5), now)
        one.look(now + 5)
        one.took(recent, ["ann"])
        assert one.due(recent, now + 5) == (["ann"] if n == 0 else [])
    assert one.next_ms(recent, 1025) == 1005 + PAUSE_MS
    assert one.due(recent, 1005 + PAUSE_MS) == ["ann"]


def test_a_notice_of_what_is_known_is_not_waited_for() -> None:
    one, redis, _ = made()
    notice = tell(redis, "kettle", 5)
    one.look(1900)
    one.expect(notice, 1901)
    one.due(recent := Recent(), 1901)
    assert one.next_ms(recent, 1901) == NEVER


def test_the_end_of_the_input_waits_for_what_was_noticed() -> None:
    one, redis, learner = made()
    now, recent = [1000], Recent()
    one.expect(pack_notice([ItemChange("kettle", 5, {})]), 1000)

    def sleep(seconds: float) -> None:
        now[0] += 5
        if now[0] == 1200:
            tell(redis, "kettle", 5)

    one.end(lambda: now[0], sleep)
    assert 1200 <= now[0] < 1500 and learner.catalogue.find(["kettle"])[0] >= 0
    one.took(recent, ["ann"])
    recent.written_ms = now[0]
    assert one.due(recent, now[0]) == [] and one.due(recent, now[0], at_once=True) == ["ann"]
    one.expect(pack_notice([ItemChange("never", 5, {})]), now[0])
    began = now[0]
    one.end(lambda: now[0], sleep)
    assert END_MS <= now[0] - began < END_MS + 50


def test_an_item_goes_when_its_time_has_come() -> None:
    one, redis, learner = made()
    recent = Recent()
    one.expect(tell(redis, "kettle", 5, published=1100, expires=1200), 1000)
    one.look(1005)
    slot = learner.catalogue.find(["kettle"])
    seen = []
    for n, now in enumerate((1005, 1100, 1150, 1200)):
        one.look(now)
        one.due(recent, now + n * PAUSE_MS)
        seen.append((bool(learner.catalogue.shown[slot][0]), one.next_ms(recent, now)))
    assert seen == [(False, 1100), (True, 1200), (True, 1200), (False, NEVER)]


def test_few_users_of_late_are_kept_the_last_ones() -> None:
    recent = Recent()
    recent.add(f"u{n}" for n in range(USERS + 5))
    recent.add(["u7"])
    assert len(recent.names) == USERS and [*recent.names][-1] == "u7"
    assert "u4" not in recent.names


def test_a_hidden_item_is_in_no_list() -> None:
    one, redis, learner = made()
    users = learner.users
    slots = users.locate(["ann"], MemoryRows(), MemoryRows(), learner.catalogue)
    users.events[[*slots.values()]] = 5
    for n in range(4):
        one.expect(tell(redis, f"i{n}", 5, shown=n != 2), 1000)
    one.look(1005)
    [(_, _, lists)] = learner.models.rank(np.array([*slots.values()], np.int32), 1005)
    found = lists.items[lists.items >= 0]
    assert sorted(learner.catalogue.names(found.tolist())) == ["i0", "i1", "i3"]
