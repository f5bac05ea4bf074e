"""The source `content` in a learner: new items in the next list, with reasons."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.udfs.builders import NOW, OneShard, batch_of, shown
from udfs.memory.catalogue import Catalogue
from udfs.models.content.features import content_vector, query_vector
from udfs.ranking.features import features
from udfs.ranking.ranker import first_parameters

SHOP: dict[str, dict[str, Any]] = {
    "tea": {"title": "Green tea", "categories": ["tea"]},
    "pot": {"title": "Iron tea pot", "categories": ["tea"]},
    "drill": {"title": "Cordless drill", "categories": ["tools"]},
    "saw": {"title": "Hand saw", "categories": ["tools"]},
    "matcha": {"title": "Matcha tea", "categories": ["tea"]},
    "hammer": {"title": "Hammer", "categories": ["tools"]},
}
EVENTS = [("ann", "tea"), ("ann", "pot"), ("bob", "drill"), ("bob", "saw"), ("eve", "tea")]


def vectors(*items: str) -> Any:
    return np.array([content_vector(SHOP[item]) for item in items])


def describe(shard: OneShard, *items: str) -> None:
    """What the learner does when metadata of items arrives."""
    models = shard.learner.models
    models.learned()
    models.content.describe(shard.learner.catalogue.slots(items), vectors(*items))


@pytest.fixture
def shard() -> OneShard:
    """A shop that has sold something of all but matcha and the hammer, in lists of four."""
    shard = OneShard(length=4)
    shard.learn(batch_of(EVENTS))
    shard.learner.models.ranker.w[[f.name for f in features()].index("likeness")] = 3.0
    return shard


def test_a_new_item_is_in_the_next_list(shard: OneShard) -> None:
    assert "matcha" not in shown(shard.lists("ann")["rec:ann"])
    describe(shard, *SHOP)
    first = {user: shard.lists(user)[f"rec:{user}"] for user in ("ann", "bob")}
    assert shown(first["ann"])[0] == "matcha"
    assert shown(first["bob"])[0] == "hammer"
    assert first["ann"]["items"][0]["why"]["model"] == "content"
    assert set(first["ann"]["items"][0]["why"]["because"]) == {"tea", "pot"}


def test_lists_of_many_and_of_one_are_the_same(shard: OneShard) -> None:
    describe(shard, *SHOP)
    many = shard.learner.models.rank(shard.slots("ann", "bob", "eve"), NOW)[0][2]
    alone = [shard.learner.models.rank(shard.slots(u), NOW)[0][2] for u in ("ann", "bob", "eve")]
    assert many.items.tolist() == [lists.items[0].tolist() for lists in alone]


def test_the_ranker_learns_from_new_items_too(shard: OneShard) -> None:
    describe(shard, *SHOP)
    before = shard.learner.models.ranker.w.copy()
    shard.learn(batch_of([("ann", "matcha")]))
    assert (shard.learner.models.ranker.w != before).any()


def test_items_that_are_known_by_their_events_are_left_to_others(shard: OneShard) -> None:
    describe(shard, *SHOP)
    slots, models = shard.slots("ann"), shard.learner.models
    (found,) = models.content.candidates(models.moment(slots, NOW))[0].tolist()
    assert shard.learner.catalogue.ids[found[0]] == "matcha"
    shard.learner.catalogue.events[found[0]] = 20
    models.learned()
    (later,) = models.content.candidates(models.moment(slots, NOW))[0].tolist()
    assert found[0] not in later


def test_similar_items_of_what_nobody_took(shard: OneShard) -> None:
    describe(shard, *SHOP)
    catalogue, models = shard.learner.catalogue, shard.learner.models
    lists = models.similar(catalogue.find(["matcha", "tea"]))
    assert {catalogue.ids[slot] for slot in lists.items[0, :2]} == {"tea", "pot"}
    assert catalogue.ids[lists.items[1, 0]] == "pot", "they were taken together"


def test_items_are_found_by_words(shard: OneShard) -> None:
    describe(shard, *SHOP)
    wanted = np.array([query_vector("tea"), query_vector("hammer"), query_vector("?")])
    found, cosines = shard.learner.models.content.search(wanted, 3)
    ids = shard.learner.catalogue.ids
    assert {ids[slot] for slot in found[0]} == {"tea", "pot", "matcha"}
    assert ids[found[1, 0]] == "hammer"
    assert (found[2] == -1).all()
    assert cosines[0, 0] > cosines[0, 2] > 0.2


def test_what_is_no_more_is_in_no_list(shard: OneShard) -> None:
    describe(shard, *SHOP)
    catalogue, models = shard.learner.catalogue, shard.learner.models
    gone = catalogue.find(["matcha"])
    catalogue.seen[catalogue.living_slots()] = NOW
    catalogue.seen[gone] = 1
    shard.learner.expire_items(2)
    assert not models.content.described.vectors[gone].any()
    assert "matcha" not in shown(shard.lists("ann")["rec:ann"])
    describe(shard, "matcha")
    assert "matcha" in shown(shard.lists("ann")["rec:ann"])


def test_it_follows_slots_that_move() -> None:
    catalogue, shard = Catalogue(8, 1, 1000), OneShard()
    table = type(shard.learner.models.content.described)()
    catalogue.attach(table)
    slots = catalogue.slots(list(SHOP))
    table.put(slots, vectors(*SHOP))
    catalogue.seen[slots] = 9
    catalogue.seen[catalogue.find(["tea", "saw"])] = 1
    catalogue.expire(5)
    catalogue.compact()
    for item in ("pot", "drill", "matcha", "hammer"):
        assert (table.vectors[catalogue.find([item])[0]] == content_vector(SHOP[item])).all()
    assert table.counts[1] == 4


def test_without_metadata_there_is_nothing() -> None:
    shard = OneShard(length=4)
    shard.learn(batch_of(EVENTS))
    models = shard.learner.models
    moment = models.moment(shard.slots("ann"), NOW)
    assert models.content.named(moment) is None
    assert (models.content.candidates(moment)[0] == -1).all()
    shard.learn(batch_of([("ann", "drill"), ("bob", "tea"), ("eve", "saw")]))
    at = [k for k, f in enumerate(features()) if f.source == "content"]
    before = first_parameters(0)
    assert (models.ranker.w[at] == before[at]).all()
    assert (models.ranker.squares[at] == 1e-8).all(), "its parameters have not moved at all"
