"""Several ids of one person, whatever arrives first: the identity operator with user learners."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.udfs.builders import NOW, shown
from tests.udfs.persons import Town, key_of, linked, parted
from udfs.events.batch import item_key, user_shard
from udfs.events.people import CONSENT, EXPORT, FORGET, PROFILE, WHY, PersonChange
from udfs.lists.keys import KNOWN, RECEIPT, digest
from udfs.lists.keys import WHY as ANSWER
from udfs.state.item_records import unpack_record

IDS = "abcde"
Line = tuple[Any, ...]


def persons(lines: list[Line]) -> dict[str, frozenset[str]]:
    """The person of each id, by a plain union-find over the links that stand."""
    last = {
        id_: max([t for kind, one, _, t in lines if kind == "part" and one == id_] or [-1])
        for id_ in IDS
    }
    parent = {id_: id_ for id_ in IDS}

    def root(id_: str) -> str:
        while parent[id_] != id_:
            id_ = parent[id_]
        return id_

    for kind, one, other, t in lines:
        if kind == "link" and t > max(last[one], last[other]):
            parent[root(one)] = root(other)
    return {id_: frozenset(o for o in IDS if root(o) == root(id_)) for id_ in IDS}


def history(lines: list[Line], person: frozenset[str]) -> list[tuple[int, bool]]:
    """What a person had, if all its events were of one id."""
    liked: dict[str, bool] = {}
    for kind, one, item, weight in lines:
        if kind == "did" and one in person and (item not in liked or weight):
            liked[item] = weight > 0
    return [(item_key(item), well) for item, well in liked.items()]


ids = st.sampled_from(IDS)
did = st.tuples(st.just("did"), ids, st.sampled_from("uvwxyz"), st.sampled_from([1.0, -1.0, 0.0]))
link = st.tuples(st.just("link"), ids, ids, st.integers(0, 9))
part = st.tuples(st.just("part"), ids, st.just(""), st.integers(0, 9))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(did, did, link, link, part), max_size=24), st.integers(0, 24))
def test_in_any_order_persons_are_those_of_a_union_find_and_histories_those_of_a_replay(
    lines: list[Line], restart: int
) -> None:
    town = Town()
    for number, (kind, one, other, value) in enumerate(lines):
        if number == restart:
            town.start()
        if kind == "did":
            town.did((one, other), weight=value)
        else:
            town.said(
                linked(one, other, NOW + value) if kind == "link" else parted(one, NOW + value)
            )
    wanted = persons(lines)
    for id_ in IDS:
        person = wanted[id_]
        places = {town.place(other) for other in person}
        assert len(places) == 1, "an id has another place than the rest of its person"
        place = places.pop()
        assert place in person
        assert town.history(place) == history(lines, person)
        assert town.events(place) == sum(k == "did" and o in person for k, o, *_ in lines)
        if id_ != place:
            assert town.history(id_) == []
        lists = {tuple(town.shown(other)) for other in person if f"rec:{other}" in town.lists}
        if town.events(place):
            assert {f"rec:{other}" for other in person} <= town.lists.keys()
            assert len(lists) == 1
    counted = town.counted()
    assert counted.learned == sum(kind == "did" for kind, *_ in lines)
    assert counted.described == sum(kind != "did" for kind, *_ in lines)


def test_links_and_events_in_one_batch_and_links_before_the_first_event() -> None:
    town = Town()
    town.said(linked("anon", "ann", NOW), linked("anon", "ann", NOW), linked("ann", "anon", NOW))
    town.did(("anon", "x"), ("ann", "y"), ("bob", "z"))
    assert town.history(town.place("ann")) == [(key, True) for key in key_of("xy")]
    assert town.shown("ann") == town.shown("anon")


def test_a_log_in_after_anonymous_clicks_gives_the_list_of_one_id_with_all_of_them() -> None:
    clicks = [("anon", f"i{n % 17}") for n in range(20)]
    others = [(f"u{n % 9}", f"i{n * 7 % 23}") for n in range(200)]
    one, two = (Town(strict=True) for _ in range(2))
    for town in (one, two):
        town.did(*others)
        town.did(*clicks)
    one.said(linked("anon", "ann", NOW))
    two.did(("anon", "i20"))
    one.did(("ann", "i20"))
    mine, theirs = one.lists["rec:ann"], two.lists["rec:anon"]
    assert mine["items"] == theirs["items"] and len(mine["items"]) == 5
    assert one.lists["rec:anon"]["items"] == mine["items"]
    assert (mine["user"], one.lists["rec:anon"]["user"]) == ("ann", "anon")


def test_what_an_id_said_is_said_by_the_person_and_follows_add_up() -> None:
    town = Town()
    town.said(
        PersonChange(PROFILE, "anon", NOW, {"country": "DE", "follows": ["bob"]}),
        PersonChange(PROFILE, "ann", NOW + 1, {"country": "FR", "follows": ["cid"]}),
        linked("anon", "ann", NOW + 2),
    )
    town.said(PersonChange(PROFILE, "anon", NOW + 3, {"attributes": {"job": "cook"}}))
    place = town.place("anon")
    stored = [state.people.get(place) for state in town.user_states]
    record = next(msgspec.msgpack.decode(one)[1] for one in stored if one)
    assert record["country"] == [NOW + 1, "FR"]
    assert record["follows"] == [NOW + 1, ["bob", "cid"]]
    assert record["attributes.job"] == [NOW + 3, "cook"]
    assert sum(one is not None for state in town.user_states for one in [*state.people.data]) == 1


def test_an_event_that_comes_twice_is_one_whatever_ids_it_came_by() -> None:
    town = Town()
    town.did(("anon", "x"), ("ann", "y"), ids=["1", "2"])
    town.said(linked("anon", "ann", NOW))
    town.did(("anon", "x"), ("ann", "y"), ("ann", "z"), ("ann", "x"), ids=["1", "2", "3", "1"])
    assert town.account.duplicates == 3
    assert town.events(town.place("ann")) == 3


@pytest.mark.parametrize("more", [(), (("cid", "z"),)])
def test_of_an_id_with_nothing_but_duplicates_nothing_is_kept(more: tuple[Any, ...]) -> None:
    town = Town(deduplicate_s=60)
    town.did(("ann", "x"), ids=["e-1"])
    town.did(("bob", "x"), *more, ids=["e-1", *[""] * len(more)])
    assert town.account.duplicates == 1
    known = town.identity._ids
    assert known is not None
    assert {*known._cached} == {"ann", *(user for user, _ in more)}


def test_a_person_is_forgotten_with_all_ids_and_late_events_are_refused() -> None:
    town = Town()
    town.did(*[("anon-9", f"i{n}") for n in range(40)], ("alice-1", "y"), ts=NOW - 50)
    town.did(("alice-1", "z"), ts=NOW - 45, ids=["alice-1/7"])
    town.said(linked("anon-9", "alice-1", NOW - 40))
    assert {"rec:anon-9", "rec:alice-1"} <= town.lists.keys()
    town.said(PersonChange(FORGET, "alice-1", NOW))
    rows = [*town.state, *(part for state in town.user_states for part in state)]
    everything = repr([part.data for part in rows])
    assert "anon-9" not in everything and "alice-1" not in everything
    assert not town.lists.keys() & {"rec:anon-9", "rec:alice-1"}
    assert {RECEIPT + digest(name) for name in ("anon-9", "alice-1")} <= town.answers.keys()
    town.did(("alice-1", "z"), ("anon-9", "z"), ts=NOW - 1)
    assert not {"alice-1", "anon-9"} & town.state.ids.data.keys()
    town.said(linked("alice-1", "anon-9", NOW - 1))
    assert town.place("alice-1") == "alice-1" and town.place("anon-9") == "anon-9"
    town.did(("alice-1", "w"), ts=NOW + 1)
    assert town.state.ids.get("alice-1") is not None
    counted = town.counted()
    assert (counted.described, counted.refused, counted.learned) == (3, 2, 43)


def test_what_is_known_is_told_of_the_person_to_each_id() -> None:
    town = Town()
    town.did(("anon", "x"), ("ann", "y"), ("ann", "z"))
    town.said(linked("anon", "ann", NOW), PersonChange(EXPORT, "anon", NOW + 1))
    found = town.answers[KNOWN + digest("anon")]
    assert (found["user"], found["events"], len(found["history"])) == ("anon", 3, 3)
    assert sorted(one["id"] for one in found["ids"]) == ["ann", "anon"]
    assert town.counted().described == 2


def test_why_is_answered_of_the_person_to_the_id_that_asks() -> None:
    town = Town(shards=1)
    town.did(("anon", "x"), ("ann", "y"), ("ann", "z"), ("bob", "w"))
    asked = PersonChange(WHY, "anon", NOW + 1, {"item": "w"})
    town.said(linked("anon", "ann", NOW), asked)
    found = town.answers[ANSWER + digest("anon")]
    assert (found["user"], found["list"]["place"]) == ("anon", 1)
    assert sorted(one["item"] for one in found["events"]) == ["x", "y", "z"]
    assert town.counted().described == 2


def test_a_parted_id_without_events_has_no_list_of_the_person_any_more() -> None:
    town = Town()
    town.did(("ann", "x"), ("bob", "y"), ("bob", "x"))
    town.said(linked("phone", "ann", NOW))
    assert "rec:phone" in town.lists
    town.said(parted("phone", NOW + 1))
    assert "rec:phone" not in town.lists and "rec:ann" in town.lists


def test_of_a_person_who_wants_nothing_learned_no_events_are_remembered() -> None:
    town = Town()
    town.did(*[("anon", f"i{n}") for n in range(40)], ("ann", "y"))
    town.said(linked("anon", "ann", NOW))
    town.said(PersonChange(CONSENT, "ann", NOW + 1, {"personalise": False}))
    town.did(("anon", "z"))
    assert not town.state.pages.data
    assert len(town.identity._ids.events(["ann", "anon"])[0]) == 0
    town.said(PersonChange(CONSENT, "anon", NOW + 2, {"personalise": True}))
    town.now += 10
    town.did(("ann", "z"))
    assert len(town.identity._ids.events(["ann", "anon"])[0]) == 1


def test_who_is_idle_leaves_with_all_ids_and_not_before() -> None:
    town = Town(user_expiry_days=1)
    day = 86_400_000
    town.did(("anon", "x"), ("ann", "y"), ("bob", "z"))
    town.said(linked("anon", "ann", NOW))
    for _ in range(12):
        town.later(day // 4)
        town.did(("ann", "y"))
    assert town.state.ids.get("bob") is None
    assert town.state.ids.get("anon") is not None, "the person is not idle"
    town.did(("cid", "x"))
    for _ in range(12):
        town.later(day // 4)
    assert not town.state.ids.data.keys() - {"cid"}
    assert all("ann" not in state.joined.data for state in town.user_states)
    assert all("anon" not in state.users.data for state in town.user_states)


def test_what_is_older_than_what_is_remembered_stays_in_the_history_of_the_place() -> None:
    town = Town(keep=32)
    items = [f"i{n}" for n in range(150)]
    town.did(*[("anon", item) for item in items])
    town.did(("ann", "x"))
    town.said(linked("anon", "ann", NOW))
    assert town.place("ann") == "anon"
    assert [key for key, _ in town.history("anon")] == key_of([*items, "x"])
    assert len(town.state.pages.data) <= 2
    town.said(parted("ann", NOW + 1))
    assert [key for key, _ in town.history("anon")] == key_of(items)
    assert [key for key, _ in town.history("ann")] == key_of(["x"])


def test_beyond_the_most_ids_the_one_seen_longest_ago_is_parted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("udfs.learning.persons.MOST", 5)
    town = Town()
    for n in range(8):
        town.now += 10
        town.did((f"anon-{n}", f"i{n}"))
        town.said(linked(f"anon-{n}", "ann", town.now))
    person = {n for n in range(8) if town.place(f"anon-{n}") == town.place("ann")}
    assert len(person) == 4 and {5, 6, 7} < person
    assert [key for key, _ in town.history(town.place("ann"))] == key_of(
        f"i{n}" for n in sorted(person)
    )


def test_lists_are_written_once_more_where_another_subtask_may_have_been_later() -> None:
    town = Town()
    town.did(("anon", "x"), ("ann", "y"), ("bob", "z"), ("bob", "x"), ("bob", "v"))
    town.said(linked("anon", "ann", NOW))
    town.lists.clear()
    town.later(2_000)
    assert {"rec:anon", "rec:ann"} <= town.lists.keys()
    assert shown(town.lists["rec:ann"]) == shown(town.lists["rec:anon"])


def test_a_wish_to_be_forgotten_that_comes_twice_takes_nothing_that_is_newer() -> None:
    town = Town()
    town.did(("ann", "x"), ("anon", "y"))
    town.said(linked("anon", "ann", NOW))
    wish = PersonChange(FORGET, "ann", NOW + 5)
    town.said(wish)
    town.now += 10
    town.did(*[("ann", f"i{n}") for n in range(7)])
    town.said(linked("phone", "ann", NOW + 11))
    town.said(wish)
    assert town.place("phone") == "ann" and town.events("ann") == 7
    assert len(town.identity._ids.events(["ann"])[0]) == 7
    assert "rec:phone" in town.lists


def test_who_wants_nothing_learned_and_is_forgotten_leaves_nothing_for_others() -> None:
    town = Town(user_expiry_days=1)
    town.did(*[("bob", f"i{n}") for n in range(6)], ("ann", "x"))
    town.said(PersonChange(CONSENT, "ann", NOW + 1, {"personalise": False}))
    town.said(PersonChange(FORGET, "ann", NOW + 2))
    town.now += 10
    town.did(*[("ann", f"z{n}") for n in range(4)])
    assert len(town.identity._ids.events(["ann"])[0]) == 0
    town.later(3 * 86_400_000)
    town.did(*[("ann", f"z{n}") for n in range(4)])
    assert len(town.identity._ids.events(["ann"])[0]) == 0
    town.said(PersonChange(CONSENT, "ann", town.now + 1, {"personalise": True}))
    town.now += 10
    town.did(("ann", "w"))
    assert len(town.identity._ids.events(["ann"])[0]) == 1 and town.events("ann") == 1


def test_a_profile_of_who_wants_nothing_learned_is_not_kept() -> None:
    town = Town()
    town.did(("ann", "x"), ("bob", "y"), ("bob", "z"))
    town.said(PersonChange(PROFILE, "ann", NOW, {"country": "DE"}))
    town.said(PersonChange(CONSENT, "ann", NOW + 1, {"personalise": False}))
    town.said(PersonChange(PROFILE, "ann", NOW + 2, {"likes": ["secret"]}))
    assert b"secret" not in (town.state.ids.get("ann") or b"")
    assert b"country" not in (town.state.ids.get("ann") or b"")
    town.said(PersonChange(CONSENT, "ann", NOW + 3, {"personalise": True}))
    town.said(PersonChange(PROFILE, "ann", NOW + 4, {"language": "de"}), linked("ann", "bob", NOW))
    shard = town.user_states[user_shard(town.place("bob"), town.shards)]
    record = unpack_record(shard.people.get(town.place("bob")), "x")
    assert {*record} == {"language", "personalise"}


def test_a_parted_id_takes_what_it_said_out_of_lists_too() -> None:
    town = Town(shards=1)
    town.did(("ann", "x"), ("ann", "y"), ("anon", "x"))
    town.said(PersonChange(PROFILE, "anon", NOW, {"likes": ["secret"]}), linked("anon", "ann", NOW))
    models, users = town.learners[0].models, town.learners[0].users
    assert models.segments.profiles.likes[users.find("ann")] == ("secret",)
    town.said(parted("anon", NOW + 1))
    assert users.find("ann") not in models.segments.profiles.likes


def test_who_is_forgotten_is_not_waited_for() -> None:
    town = Town(shards=1)
    town.did(("ann", "x"), ("anon", "y"))
    town.said(linked("anon", "ann", NOW), parted("anon", NOW + 1))
    assert {*town.steps[0]._shards[7].again} == {"ann", "anon"}
    town.said(PersonChange(FORGET, "ann", NOW + 2))
    assert {*town.steps[0]._shards[7].again} == {"anon"}
