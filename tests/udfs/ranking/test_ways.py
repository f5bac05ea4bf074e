"""Each user gets the lists of the user's variants, as a job with these options would make them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.udfs.builders import NOW, OneShard, batch_of
from udfs.experiments.assignment import Assignment
from udfs.learning.learner import Learner
from udfs.models.settings import Settings
from udfs.models.varied import varied
from udfs.options.experiments import Experiment, Variant

USERS, ITEMS = [f"u{n}" for n in range(40)], [f"i{n}" for n in range(30)]
EVENTS = [(user, ITEMS[(7 * n + 3 * k * k) % 30]) for k in range(4) for n, user in enumerate(USERS)]
CHANGES: list[dict[str, Any]] = [
    {"lists.model": "popular"},
    {"lists.model": "item-cf"},
    {"rerank.debias": 1.0},
]


def experiment(changes: dict[str, Any], share: float = 1.0) -> Experiment:
    variants = [Variant(name="now"), Variant(name="new", set=changes)]
    return Experiment(name="test", variants=variants, share=share)


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


def test_all_ways_are_compiled_before_the_first_event() -> None:
    made = Learner(shard(experiments=[experiment({"rerank.debias": 1.0})]).learner.settings)
    made.compile()
    assert len(made.models.ways.all) == 2
