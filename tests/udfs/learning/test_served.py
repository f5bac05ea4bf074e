"""What is served only: users' own histories and lists change, and nothing that others see."""

from __future__ import annotations

from tests.udfs.builders import NOW, OneShard, batch_of, shown
from udfs.events.batch import EventBatch
from udfs.learning.served import Served


def some(begin: int, count: int) -> EventBatch:
    pairs = [(f"u{k * k % 7}", f"i{k * 5 % 11}") for k in range(begin, begin + count)]
    return batch_of(pairs, ts=range(NOW + begin * 1000, NOW + (begin + count) * 1000, 1000))


def test_events_count_for_their_users_alone() -> None:
    shard = OneShard()
    shard.learn(some(0, 200))
    catalogue = shard.learner.catalogue
    slots = catalogue.living_slots()
    items, ranker = catalogue.rows(slots).copy(), shard.learner.models.ranker.parameters.copy()
    before, others = shard.rows.data["u1"], shard.rows.data["u2"]
    new = batch_of([("u1", "i99"), ("stranger", "i1")], ts=NOW + 300_000)
    learned = Served(shard.learner, shard.rows, shard.history).serve(new, NOW)
    assert learned.new_users == 1
    assert shard.learner.messages(NOW) == {}
    assert (catalogue.rows(slots) == items).all()
    assert (shard.learner.models.ranker.parameters == ranker).all()
    assert shard.rows.data["u1"] != before
    assert shard.rows.data["u2"] == others
    [value] = shard.lists("u1").values()
    assert "i99" not in shown(value)
    [value] = shard.lists("stranger").values()
    assert shown(value)
    assert "i1" not in shown(value)
