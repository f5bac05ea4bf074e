"""Each user gets the lists of the user's variants, as a job with these options would make them."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from tests.udfs.builders import NOW, OneShard, batch_of
from tests.udfs.ranking.steps.test_rerank import taught
from udfs.experiments.assignment import Assignment
from udfs.experiments.teams import FIRST, SECOND
from udfs.learning.learner import Learner
from udfs.models.settings import Settings
from udfs.models.varied import varied
from udfs.options.experiments import Experiment, Variant
from udfs.options.rules import Rule
from udfs.ranking.trace import Tracer

USERS, ITEMS = [f"u{n}" for n in range(40)], [f"i{n}" for n in range(30)]
EVENTS = [(user, ITEMS[(7 * n + 3 * k * k) % 30]) for k in range(4) for n, user in enumerate(USERS)]
CHANGES: list[dict[str, Any]] = [
    {"lists.model": "popular"},
    {"lists.model": "item-cf"},
    {"rerank.debias": 1.0},
]


def experiment(changes: dict[str, Any], share: float = 1.0) -> Experiment:
    return named("test", changes, share)


def named(name: str, changes: dict[str, Any], share: float = 1.0) -> Experiment:
    variants = [Variant(name="now"), Variant(name="new", set=changes)]
    return Experiment(name=name, variants=variants, share=share)


def shard(**options: Any) -> OneShard:
    made = OneShard(**options)
    made.learn(batch_of(EVENTS))
    return made


def lists(of: OneShard, users: list[str]) -> dict[str, Any]:
    return {key: value["items"] for key, value in of.lists(*users).items()}


@pytest.mark.parametrize("changes", CHANGES, ids=str)
def test_lists_are_those_of_a_job_with_the_options_of_the_variant(changes: dict[str, Any]) -> None:
    one = experiment(changes)
    mixed = shard(experiments=[one, LONGER])
    apart: list[dict[str, Any]] = []
    for variant in one.variants:
        # The same number of candidates are ranked for both.
        settings = varied(Settings(), variant.set)
        wanted = {"rerank": settings.rerank, "served": settings.lists.model}
        twin = shard(**wanted, experiments=[LONGER])
        apart.append(lists(twin, USERS))
    of, found = Assignment(one).of, lists(mixed, USERS)
    assert {of(user) for user in USERS} == {0, 1}
    assert apart[0] != apart[1]
    for user in USERS:
        assert found[f"rec:{user}"] == apart[of(user)][f"rec:{user}"]


def inert(one: Experiment) -> Experiment:
    """The same for nobody."""
    return Experiment(name="nobody", variants=one.variants, share=1e-18)


LONGER = inert(experiment({"rerank.debias": 1.0}))
"""Lists are chosen from as many candidates as where some are re-ranked."""


def test_lists_of_few_users_are_those_of_many() -> None:
    made = shard(experiments=[experiment({"lists.model": "popular"})])
    together = lists(made, USERS)
    alone = {key: value for user in USERS for key, value in lists(made, [user]).items()}
    assert together == alone


def test_without_experiments_nothing_is_another() -> None:
    usual, nobody = shard(), shard(experiments=[inert(experiment({"lists.model": "popular"}))])
    assert lists(usual, USERS) == lists(nobody, USERS)
    for name, value in usual.rows.data.items():
        assert nobody.rows.data[name] == value
    ways = usual.learner.models.ways
    assert ways.all == [ways.usual] and ways.usual.steps is usual.learner.models.steps


def test_lists_have_their_length_and_users_keep_their_order() -> None:
    made = shard(experiments=[experiment({"rerank.debias": 0.5}, 0.5)])
    assert {len(items) for items in lists(made, USERS).values()} == {5}
    models = made.learner.models
    groups = models.ways.groups(USERS)
    assert sorted(np.concatenate([rows for _, rows in groups]).tolist()) == [*range(40)]
    for way, rows in groups:
        assert all(models.ways.of(USERS[row]) == way for row in rows)
    assert made.learner.user_lists(made.slots(*USERS[:3]), NOW)


RANDOM = random.Random(5)
SETS = [
    [],
    [experiment({"lists.model": "popular"})],
    [experiment({"rerank.debias": 1.0})],
    [experiment({"rerank.debias": 1.0}, 0.5), named("other", {"lists.model": "item-cf"})],
    [LONGER],
]


def serve(of: OneShard, number: int) -> bool:
    """Serve other experiments, as a step of a shard does; with another look at what is popular."""
    models = of.learner.models
    changed = models.ways.serve(SETS[number])
    models.forget_popular()
    return changed


@pytest.mark.parametrize("order", [RANDOM.choices(range(5), k=8) for _ in range(4)], ids=str)
def test_after_any_changes_lists_are_those_of_the_last_experiments(order: list[int]) -> None:
    made, twins, before = shard(), dict[int, OneShard](), 0
    for number in order:
        if number not in twins:
            twins[number] = shard()  # with more candidates, the ranker would learn otherwise
            serve(twins[number], number)
        assert serve(made, number) == (SETS[number] != SETS[before])
        before, wanted = number, lists(twins[number], USERS)
        assert lists(made, USERS) == wanted
        assert lists(made, USERS[:2]) == {
            f"rec:{user}": wanted[f"rec:{user}"] for user in USERS[:2]
        }
    assert len({str(lists(twin, USERS)) for twin in twins.values()}) >= len(twins) - 1


def test_where_rules_are_turned_off_a_rule_that_holds_does_not() -> None:
    pin = [Rule(when='item == "i7"', pin=1), Rule(when='item == "i9"', exclude=True)]
    one = experiment({"rules": False})
    mixed, without = taught(rules=pin, experiments=[one]), taught(rules=pin[1:])
    users = [f"u{n}" for n in range(9)]
    of, found = Assignment(one).of, lists(mixed, users)
    assert {of(user) for user in users} == {0, 1}
    longer = taught(rules=pin[1:], experiments=[inert(experiment({"rerank.debias": 1.0}))])
    for user in users:
        items = [entry["item"] for entry in found[f"rec:{user}"]]
        assert "i9" not in items
        if of(user) == 0:
            assert items[0] == "i7" or "i7" not in items, "it is taken, or first"
        else:
            assert found[f"rec:{user}"] == lists(longer, users)[f"rec:{user}"]
    assert any(found[f"rec:{u}"][0]["item"] == "i7" for u in users if of(u) == 0)
    assert lists(without, users) != found


def test_variants_that_set_the_same_share_a_way() -> None:
    sets: list[dict[str, Any]] = [{}, {}, {"rerank.debias": 0.5}, {"rerank.debias": 0.5}]
    variants = [Variant(name=f"v{n}", set=one) for n, one in enumerate(sets)]
    one = Experiment(name="four", variants=variants)
    ways = shard(experiments=[one]).learner.models.ways
    assert len(ways.all) == 2 and len({id(ways.of(user)) for user in USERS}) == 2


def test_where_a_line_may_start_it_re_ranking_is_compiled_too() -> None:
    off, on = shard().learner.models.ways, shard(attribution_days=7.0).learner.models.ways
    one, both = on.possible()
    assert off.possible() == [] and one.rival is None and both.rival == one
    assert on.all == [on.usual] and on.experiments == []


def test_all_ways_are_compiled_before_the_first_event() -> None:
    made = Learner(shard(experiments=[experiment({"rerank.debias": 1.0})]).learner.settings)
    made.compile()
    assert len(made.models.ways.all) == 2


def woven(changes: dict[str, Any], share: float = 1.0) -> Experiment:
    return Experiment(
        name="woven", variants=experiment(changes).variants, share=share, interleave=True
    )


@pytest.mark.parametrize("changes", CHANGES, ids=str)
def test_interleaved_lists_have_the_items_of_both_variants(changes: dict[str, Any]) -> None:
    mixed = shard(experiments=[woven(changes), LONGER])
    apart = []
    for change in ({}, changes):
        settings = varied(Settings(), change)
        wanted = {"rerank": settings.rerank, "served": settings.lists.model}
        apart.append(lists(shard(**wanted, experiments=[LONGER]), USERS))
    *_, update = mixed.learner.user_lists(mixed.slots(*USERS), NOW)
    assert update.teams is not None and update.names == USERS
    found = lists(mixed, USERS)
    for user in USERS:
        own, first, second = (names(one[f"rec:{user}"]) for one in (found, *apart))
        assert own[0] in (first[0], second[0]) and len(own) == 5 == len({*own})
        assert {*own} <= {*first, *second}
        shared = next((k for k in range(5) if first[k] != second[k]), 5)
        assert own[:shared] == first[:shared]
        [teams] = update.teams[[USERS.index(user)]].tolist()
        assert not any(teams[:shared])
        if shared < 4:
            assert sorted(teams[shared : shared + 2]) == [FIRST, SECOND]


def names(items: list[dict[str, Any]]) -> list[str]:
    return [one["item"] for one in items]


def test_who_is_not_in_it_gets_a_list_of_one() -> None:
    made = shard(experiments=[woven({"lists.model": "popular"}, 0.5)])
    of = Assignment(made.learner.models.ways.experiments[0]).of
    teams = {
        name: update.teams is not None
        for update in made.learner.user_lists(made.slots(*USERS), NOW)
        for name in update.names
    }
    assert teams == {user: of(user) >= 0 for user in USERS}
    assert {*teams.values()} == {True, False}


def test_a_trace_says_where_interleaving_puts_an_item() -> None:
    made = shard(experiments=[woven({"lists.model": "popular"})])
    models = made.learner.models
    [slot] = made.slots("u1").tolist()
    *_, update = made.learner.user_lists(np.array([slot], np.int32), NOW)
    tracer = Tracer(models)
    item = int(update.lists.items[0, 2])
    with tracer.still(NOW):
        found = tracer.trace(slot, item, NOW)
    assert ("interleaving", 3) in found.steps and found.place == 3


def test_who_is_too_young_for_a_list_of_their_own_gets_what_the_young_begin_with() -> None:
    new = Experiment(
        name="woven",
        variants=[Variant(name="a", set={"lists.model": "popular"}), Variant(name="b")],
        interleave=True,
    )
    made = shard(experiments=[new], minimum_events=2)
    made.learn(batch_of([("young", "i3")]))
    *_, update = made.learner.user_lists(made.slots("young"), NOW)
    assert update.teams is not None and not update.teams.any()
    *_, other = made.learner.user_lists(made.slots("u1"), NOW)
    assert other.teams is not None and other.teams.any()
