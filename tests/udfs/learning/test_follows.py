"""Whoever is forgotten leaves what others follow, and does not come back with older lines."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.udfs.builders import NOW
from tests.udfs.learning.test_rights_step import ANN, held, places
from tests.udfs.learning.test_user_step import KEY, handles, step, written
from tests.udfs.persons import Town, linked
from udfs.events.batch import user_shard
from udfs.events.people import CONSENT, FORGET, GONE, PROFILE, PersonChange, pack_people
from udfs.events.searches import Search, pack_searches
from udfs.learning.effects import Erase, Wake, Write
from udfs.learning.follows import naming, without
from udfs.state.item_records import fields_of, merged, pack_record

users = st.sampled_from(["ann", "bob", "cid"])
names = st.sampled_from(["ann", "bob", "author:ann", "provider:ann", "author:bob", "category:ann"])
told = st.lists(
    st.tuples(st.integers(1, 9), st.none() | st.lists(names, min_size=1, max_size=3)), max_size=5
)
gone = st.dictionaries(users, st.integers(1, 9), max_size=2)


def user_of(name: str) -> str:
    kind, _, user = name.rpartition(":")
    return user if kind in ("", "author", "provider") else ""


@given(told, gone)
def test_what_was_said_until_then_names_nobody_who_is_gone(
    lines: list[tuple[int, list[str] | None]], gone: dict[str, int]
) -> None:
    record = merged({}, 1, {"country": "DE"})
    for ts, follows in lines:
        record = merged(record, ts, {"follows": follows})
    said, before = record.get("follows", (0, None))
    found = without(record, gone)
    until = {name: gone.get(user_of(name), 0) for name in before or ()}
    out = {name for name, ts in until.items() if ts >= said}
    assert (found is None) == (not out)
    after = record if found is None else found
    left = [name for name in before or () if name not in out]
    assert fields_of(after) == {"country": "DE"} | ({"follows": left} if left else {})
    if found is not None:  # older lines, read again
        for ts, follows in lines:
            if ts < max(until[name] for name in out):
                found = merged(found, ts, {"follows": follows})
        assert fields_of(found) == fields_of(after)


def test_rows_are_found_by_any_of_the_ids() -> None:
    rows = handles().people
    rows.put_all({user: pack_record({"follows": (1, [name])}) for user, name in ("ab", "bé", "cd")})
    assert [key for key, _ in naming(rows, {"é": 1, "b": 1})] == ["a", "b"]


def follow(user: str, *follows: str, ts: int = NOW) -> PersonChange:
    return PersonChange(PROFILE, user, ts, {"follows": [*follows]})


def test_followers_in_every_shard_forget_the_name_and_get_new_lists() -> None:
    state = handles()
    users = step(state)
    spelt = ANN, f"author:{ANN}", f"provider:{ANN}", "cid"
    list(users.batch(KEY, pack_people([follow("bob", *spelt), follow("cid", "bob")])))
    assert ANN.encode() in held(state) and "Follows.of" in places(users, ANN)
    account = users._shards[KEY].account
    before = account.described
    effects = list(users.batch(KEY, pack_people([PersonChange(GONE, ANN, NOW + 5)])))
    assert ANN.encode() not in held(state) and places(users, ANN) == set()
    assert account.described == before and not [e for e in effects if isinstance(e, Erase)]
    assert {*users._shards[KEY].due} == {"bob"}, "whose list may name her is written anew"
    [due] = [effect.at_ms for effect in effects if isinstance(effect, Wake)][:1]
    [lists] = [effect for effect in users.timer(KEY, due) if isinstance(effect, Write)]
    assert written(lists) == {"rec:bob"}
    list(users.batch(KEY, pack_people([follow("bob", ANN)])))  # an old line, once more
    assert ANN.encode() not in held(state)
    list(users.batch(KEY, pack_people([follow("bob", ANN, ts=NOW + 6)])))
    assert ANN.encode() in held(state), "she may come back, and be followed"


def test_of_several_ids_of_one_person_none_is_followed_any_more() -> None:
    town = Town(shards=2)
    user = next(f"u{n}" for n in range(99) if user_shard(f"u{n}", 2) != user_shard("ann", 2))
    town.did(("ann", "x"), ("anon", "y"), (user, "z"))
    town.said(linked("anon", "ann", NOW), follow(user, "ann", "author:anon", "provider:ann", "cid"))
    assert len(town.learners[user_shard(user, 2)].models.social.follows.of) == 1
    described = town.counted().described
    town.said(PersonChange(FORGET, "ann", NOW + 1), PersonChange(GONE, "ann", NOW + 1))
    assert town.counted().described == described + 1
    follows = town.learners[user_shard(user, 2)].models.social.follows.of
    assert list(follows.values()) == [("cid",)]
    kept = [dict(rows.items()) for rows in (town.state.ids, *(s.people for s in town.user_states))]
    assert "cid" in repr(kept) and "'ann'" not in repr(kept) and "anon" not in repr(kept)
    assert b"ann" not in b"".join(value for rows in kept for value in rows.values())


def test_who_only_searched_is_erased_too_where_ids_are_persons() -> None:
    town = Town(shards=2)
    erased: list[str] = []
    take = town.take

    def taken(shard: int, effects: object) -> None:
        found = list(effects)  # type: ignore[call-overload]
        erased.extend(n for one in found if isinstance(one, Erase) for n in one.users)
        take(shard, found)

    town.take = taken  # type: ignore[method-assign]
    town.hear(pack_searches([Search("ann", "tea", NOW)]))
    assert "rec:ann" in town.lists
    town.said(PersonChange(FORGET, "ann", NOW + 1))
    assert erased == ["ann"] and "rec:ann" not in town.lists
    assert not np.any([state.noted.get("search:ann") for state in town.user_states])


def test_forgetting_many_reads_all_ids_once_and_none_if_nobody_follows() -> None:
    town = Town(shards=2)
    town.did(*((f"u{n}", "x") for n in range(9)))
    read: list[int] = []
    rows, items = town.state.ids, town.state.ids.items
    rows.items = lambda: (read.append(1), items())[1]  # type: ignore[method-assign]
    asked = [PersonChange(FORGET, f"u{n}", NOW + 1) for n in range(5)]
    town.said(*asked[:2])
    town.said(*asked[2:4])
    assert len(read) == 1, "to know, once after the start, whether any follows anybody"
    town.said(follow("u8", "u1", "author:u4", "u5"))
    town.said(*(PersonChange(FORGET, f"u{n}", NOW + 2) for n in range(5)))
    assert len(read) == 2
    assert b"u1" not in rows.get("u8") and b"u4" not in rows.get("u8") and b"u5" in rows.get("u8")
    town.start()
    town.said(PersonChange(FORGET, "u5", NOW + 3))
    assert b"u5" not in rows.get("u8"), "after a restart, too"


def test_what_a_person_says_next_does_not_bring_back_who_was_forgotten_just_before() -> None:
    town = Town(shards=1)
    town.did(("ann", "x"), ("bob", "y"), ("bob-phone", "z"))
    town.said(linked("bob", "bob-phone", NOW), follow("bob", "ann", "cid"))
    town.said(PersonChange(FORGET, "ann", NOW + 1), follow("bob-phone", "dan", ts=NOW + 2))
    assert [*map(sorted, town.learners[0].models.social.follows.of.values())] == [["cid", "dan"]]


def test_whoever_opts_out_is_not_followed_any_more_under_any_id() -> None:
    town = Town(shards=2)
    town.did(("ann", "x"), ("anon", "y"), ("bob", "z"))
    town.said(linked("anon", "ann", NOW), follow("bob", "ann", "author:anon", "cid"))
    town.said(PersonChange(CONSENT, "ann", NOW + 2, {"personalise": True}))
    step = town.learners[user_shard("bob", 2)]
    assert list(step.models.social.follows.of.values()) == [("ann", "author:anon", "cid")]
    town.said(PersonChange(CONSENT, "ann", NOW + 1, {"personalise": False}))  # late
    assert list(step.models.social.follows.of.values()) == [("ann", "author:anon", "cid")]
    town.said(PersonChange(CONSENT, "anon", NOW + 3, {"personalise": False}))
    assert list(step.models.social.follows.of.values()) == [("cid",)]
    assert b"ann" not in town.state.ids.get("bob")
