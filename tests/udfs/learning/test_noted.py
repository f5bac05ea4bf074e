"""What lists remember survives a restart: how often items were offered, what users look for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.udfs.builders import NOW, SETTINGS, OneShard, batch_of, changed, with_columns
from tests.udfs.fakes import DictState
from udfs.accounts import Account
from udfs.events.searches import Search
from udfs.learning.learner import Learner
from udfs.learning.noted import Noted, without_seen
from udfs.memory.metadata import NEVER
from udfs.models.content.features import content_vector
from udfs.options.explore import Explore
from udfs.ranking.steps.steps import Steps

ITEMS = ["kettle", "mug", "rope", "drill"]


def describe(learner: Learner) -> None:
    slots = learner.catalogue.slots(ITEMS)
    learner.catalogue.metadata.put(
        slots, allowed=True, published=0, expires=NEVER, bits=0, groups=[[-1, -1, -1, -1]]
    )
    learner.models.describe(slots, np.stack([content_vector({"title": item}) for item in ITEMS]))


def steps(described: bool = True, **explore: Any) -> Steps:
    learner = Learner(changed(SETTINGS, explore=Explore(**explore)))
    learner.models.clock_ms = NOW
    if described:
        describe(learner)
    return learner.models.steps


def counts(steps: Steps) -> dict[str, int]:
    tried, found = steps.explore.tried, steps.explore._shop.catalogue.find(ITEMS)
    return dict(zip(ITEMS, tried.count[found].tolist(), strict=True))


def test_offers_are_kept_by_the_shard_whose_turn_it_is_and_add_up() -> None:
    own, rows = steps(), [DictState(), DictState()]
    shards = [Noted(some, own) for some in rows]
    own.explore.see(["kettle", "mug", "nothing"], NOW)
    shards[0].offered()
    own.explore.see(["kettle"], NOW + 5)
    shards[1].offered()
    shards[0].offered()
    assert [sorted(some.data) for some in rows] == [
        ["heard", "tried:kettle", "tried:mug"],
        ["heard", "tried:kettle"],
    ]
    later = steps()
    again = [Noted(some.copy(), later) for some in rows]
    assert counts(later) == {"kettle": 2, "mug": 1, "rope": 0, "drill": 0}
    assert later.explore.tried.told(NOW)
    later.explore.see(["kettle"], NOW)
    again[0].offered()
    assert counts(later)["kettle"] == 3
    assert rows[0].writes == 2  # nothing new, nothing written


def test_offers_of_items_that_are_known_later_are_recalled_then() -> None:
    own, rows = steps(), DictState()
    shard = Noted(rows, own)
    own.explore.see(["mug"], NOW)
    shard.offered()
    learner = Learner(changed(SETTINGS, explore=Explore()))
    later = Noted(rows, learner.models.steps)
    later.sweep()  # at once after a restart
    describe(learner)
    assert counts(learner.models.steps)["mug"] == 1


def test_what_does_not_matter_any_more_is_swept() -> None:
    own, rows = steps(events=3), DictState()
    shard = Noted(rows, own)
    own.explore.see(ITEMS, NOW)
    shard.offered()
    c = own.explore._shop.catalogue
    c.events[c.find(["mug"])] = 3
    c.alive[c.find(["rope"])], gone = False, c._slots.pop("rope")
    assert gone >= 0
    shard.sweep()
    assert {"tried:kettle", "tried:rope", "tried:drill", "heard"} == set(rows.data)
    shard.sweep()
    assert "tried:rope" not in rows.data


def test_items_that_are_not_new_any_more_are_not_written() -> None:
    own, rows = steps(events=3), DictState()
    shard = Noted(rows, own)
    c = own.explore._shop.catalogue
    c.events[c.find(["mug"])] = 3
    own.explore.see(ITEMS, NOW)
    shard.offered()
    assert {"tried:kettle", "tried:rope", "tried:drill", "heard"} == set(rows.data)
    assert own.explore.tried.heard_ms == NOW


def test_a_search_that_is_over_leaves_memory_and_does_not_come_back() -> None:
    own, rows = steps(), DictState()
    shard, shop = Noted(rows, own), own.explore._shop
    shop.users.locate(["ann"], DictState(), DictState(), shop.catalogue)
    ann = np.array([shop.users.find("ann")], np.int32)
    for sweeps in (True, False):
        shop.clock[0] = NOW
        own.searches.take([Search("ann", "red kettle", NOW)])
        shard.searched()
        assert "search:ann" in rows.data
        shop.clock[0] = NOW + 3_600_000
        if sweeps:
            shard.sweep()
            assert not own.searches._searches
        own.searches.fade(ann)
        shard.searched()
        assert "search:ann" not in rows.data


@pytest.mark.parametrize("explore", [{"share": 0.0}, {}])
def test_without_exploration_nothing_is_written(explore: dict[str, Any]) -> None:
    own, rows = steps(described=bool(explore), **explore), DictState()
    shard = Noted(rows, own)
    if not explore:
        own.explore.see(ITEMS, NOW)
    shard.offered()
    shard.searched()
    assert not rows.data and not rows.writes


def test_a_running_search_goes_on_after_a_restart_and_ends_as_it_would_have() -> None:
    rows = DictState()
    shard = OneShard()
    describe(shard.learner)
    (slot,) = shard.slots("ann")
    own = shard.learner.models.steps
    noted = Noted(rows, own)
    own.searches.take([Search("ann", "mug", NOW), Search("bob", "rope", NOW)])
    noted.searched()
    own.searches.fade(np.array([slot], np.int32))
    noted.searched()
    later = steps()
    again = Noted(rows.copy(), later)
    left = {user: one.running for user, one in later.searches._searches.items()}
    assert left == {user: one.running for user, one in own.searches._searches.items()}
    assert (left["ann"].query, left["ann"].strength, left["bob"].strength) == ("mug", 0.5, 1.0)
    again.searched()
    assert rows.writes == 3
    for _ in range(3):
        own.searches.fade(np.array([slot], np.int32))
        noted.searched()
    assert set(rows.data) == {"search:bob"}
    shard.learner.models.clock_ms = NOW + 1_800_001
    noted.sweep()
    assert not rows.data


def test_what_was_seen_is_taken_out_of_a_batch() -> None:
    own, account = steps(), Account()
    seen = with_columns(
        batch_of([("ann", "mug"), ("ann", "rope"), ("bob", "mug")], [0.0, 1.0, 0.0], flags=0),
        recs=["7-1", "7-1", ""],
    )
    left = without_seen(seen, own, account)
    assert (left.items, account.ignored, account.learned) == (["rope", "mug"], 1, 0)
    assert counts(own)["mug"] == 1 and own.explore.tried.heard_ms == NOW
    assert without_seen(left, own, account) is left
