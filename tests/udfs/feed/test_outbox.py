"""What is owed to the item learners, told at once or bit by bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.udfs.builders import NOW, SETTINGS, OneShard, batch_of, changed
from udfs.events.batch import EventBatch, cut
from udfs.feed.deltas import unpack_deltas
from udfs.feed.parameters import Shared
from udfs.learning.item_shard import ItemShard
from udfs.learning.learner import Learner
from udfs.memory.catalogue import Catalogue
from udfs.models.item_cf.neighbours import Neighbours
from udfs.models.item_cf.wire import KeyIndex
from udfs.ranking.ranker import RANKER, Ranker

events = st.tuples(
    st.sampled_from(["ann", "bob", "eve"]),
    st.integers(0, 20),
    st.sampled_from([1.0, 0.25, -1.0, 0.0]),
    st.integers(NOW - 10**6, NOW),
)


class Sent:
    """A learner, and the item shards that its messages are applied by."""

    def __init__(self, **options: Any) -> None:
        s = changed(SETTINGS, **options)
        self.sender, self.index = OneShard(**options), KeyIndex()
        self.shards = [
            ItemShard(
                Catalogue(8, s.model.seed, 1000),
                Neighbours(s.item_cf),
                None if number else Shared({RANKER: Ranker(s.ranker)}),
                self.index,
                s.half_life_ms,
            )
            for number in range(s.job.item_shards)
        ]
        self.count = 0

    def learn(self, batch: EventBatch, at_once: int) -> None:
        """Learn event by event; tell of so many at once."""
        sender = self.sender
        for n, part in enumerate(cut(batch, range(1, len(batch)))):
            sender.learner.learn(part, sender.rows, sender.history, sender.number, NOW)
            sender.number += 1
            if (n + 1) % at_once == 0 or n + 1 == len(batch):
                for shard, message in sender.learner.messages(NOW).items():
                    self.shards[shard].apply(message)
                    self.count += 1


@settings(max_examples=30)
@given(st.lists(events, min_size=1, max_size=40), st.sampled_from([7, 1000]), st.booleans())
def test_messages_of_many_calls_say_what_those_of_each_call_say(
    rows: list[Any], at_once: int, strict: bool
) -> None:
    users, items, weights, ts = zip(*rows, strict=True)
    pairs = list(zip(users, [f"item {k}" for k in items], strict=True))
    each, few = (Sent(strict=strict, item_shards=2) for _ in range(2))
    each.learn(batch_of(pairs, weights, ts=ts), 1)
    few.learn(batch_of(pairs, weights, ts=ts), at_once)
    assert few.count <= each.count
    assert few.sender.rows.data == each.sender.rows.data
    for one, other in zip(each.shards, few.shards, strict=True):
        names = [name for name in one.catalogue.ids if name is not None]
        assert sorted(names) == sorted(n for n in other.catalogue.ids if n is not None)
        mine, theirs = one.catalogue.find(names), other.catalogue.find(names)
        for column in ("q", "y", "bias", "spread", "popularity"):
            found = (getattr(c.catalogue, column)[s] for c, s in ((one, mine), (other, theirs)))
            np.testing.assert_allclose(*found, rtol=1e-3, atol=1e-4, err_msg=column)
        for column in ("events", "seen", "popularity_at"):
            found = (getattr(c.catalogue, column)[s] for c, s in ((one, mine), (other, theirs)))
            np.testing.assert_array_equal(*found, err_msg=column)
        assert one.neighbours.clock == other.neighbours.clock
        for a, b in zip(mine.tolist(), theirs.tolist(), strict=True):
            (left, right) = one.neighbours.get_row(a), other.neighbours.get_row(b)
            assert left.weight == pytest.approx(right.weight)
            assert dict(zip(each.index.keys[left.slots], left.values, strict=True)) == (
                pytest.approx(dict(zip(few.index.keys[right.slots], right.values, strict=True)))
            )
    if each.shards[0].shared and few.shards[0].shared:
        np.testing.assert_allclose(
            each.shards[0].shared.values[RANKER], few.shards[0].shared.values[RANKER]
        )


def test_nothing_learned_is_nothing_told() -> None:
    shard = OneShard()
    assert shard.learner.messages(NOW) == {}
    shard.learn(batch_of([("ann", "a")]))
    assert shard.messages
    assert shard.learner.messages(NOW) == {}


def test_a_message_names_the_learner_it_comes_from() -> None:
    shard = OneShard()
    shard.learner = Learner(SETTINGS, origin=3)
    shard.learn(batch_of([("ann", "a"), ("ann", "b")]))
    assert {unpack_deltas(message).origin for message in shard.messages.values()} == {3}


def test_items_do_not_expire_before_they_were_told_of() -> None:
    shard = OneShard()
    shard.learner.learn(batch_of([("ann", "a")]), shard.rows, shard.history, 0, NOW)
    with pytest.raises(RuntimeError, match=r"in the middle of a batch: call messages\(\) first"):
        shard.learner.expire_items(NOW)
    shard.learner.messages(NOW)
    shard.learner.expire_items(NOW)
