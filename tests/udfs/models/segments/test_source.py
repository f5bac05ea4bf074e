"""What users begin with, by segment and by what a questionnaire says."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.udfs.builders import NOW, OneShard, batch_of, with_columns
from udfs.feed.metadata import Described
from udfs.lists.keys import USER
from udfs.models.popular.first import weight
from udfs.models.segments.source import LEAST_EVENTS, PARAMETERS, Segments

LATER = NOW + 60_000  # when popularity is looked at again


def segments(shard: OneShard) -> Segments:
    return shard.learner.models.segments


def meet(shard: OneShard, user: str, names: list[str], likes: tuple[str, ...] = ()) -> int:
    slot = shard.learner.users.locate([user], shard.rows, shard.history, shard.learner.catalogue)
    segments(shard).describe_user(slot[user], names, likes)
    return slot[user]


def shop(**settings: Any) -> OneShard:
    """Twenty users of each of two countries, who begin with an item of their own."""
    shard = OneShard(**settings)
    for n in range(20):
        for country, item in (("DE", "beer"), ("FR", "wine")):
            meet(shard, f"{country}{n}", [f"country:{country}"])
            shard.learn(batch_of([(f"{country}{n}", item), (f"{country}{n}", f"{item} glass")]))
    return shard


def items(shard: OneShard, slot: int) -> list[str]:
    [(source, _, lists)] = shard.learner.models.rank(np.array([slot], np.int32), LATER)
    assert source == "segments"
    return shard.learner.catalogue.names(lists.items[0][lists.items[0] >= 0].tolist())


def test_a_user_without_events_gets_what_the_segment_begins_with() -> None:
    shard = shop()
    assert items(shard, meet(shard, "ann", ["country:DE"]))[0].startswith("beer")
    assert items(shard, meet(shard, "zoe", ["country:FR"]))[0].startswith("wine")
    assert len(items(shard, meet(shard, "bob", []))) == 4


def first_events(shard: OneShard) -> float:
    return round(float(shard.learner.models.popular.first.now(NOW).sum()), 6)


def test_nothing_is_counted_as_long_as_no_segment_is_known() -> None:
    shard = OneShard()
    shard.learn(batch_of([("ann", "tea"), ("bob", "tea")]))
    assert not segments(shard).some
    assert not segments(shard).counts.now(0, NOW).any()
    [(source, _, _)] = shard.learner.models.rank(np.array([meet(shard, "new", [])], np.int32), NOW)
    assert source == "popular"


def test_only_early_events_count_and_fewer_as_first() -> None:
    shard = OneShard()
    meet(shard, "ann", ["country:DE"])
    for n in range(4):
        shard.learn(batch_of([("ann", f"{n} {k}") for k in range(4)]))
    counts = segments(shard).counts
    assert [round(float(counts.now(k, NOW).sum()), 6) for k in range(2)] == [10, 10]
    assert counts.names == ["early", "country:DE"]
    assert first_events(shard) == 2


def test_a_dislike_and_an_unknown_item_count_nothing() -> None:
    shard = OneShard(max_items=1)
    meet(shard, "ann", ["country:DE"])
    shard.learn(batch_of([("ann", "tea"), ("ann", "one too many"), ("ann", "tea")], [1, 1, -1]))
    assert segments(shard).counts.now(0, NOW).sum() == 1


def test_the_context_of_an_event_is_a_segment() -> None:
    shard = OneShard()
    batch = batch_of([("ann", "tea"), ("bob", "mug")])
    shard.learn(with_columns(batch, device=["tv", ""], referrer=["http://a.example/b", ""]))
    assert segments(shard).counts.names[1:] == ["device:tv", "referrer:a.example", "hour:22"]


def test_counts_travel_as_shared_parameters() -> None:
    shard, other = OneShard(), OneShard()
    meet(shard, "ann", ["country:DE"])
    shard.learn(batch_of([("ann", "tea")]))
    counts, first, weighed = segments(shard).counts, shard.learner.models.popular.first, weight(NOW)
    given = {PARAMETERS + name: counts.now(k, NOW) * weighed for k, name in enumerate(counts.names)}
    first.count(np.zeros(1, np.uint64), NOW)
    given["segments:all"] = first.now(NOW) * weighed  # its name is an old one
    other.learner.models.put([], np.zeros(0, other.learner.catalogue.dtype), [], [], given)
    assert segments(other).some and segments(other).counts.names == ["early", "country:DE"]
    assert first_events(other) == 1
    replica = segments(other).counts
    assert replica.now(replica.get("country:DE"), NOW).sum() == 1


def test_what_is_liked_leads_and_is_not_recommended_itself() -> None:
    shard = shop()
    shard.learn(batch_of([("x", "tea"), ("x", "honey"), ("y", "tea"), ("y", "honey")]))
    shard.learner.messages(NOW)
    found = items(shard, meet(shard, "bob", [], ("tea", "no such item")))
    assert found[0] == "honey" and "tea" not in found
    shard.learner.describe([Described("honey", 1, categories=["sweet"])], NOW)
    assert items(shard, meet(shard, "eve", [], ("category:sweet",)))[0] == "honey"


def test_a_segment_has_a_list_once_it_has_some_events() -> None:
    shard = shop()
    meet(shard, "ann", ["country:BR"])
    shard.learn(batch_of([("ann", "tea")]))
    popular = shard.learner.models.popular.look(LATER)
    names, (found, scores) = segments(shard).by_segment(popular)
    assert names == ["all", "country:DE", "country:FR"]
    assert LEAST_EVENTS > 1
    first = shard.learner.catalogue.names(found[:, 0].tolist())
    assert first[1].startswith("beer") and first[2].startswith("wine")
    assert (scores[:, 0] == 1).all() and (np.diff(scores[:, :4]) <= 0).all()


def test_lists_say_where_they_come_from() -> None:
    shard = shop()
    slots = np.array([meet(shard, "ann", ["country:DE"])], np.int32)
    [updates] = shard.learner.user_lists(slots, LATER)
    assert updates.kind == USER and updates.source == "segments"
    assert b'"why":{"model":"segments"' in updates.json[0]


def test_what_was_consumed_is_left_out() -> None:
    shard = shop(minimum_events=3)
    found = items(shard, shard.learner.users.find("DE0"))
    assert not {"beer", "beer glass"} & {*found} and found
