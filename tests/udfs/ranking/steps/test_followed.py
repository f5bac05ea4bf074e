"""Places in lists for what followed users took."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.udfs.builders import OneShard, batch_of, shown
from tests.udfs.learning.test_profiles import say
from tests.udfs.learning.test_user_step import KEY, handles, step
from udfs.events.batch import pack
from udfs.events.people import PersonChange, pack_people
from udfs.options.social import Social


def shop(**social: Any) -> OneShard:
    """Ten items that many take, and three that only bob has taken."""
    shard = OneShard(length=5, social=Social(**social))
    many = [(f"u{n}", f"i{k}") for n in range(9) for k in range(10)]
    shard.learn(batch_of([*many, ("bob", "x"), ("bob", "y"), ("bob", "z"), ("ann", "i0")]))
    return shard


def follow(shard: OneShard, *names: str) -> None:
    shard.learner.models.social.follows.put(int(shard.slots("ann")[0]), names)


def test_they_get_their_share_of_the_places_and_a_name() -> None:
    shard = shop(share=0.5)
    before = shard.lists("ann", "u1")
    follow(shard, "bob")
    after = shard.lists("ann", "u1")
    assert after["rec:u1"] == before["rec:u1"], "who follows nobody has the same list"
    listed, was = after["rec:ann"], shown(before["rec:ann"])
    assert shown(listed) == [was[0], "z", was[1], "y", was[2]]
    assert listed["items"][1]["why"] == {"model": "social", "followed": "bob"}
    assert listed["items"][0]["why"]["model"] != "social"
    scores = [entry["score"] for entry in listed["items"]]
    assert scores == sorted(scores, reverse=True)


def test_names_of_users_can_be_left_out() -> None:
    shard = shop(name_users=False)
    follow(shard, "bob")
    last = shard.lists("ann")["rec:ann"]["items"][-1]
    assert (last["item"], last["why"]) == ("z", {"model": "social"})


def test_items_of_providers_are_named_even_then() -> None:
    shard = shop(name_users=False)
    c = shard.learner.catalogue
    group = [c.metadata.group([], "acme")]
    c.metadata.put(c.find(["x"]), groups=group, allowed=True, expires=2**62)
    follow(shard, "provider:acme")
    why = shard.lists("ann")["rec:ann"]["items"][-1]["why"]
    assert why == {"model": "social", "followed": "provider:acme"}


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_no_place_and_never_the_first(share: float) -> None:
    shard = shop(share=share)
    before = shown(shard.lists("ann")["rec:ann"])
    follow(shard, "bob")
    after = shown(shard.lists("ann")["rec:ann"])
    assert after[0] == before[0] and (after == before) == (share == 0)


def test_strangers_too_and_the_lists_of_tests_are_as_before() -> None:
    shard = shop()
    slots = shard.slots("new")
    shard.learner.models.social.follows.put(int(slots[0]), ["bob"])
    assert shown(shard.lists("new")["rec:new"])[-1] == "z"
    ((_, _, ranked),) = shard.learner.models.rank(slots, 1)
    assert "z" not in shard.learner.catalogue.names(ranked.items[0].tolist())


def test_each_id_of_a_person_gets_the_names() -> None:
    shard = shop()
    follow(shard, "bob")
    [made] = shard.learner.user_lists(shard.slots("u1", "ann"), 1)
    both = made.under_all({"ann": ["ann@work"]})
    lists = {
        name: msgspec.json.decode(value) for name, value in zip(both.names, both.json, strict=True)
    }
    assert lists["ann@work"]["items"][-1]["why"]["followed"] == "bob"
    assert all("followed" not in entry["why"] for entry in lists["u1"]["items"])


def test_a_profile_says_whom_one_follows_until_it_says_nobody_or_consent_ends() -> None:
    state = handles()
    users = step(state)
    list(users.batch(KEY, pack(batch_of([("bob", "x"), ("bob", "y"), ("cid", "c")]))))
    say(users, "ann", follows=["bob"])
    social, catalogue = users._learner.models.social, users._learner.catalogue
    found = social.found(users._learner.users.find("ann"))
    assert catalogue.names([*found]) == ["y", "x"]
    again = step(state)  # after a restart bob counts from his next event on
    list(again.batch(KEY, pack(batch_of([("bob", "z")]))))
    list(again.batch(KEY, pack(batch_of([("ann", "c")]))))
    slot = again._learner.users.find("ann")
    assert again._learner.models.social.follows.of == {slot: ("bob",)}
    say(again, "ann", follows=None)
    assert again._learner.models.social.follows.of == {}
    say(again, "ann", follows=["bob"])
    no = PersonChange("consent", "ann", 2**41, {"personalise": False})
    list(again.batch(KEY, pack_people([no])))
    assert again._learner.models.social.follows.of == {}
