"""Sums over users of experiments: against a plain twin, and exact over failures."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tests.udfs.builders import NOW
from tests.udfs.fakes import DictState
from tests.udfs.learning.test_attribution_of_shards import (
    ITEMS,
    KEY,
    USERS,
    Shop,
    clicks,
    played,
)
from tests.udfs.persons import handles
from udfs.accounts import Account
from udfs.attributed import tables
from udfs.events.people import PersonChange, pack_people
from udfs.experiments.assignment import Assignment
from udfs.experiments.results import MEASURES
from udfs.experiments.teams import FIRST
from udfs.learning.experiments import Experiments
from udfs.learning.user_shard import Progress
from udfs.options.experiments import Experiment, Variant
from udfs.state.listed import unpack_listed
from udfs.state.taking_part import Part, unpack_parts

HALVES = Experiment(name="half", variants=[Variant(name="a"), Variant(name="b")])
LIKED = Experiment(
    name="liked",
    variants=[Variant(name="a"), Variant(name="b", set={"lists.model": "popular"})],
    interleave=True,
)
SOME = Experiment(name="some", variants=[Variant(name="x"), Variant(name="y")], share=0.5)
made = st.dictionaries(st.sampled_from(MEASURES[3:]), st.integers(1, 3).map(float), min_size=1)
told = st.lists(st.tuples(st.sampled_from("pqrstu"), made, st.booleans()), max_size=30)


@given(told)
def test_sums_are_those_over_users(told: list[tuple[str, dict[str, float], bool]]) -> None:
    account, own = Account(), Experiments(DictState(), [HALVES, SOME])
    own.written(account, dict.fromkeys("pqrstu", NOW))
    own.written(account, dict.fromkeys("pqr", NOW + 5))
    totals: dict[str, dict[str, float]] = {user: {} for user in "pqrstu"}
    for user, measures, first in told:
        own.count(account, user, NOW, measures, first)
        row = totals[user]
        for name, by in (measures | {"lists": float(first)}).items():
            row[name] = row.get(name, 0.0) + by
    wanted: dict[str, float] = {}
    for user, row in totals.items():
        row = row | {"users": float(row.get("lists", 0.0) > 0), "served": 1.0}
        products = {f"{a}*{b}": row.get(a, 0.0) * row.get(b, 0.0) for a, b in PAIRS}
        for experiment, one in own.taken(user).items():
            for name, value in (row | products).items():
                key = f"{experiment}:{one.variant}:{name}"
                wanted[key] = wanted.get(key, 0.0) + value
    assert account.experiments == {name: value for name, value in wanted.items() if value}


PAIRS = [("views", "clicks"), *((one, one) for one in MEASURES[3:])]


def test_lists_of_before_an_experiment_do_not_count() -> None:
    account, rows = Account(), DictState()
    own = Experiments(rows, [HALVES])
    own.count(account, "ann", NOW, {"views": 1.0}, True)
    own.written(account, {"ann": NOW + 10})
    own.count(account, "ann", NOW + 9, {"views": 1.0}, True)
    variant = own.taken("ann")["half"].variant
    assert account.experiments == {f"half:{variant}:served": 1.0}
    own.count(account, "ann", NOW + 10, {"views": 1.0}, True)
    assert unpack_parts(rows.data["ann"]) == {"half": Part(variant, NOW + 10, 1, 1)}


def test_who_has_moved_counts_no_more_and_what_is_over_is_dropped() -> None:
    rows, account = DictState(), Account()
    Experiments(rows, [HALVES]).written(account, {"ann": NOW})
    names = [variant.name for variant in HALVES.variants]
    turned = Experiment(name="half", variants=[Variant(name=name) for name in reversed(names)])
    Experiments(rows, [turned]).count(account, "ann", NOW, {"views": 1.0}, True)
    assert len(account.experiments) == 1
    whole = Experiment(name="new", variants=HALVES.variants)
    Experiments(rows, [whole]).written(account, {"ann": NOW})
    assert [*unpack_parts(rows.data["ann"])] == ["new"]


def test_users_who_are_in_none_are_not_kept() -> None:
    rows, user = DictState(), next(u for u in map(str, range(99)) if Assignment(SOME).of(u) < 0)
    own = Experiments(rows, [SOME])
    own.written(Account(), {user: NOW})
    own.count(Account(), user, NOW, {"views": 1.0}, True)
    assert own.taken(user) == {} and rows.data == {}


def counted(shop: Shop) -> Account:
    total = Account()
    total.add(shop.total)
    data = shop.state.learned.value()
    assert data is not None
    total.add(msgspec.msgpack.decode(data, type=Progress).account)
    return total


def found(shop: Shop) -> dict[str, float]:
    return counted(shop).experiments


def test_sums_are_exact_after_a_failure() -> None:
    """From a checkpoint on, users act on lists of before it; then again, after a restart."""
    options: dict[str, Any] = {"experiments": [HALVES]}
    shop = Shop(handles(), **options)
    shop.hear([line for user in USERS for line in clicks(shop, user, *ITEMS[:3])])
    played(shop, shop.lists, 1)
    lists, checkpoint, before = dict(shop.lists), deepcopy(shop.state), deepcopy(shop.total)
    first = dict(found(shop))
    rest = played(shop, lists, 2)
    after = Shop(checkpoint, shop.now + 10_000, **options)
    after.total = before
    assert found(after) == first
    for line in rest:
        after.hear([line])
    assert found(after) == found(shop) != first
    users = sum(value for name, value in first.items() if name.endswith(":users"))
    assert users == sum(v for k, v in first.items() if k.endswith(":served")) == len(USERS)


def test_without_experiments_nothing_is_kept_and_a_user_is_forgotten() -> None:
    usual = Shop(handles())
    usual.hear([line for user in USERS for line in clicks(usual, user, *ITEMS[:3])])
    played(usual, usual.lists, 1)
    assert found(usual) == {} and usual.state.experiments.data == {}  # type: ignore[attr-defined]
    shop = Shop(handles(), experiments=[HALVES])
    shop.hear([line for user in USERS for line in clicks(shop, user, *ITEMS[:3])])
    rows = shop.state.experiments.data  # type: ignore[attr-defined]
    assert sorted(rows) == USERS
    shop.take(shop.step.batch(KEY, pack_people([PersonChange("forget", "bob", shop.now)])))
    assert sorted(rows) == ["ann", "cid"]


WOVEN = Experiment(name="woven", variants=HALVES.variants, share=0.6, interleave=True)
woven_told = st.lists(
    st.tuples(st.sampled_from("pqrstu"), made, st.booleans(), st.integers(0, 2)), max_size=30
)


@given(woven_told)
def test_what_users_do_with_interleaved_items_counts_for_the_variant_that_put_them_there(
    told: list[tuple[str, dict[str, float], bool, int]],
) -> None:
    account, own = Account(), Experiments(DictState(), [WOVEN, HALVES])
    own.written(account, dict.fromkeys("pqrstu", NOW))
    there = [user for user in "pqrstu" if Assignment(WOVEN).of(user) >= 0]
    done = {user: ({}, {}) for user in there}  # type: dict[str, tuple[dict[str, float], ...]]
    for user, measures, first, team in told:
        own.count(account, user, NOW, measures, first, team)
        for number, row in enumerate(done.get(user, ()), FIRST):
            own_measures = measures if number == team else {}
            for name, by in (own_measures | {"lists": float(first)}).items():
                row[name] = row.get(name, 0.0) + by
    wanted = dict[str, float]()
    for rows in done.values():
        for variant, row in zip("ab", rows, strict=True):
            row |= {"users": float(row.get("lists", 0.0) > 0), "served": 1.0}
            products = {f"{a}*{b}": row.get(a, 0.0) * row.get(b, 0.0) for a, b in PAIRS}
            for name, value in (row | products).items():
                key = f"woven:{variant}:{name}"
                wanted[key] = wanted.get(key, 0.0) + value
        for name in ("clicks", "conversions", "value"):
            key = f"woven:a*b:{name}"
            wanted[key] = wanted.get(key, 0.0) + rows[0].get(name, 0.0) * rows[1].get(name, 0.0)
    found = {name: v for name, v in account.experiments.items() if name.startswith("woven:")}
    assert {name: v for name, v in found.items() if v} == {k: v for k, v in wanted.items() if v}
    for name, one in own.taken("p").items():
        assert one.experiment.name == name.partition(":")[0]


def test_an_interleaved_list_is_kept_with_whose_items_they_are() -> None:
    shop = Shop(handles(), experiments=[LIKED])
    shop.hear([line for user in USERS for line in clicks(shop, user, *ITEMS[:3])])
    played(shop, shop.lists, 1)
    sums, rows = found(shop), shop.state.outcomes.data  # type: ignore[attr-defined]
    assert any(one.teams for data in rows.values() for one in unpack_listed(data))
    views = sum(sums.get(f"liked:{name}:views", 0.0) for name in ("a", "b"))
    places = tables(counted(shop).attribution)["position"].values()
    every = sum(row["views"] for row in places)
    assert 0 < views < every
    assert sums["liked:a:users"] == sums["liked:b:users"] == len(USERS)
    assert sums["liked:a:lists"] == sums["liked:b:lists"] > 0
