"""A replay without Flink makes the lists and tests of a learner, and those of every setting."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray

from flink_app.evaluate.replay import Plan, replay
from tests.udfs.builders import NOW, SETTINGS, OneShard, batch_of, part
from udfs.learning.learner import Learner
from udfs.learning.quality import Quality
from udfs.models.ranked import Told
from udfs.options.runtime import Job

PAIRS = [(f"u{u}", f"i{i}") for u, i in np.random.default_rng(3).integers(0, [8, 30], (150, 2))]


def learner() -> Learner:
    return Learner(replace(SETTINGS, job=Job(strict=True)))


def first(told: Told, slots: NDArray[np.int32], ts: int) -> NDArray[np.int32]:
    assert len(slots) == 1 and ts
    return told.items[0, :5].copy()


def test_tests_are_those_of_the_job() -> None:
    shard, quality, expected = OneShard(), Quality(1), list[tuple[int, float]]()
    for n in range(len(PAIRS)):
        event = part(batch_of(PAIRS), n, n + 1)
        found, _ = quality.test(shard.learner, event, shard.rows, shard.history, shard.number, NOW)
        if found.get("served:tests"):
            expected.append((n + 1, found["served:recall@10"]))
        shard.learn(event)
    done = list[int]()
    made = replay(learner(), batch_of(PAIRS), {}, Plan(NOW), done.append)
    assert [n for n, _ in expected] == made.tests.at.tolist()
    assert sum(hit for _, hit in expected) > 10
    assert made.tests.hits.mean() == pytest.approx(np.mean([h for _, h in expected]), abs=0.05)
    assert made.lists == {} and done == [0, 100]
    assert [made.names[n] for n in made.users] == [user for user, _ in PAIRS]


def test_lists_are_made_of_some_tests_for_every_setting() -> None:
    made = replay(learner(), batch_of(PAIRS), {"a": first, "b": first}, Plan(NOW, every=3))
    assert made.chosen.tolist() == [*range(0, len(made.tests), 3)]
    assert made.lists["a"].shape == (len(made.chosen), 5)
    assert (made.lists["a"] == made.lists["b"]).all()
    found = (made.lists["a"] == made.wanted[:, None]).any(axis=1) & (made.wanted >= 0)
    assert (made.tests.hits[made.chosen] >= found).all() and found.any()
    assert (made.by == made.tests.users[made.chosen]).all()


def test_after_the_warm_up_nothing_is_learned_if_frozen() -> None:
    model = learner()
    made = replay(model, batch_of(PAIRS), {}, Plan(NOW, after=75, freeze=True))
    assert made.tests.at.min() > 75
    other = learner()
    replay(other, batch_of(PAIRS[:75]), {}, Plan(NOW))
    n = other.catalogue.size
    assert (model.catalogue.events[:n] == other.catalogue.events[:n]).all()
