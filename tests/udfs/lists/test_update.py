"""Lists as values: a store sees the same as in the JSON."""

from __future__ import annotations

from collections import Counter

import msgspec
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.udfs.builders import NOW, OneShard, batch_of
from udfs.lists.keys import ITEM, POPULAR, USER
from udfs.lists.lists_json import ListsJson
from udfs.lists.update import ListUpdates
from udfs.memory.catalogue import Catalogue
from udfs.models.popular.source import NEAR_TOP
from udfs.models.ranked import Lists
from udfs.options.learning import Lists as ListOptions


def test_each_list_equals_its_json() -> None:
    shard = OneShard(factors=True, minimum_events=2)
    pairs = [("ann", "a"), ("ann", "b"), ("bob", "a"), ("bob", "c"), ("eve", "c"), ("ü", 'd"')]
    shard.learn(batch_of(pairs))
    made = shard.learner.user_lists(shard.slots("ann", "bob", "eve", "ü"), NOW)
    made += shard.learner.shared.updates(NOW, everything=True)
    met = set()
    taken = {"ann": ["a", "b"], "bob": ["a", "c"], "eve": ["c"], "ü": ['d"']}
    for some in made:
        assert len(list(some)) == len(some) == len(some.json)
        for update in some:
            value = msgspec.json.decode(update.json)
            assert (update.id, update.source, update.at_ms) == (value["id"], value["source"], NOW)
            if update.kind.owner:
                assert value[update.kind.owner] == update.name
            entries = value["items"]
            assert [entry["item"] for entry in entries] == update.items
            assert np.allclose([entry["score"] for entry in entries], update.scores, atol=1e-4)
            assert [entry["why"]["model"] for entry in entries] == update.models
            assert [entry["why"].get("because", []) for entry in entries] == update.reasons
            met.add(update.kind.of(update.name))
            assert value.get("consumed", []) == [*reversed(taken.get(update.name, []))]
    users, items = ["ann", "bob", "eve", "ü"], ["a", "b", "c", 'd"']
    shared = ["popular", "trending"]
    assert met == {*map(USER.of, users), *map(ITEM.of, items), *shared}


def test_users_have_factors_whatever_made_their_list() -> None:
    shard = OneShard(factors=True, minimum_events=2)
    shard.learn(batch_of([("ann", "a"), ("bob", "b"), ("ann", "c"), ("eve", "b")]))
    slots = shard.slots("bob", "ann", "eve")
    wanted = dict(zip(["bob", "ann", "eve"], shard.learner.models.vectors(slots), strict=True))
    made = shard.learner.user_lists(slots, NOW)
    assert [some.source for some in made] == ["ranker", "popular"]
    for some in made:
        assert some.factors is not None
        for name, vector in zip(some.names, some.factors, strict=True):
            assert np.array_equal(vector, wanted[name])


def test_json_is_made_once_and_only_when_needed() -> None:
    calls = []

    class Counted(ListsJson):
        def write(self, *given: object) -> list[bytes]:
            calls.append(given)
            return [b"{}"]

    none = np.full((1, 0), -1)
    lists = Lists(none.astype(np.int32), none.astype(np.float32), none.astype(np.int8))
    some = ListUpdates(POPULAR, [""], "popular", NOW, lists, Catalogue(2, 1, 9), Counted())
    assert calls == []
    assert some.json is some.json
    assert [update.json for update in some] == some.json
    assert len(calls) == 1


@given(st.lists(st.tuples(st.sampled_from("pqr"), st.sampled_from("abcdefgh")), min_size=1))
def test_a_list_names_the_popular_items_that_its_user_has_consumed(
    pairs: list[tuple[str, str]],
) -> None:
    # Of which twice as many are popular; with one half-life, so that only counts decide.
    shard = OneShard(lists=ListOptions(length=2), popularity_half_life_s=86_400.0)
    shard.learn(batch_of(pairs))
    shard.learner.models.forget_popular()
    users = sorted({user for user, _ in pairs})
    made = shard.learner.user_lists(shard.slots(*users), NOW)
    shard.learner.models.forget_popular()
    counts = Counter(item for _, item in pairs)
    first = {item: pairs.index(next(p for p in pairs if p[1] == item)) for item in counts}
    popular = sorted(counts, key=lambda item: (-counts[item], first[item]))[: NEAR_TOP * 2]
    for update in (update for some in made for update in some):
        had = [item for user, item in pairs if user == update.name]
        expected = [item for item in reversed(dict.fromkeys(had)) if item in popular]
        assert msgspec.json.decode(update.json).get("consumed", []) == expected


def test_items_newer_than_the_order_are_named_as_consumed() -> None:
    """They may be popular before the user's next list: `/popular?user=` would show them."""
    shard = OneShard(lists=ListOptions(length=2))
    shard.learn(batch_of([("p", "a")]))
    shard.learner.user_lists(shard.slots("p"), NOW)
    shard.learn(batch_of([("p", "b"), ("p", "c")]))
    [made] = shard.learner.user_lists(shard.slots("p"), NOW)
    [update] = made
    assert msgspec.json.decode(update.json)["consumed"] == ["c", "b", "a"]


def test_a_list_under_more_names_is_the_same_with_another_owner() -> None:
    shard, also = OneShard(factors=True), {"ann": ["anon-1", "anon-2"]}
    shard.learn(batch_of([("ann", "a"), ("bob", "b"), ("ann", "c"), ("eve", "b")]))
    [some] = shard.learner.user_lists(shard.slots("bob", "ann", "eve"), NOW)
    assert some.under_all({}) is some
    more = some.under_all(also)
    assert more.names == [n for name in some.names for n in (name, *also.get(name, ()))]
    found = dict(zip(more.names, map(msgspec.json.decode, more.json), strict=True))
    assert all(value.pop("user") == name for name, value in found.items())
    assert found["ann"] == found["anon-1"] == found["anon-2"] != found["bob"]
    assert len(list(more)) == 5 and more.factors is not None and len(more.factors) == 5
