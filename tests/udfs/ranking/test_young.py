"""Who gets a list of their own."""

from __future__ import annotations

import numpy as np

from tests.udfs.builders import NOW, OneShard, batch_of
from udfs.models.model import Moment
from udfs.ranking.young import begin, parts


def test_users_with_enough_events_have_lists_of_their_own() -> None:
    shop = OneShard().learner.models.shop
    moment = Moment(shop, np.array([0, 1, 2], np.int32), NOW)
    events = np.array([3, 0, 2], np.int64)
    found = [
        (name, at.tolist(), one.slots.tolist())
        for name, at, one in parts(moment, events, 2, "ranker", "segments")
    ]
    assert found == [("ranker", [0, 2], [0, 2]), ("segments", [1], [1])]
    [(name, at, whole)] = parts(moment, events, 0, "mf", "popular")
    assert (name, at.tolist(), whole is moment) == ("mf", [0, 1, 2], True)


def test_a_list_that_is_too_short_is_filled_by_what_is_popular() -> None:
    shard = OneShard(length=3)
    models = shard.learner.models
    found = shard.learner.users.locate(["a"], shard.rows, shard.history, models.catalogue)
    slot = [*found.values()]
    models.segments.describe_user(slot[0], ["country:DE"], ("tea",))
    shard.learn(batch_of([("b", "tea"), ("c", "mug")]))
    shard.learner.models.forget_popular()
    moment = Moment(models.shop, np.array(slot, np.int32), NOW)
    lists = begin(models.segments, models.popular, None, moment)
    assert models.catalogue.names(lists.items[0][:2].tolist()) == ["mug", "tea"]
    assert lists.items[0, 2] == -1
