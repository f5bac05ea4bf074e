"""Results about users at one moment are valid until anything is learned, and for these users."""

from __future__ import annotations

import numpy as np

from tests.udfs.builders import NOW, OneShard, batch_of


def shop() -> OneShard:
    shard = OneShard(user_cache=3)
    shard.learn(batch_of([("ann", "a"), ("ann", "b"), ("bob", "a"), ("eve", "c")]))
    return shard


def test_the_same_users_are_ranked_once() -> None:
    shard = shop()
    models, slots = shard.learner.models, shard.slots("ann", "bob", "eve")
    first = models.moment(slots, NOW)
    found = models.candidates("mf", first)
    assert found is not None
    assert models.moment(slots.copy(), NOW) is first
    some = models.moment(slots[1:][::-1], NOW)
    known = models.candidates("mf", some)
    assert known is not None
    assert np.array_equal(known[0], found[0][1:][::-1])
    assert np.array_equal(known[1], found[1][1:][::-1])


def test_a_moment_becomes_invalid() -> None:
    shard = shop()
    models, slots = shard.learner.models, shard.slots("ann")
    first = models.moment(slots, NOW)
    assert models.moment(slots, NOW + 1) is not first
    first = models.moment(slots, NOW)
    shard.learn(batch_of([("ann", "c")]))
    assert models.moment(slots, NOW) is not first
    first = models.moment(slots, NOW)
    shard.learner.catalogue.slots(["new"])
    assert models.moment(slots, NOW) is not first


def test_a_slot_reused_for_another_user_is_another_user() -> None:
    shard = shop()
    models, slots = shard.learner.models, shard.slots("ann")
    first = models.moment(slots, NOW)
    shard.slots("kim", "lea", "max")
    again = shard.slots("zoe")
    shard.learner.users.serials[slots] += 1
    assert models.moment(slots, NOW) is not first
    assert len(again) == 1
