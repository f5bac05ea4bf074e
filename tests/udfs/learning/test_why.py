"""Why an item is in a list: the sum is right, and so is what would be without an event."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from tests.udfs.builders import NOW, OneShard, batch_of, part, shown
from tests.udfs.learning.test_learner import stream
from udfs.events.batch import EventBatch
from udfs.feed.metadata import Described
from udfs.learning.served import Served
from udfs.learning.why import LAST, Why
from udfs.models.content.features import content_vector
from udfs.models.options import RankerOptions
from udfs.options.explore import Explore
from udfs.options.rerank import Rerank
from udfs.options.rules import Rule

USER = "user 3"


def taught(**settings: Any) -> OneShard:
    """A shard that has learned a small shop."""
    shard = OneShard(**settings)
    for begin in range(0, 1200, 60):
        shard.learn(part(stream(1200), begin, begin + 60))
    return shard


def asked(shard: OneShard, item: str, user: str = USER) -> dict[str, Any]:
    """The answer, through JSON as readers get it."""
    (slot,) = shard.slots(user).tolist()
    found = Why(shard.learner).answer(slot, item, NOW)
    answer: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(found))
    return answer


def listed(shard: OneShard, user: str = USER) -> list[str]:
    return shown(shard.lists(user)[f"rec:{user}"])


@pytest.mark.parametrize("network", ["linear", "neural"])
def test_what_the_features_add_is_the_logit(network: Any) -> None:
    shard = taught(ranker=RankerOptions(network=network))
    for place, item in enumerate(listed(shard), 1):
        found = asked(shard, item)
        ranker = found["ranker"]
        assert (found["list"]["place"], ranker["place"]) == (place, place)
        total = sum(one["adds"] for one in ranker["parts"]) + ranker["rest"]
        assert total == pytest.approx(ranker["logit"], abs=1e-4)
        for one in ranker["parts"]:
            assert one["adds"] == pytest.approx(one["value"] * one["weight"])
        assert ranker["logit"] >= ranker["last"]
        assert found["why"] == shard.lists(USER)[f"rec:{USER}"]["items"][place - 1]["why"]


def test_every_candidate_has_its_place_by_its_logit_and_the_first_are_the_list() -> None:
    shard = taught()
    catalogue = shard.learner.catalogue
    everything = catalogue.names(catalogue.living_slots().tolist())
    answers = {item: asked(shard, item) for item in everything}
    ranked = {item: one["ranker"] for item, one in answers.items() if "ranker" in one}
    order = sorted(ranked, key=lambda item: ranked[item]["place"])
    assert [ranked[item]["place"] for item in order] == [*range(1, len(order) + 1)]
    logits = [ranked[item]["logit"] for item in order]
    assert logits == sorted(logits, reverse=True)
    assert order[:5] == listed(shard)
    assert {one["candidates"] for one in ranked.values()} == {len(order)}
    assert {one["last"] for one in ranked.values()} == {logits[4]}
    for place, item in enumerate(order[5:], 6):
        told = {"fact": "ranked_below", "place": place, "candidates": len(order), "length": 5}
        assert answers[item]["facts"] == [told]
        assert answers[item]["list"]["place"] is None and "why" not in answers[item]


def plain(shard: OneShard) -> EventBatch:
    """Events of somebody new, on items that the shop knows."""
    liked = [f"item {n}" for n in (4, 1, 7, 2, 9, 11, 3)]
    return batch_of([("eve", item) for item in liked], [1, 1, -1, 1, 1, 1, 1], ts=NOW + 5_000)


def test_without_an_event_the_list_is_that_of_somebody_who_did_not_do_it() -> None:
    """Verified by serving the others alone: to the digit, with all that was learned the same."""

    def served(leave: int) -> tuple[OneShard, Why]:
        shard = taught(minimum_events=0)
        batch = plain(shard)
        kept = batch.take(np.array([n != leave for n in range(len(batch))]))
        Served(shard.learner, shard.rows, shard.history).serve(kept, NOW)
        return shard, Why(shard.learner)

    shard, _ = served(-1)
    (slot,) = shard.slots("eve").tolist()
    answers = {item: asked(shard, item, "eve") for item in listed(shard, "eve")}
    items, decided = plain(shard).items, 0
    for left, item in enumerate(items):
        other, again = served(left)
        (place,) = other.slots("eve").tolist()
        own = listed(other, "eve")
        for wanted, answer in answers.items():
            event = answer["events"][len(items) - 1 - left]
            assert event["item"] == item
            assert event["place"] == (own.index(wanted) + 1 if wanted in own else None)
            assert event.get("returns", False) == (item in own)
            assert (item in answer["without"]) == (wanted not in own)
            decided += wanted not in own
            if "logit" in event:
                found = again.answer(place, wanted, NOW)["ranker"]
                assert event["logit"] == found["logit"]
    assert decided, "no event decides anything: the test says nothing"
    assert slot == shard.slots("eve").tolist()[0]


def everything(shard: OneShard) -> Any:
    """All that a list or what is learned could depend on."""
    learner, c = shard.learner, shard.learner.catalogue
    users = learner.users
    (slot,) = shard.slots(USER).tolist()
    steps = learner.models.steps
    arrays = (
        users.tail,
        users.fill,
        users.events,
        users.p,
        users.first,
        users.sealed,
        c.rows(c.living_slots()),
    )
    return (
        [array.tobytes() for array in arrays],
        [array.tobytes() for array in users.standing(slot)],
        [
            one.parameters.tobytes()
            for one in learner.models.shared.values()
            if hasattr(one, "parameters")
        ],
        steps.rerank.exposure._untold.tobytes(),
        steps.explore._random.tobytes(),
        steps.explore.tried.count.tobytes(),
        users.free_count,
        dict(shard.rows.data),
        dict(shard.history.data),
    )


def described(**settings: Any) -> OneShard:
    """The same shop with items that are described, ten of them new, and one place to explore."""
    shard = taught(explore=Explore(share=0.4), **settings)
    told = [
        Described(f"item {n}", NOW, content=content_vector({"title": f"tea {n % 7}"}).tobytes())
        for n in (*range(30), *range(1000, 1010))
    ]
    shard.learner.describe(told, NOW)
    shard.learn(part(stream(80, seed=5), 0, 80))
    return shard


def test_what_is_explored_is_drawn_as_it_will_be_drawn() -> None:
    shard = described()
    catalogue = shard.learner.catalogue
    everything = catalogue.names(catalogue.living_slots().tolist())
    answers = {item: asked(shard, item) for item in everything}
    found = shard.lists(USER)[f"rec:{USER}"]
    places = {item: one["list"]["place"] for item, one in answers.items()}
    assert found["explored"], "nothing was explored: the test says nothing"
    assert {item: place for item, place in places.items() if place} == {
        item: place for place, item in enumerate(shown(found), 1)
    }
    chances = {one["item"]: one["chance"] for one in found["explored"]}
    told = {item: answers[item]["why"]["chance"] for item in chances}
    assert told == pytest.approx(chances, abs=1e-6)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"strict": True},
        {"rules": (Rule(exposure=0.3, when='title == "tea 1"'),), "rerank": Rerank(diversity=1.0)},
    ],
)
def test_asking_changes_nothing(settings: Any) -> None:
    plain, asking = described(**settings), described(**settings)
    for shard in (plain, asking):
        shard.learner.catalogue.metadata.bits[:40] = 1
        listed(shard)
    before = everything(asking)
    items = asking.learner.catalogue.names(asking.learner.catalogue.living_slots().tolist())
    answers = [asked(asking, item) for item in items[:40]]
    assert everything(asking) == before
    assert any(one["events"] for one in answers), "nothing was recomputed"
    more = batch_of([(USER, "item 5"), ("user 9", "item 8"), (USER, "item 77")], ts=NOW + 1)
    for shard in (plain, asking):
        shard.learn(more)
    assert plain.rows.data == asking.rows.data
    assert plain.messages == asking.messages
    assert plain.lists(USER, "user 9") == asking.lists(USER, "user 9")


def test_the_last_events_are_told_newest_first_across_pages(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shard = taught()
    shard.learn(batch_of([("eve", f"item {n}") for n in range(80)], ts=NOW))
    told = [one["item"] for one in asked(shard, "item 120", "eve")["events"]]
    assert told == [f"item {n}" for n in range(79, 79 - LAST, -1)]
    monkeypatch.setattr("udfs.learning.why.WORK", 7 * shard.learner.catalogue.size)
    assert len(asked(shard, "item 120", "eve")["events"]) == 7


def test_what_keeps_an_item_out_is_a_fact() -> None:
    shard = taught(minimum_events=2)
    (taken, *_) = [one["item"] for one in asked(shard, listed(shard)[0])["events"]]
    assert {"fact": "consumed"} in asked(shard, taken)["facts"]
    assert asked(shard, "nothing")["facts"] == [{"fact": "unknown_item"}]
    shard.learn(batch_of([("new", "item 5")], ts=NOW))
    few = {"fact": "few_events", "events": 1, "least": 2}
    assert few in asked(shard, "item 1", "new")["facts"]


def test_a_step_that_moves_an_item_is_named_with_its_places() -> None:
    shard = taught(rerank=Rerank(debias=1.0))
    order = listed(shard)
    for place, item in enumerate(order, 1):
        found = asked(shard, item)
        assert [one["step"] for one in found["steps"]] == ["ranker", "debias"]
        assert found["steps"][-1]["place"] == found["list"]["place"] == place
    moved = [one for item in order for one in asked(shard, item)["facts"]]
    assert {one["step"] for one in moved if one["fact"] == "moved"} == {"debias"}


def test_what_a_step_leaves_behind_the_end_of_the_list_is_told_its_place_there() -> None:
    shard = taught(rerank=Rerank(debias=1.0))
    catalogue = shard.learner.catalogue
    for item in catalogue.names(catalogue.living_slots().tolist()):
        found = asked(shard, item)
        after = found["steps"][-1]["place"]
        if after is not None and after > 5:
            many = found["ranker"]["candidates"]
            told = {"fact": "ranked_below", "place": after, "candidates": many, "length": 5}
            assert found["facts"][-1] == told
            return
    pytest.fail("debias left nothing behind the list")


def test_a_rule_that_takes_an_item_out_is_told() -> None:
    shard = taught(rules=(Rule(most=1),))
    catalogue = shard.learner.catalogue
    catalogue.metadata.bits[:] = 1  # as if the condition held for all
    first, *rest = listed(shard)
    assert rest == []
    second = next(
        item
        for item in catalogue.names(catalogue.living_slots().tolist())
        if asked(shard, item)["steps"][0]["place"] == 2
    )
    found = asked(shard, second)
    assert found["facts"] == [{"fact": "dropped", "step": "rules", "before": 2}]
    assert found["rules"] == [{"most": 1}]
    assert asked(shard, first)["list"]["place"] == 1


@pytest.mark.parametrize("served", ["mf", "popular", "item-cf"])
def test_lists_without_the_ranker_have_places_but_no_sum(served: str) -> None:
    shard = taught(served=served)
    for place, item in enumerate(listed(shard), 1):
        found = asked(shard, item)
        assert (found["list"], "ranker" in found) == (
            {"source": served, "length": 5, "place": place},
            False,
        )
