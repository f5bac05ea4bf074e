"""Lists made in one call equal what the sources say in Python, one after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.udfs.builders import NOW, OneShard, batch_of
from udfs.models.popular.source import Popular
from udfs.options.learning import Lists as ListOptions
from udfs.options.sources import SOURCES
from udfs.ranking import blend, features
from udfs.ranking.reasons import REASONS
from udfs.ranking.recommender import Recommender

USERS, LENGTH = [f"u{n}" for n in range(8)], 5
taken = st.lists(
    st.lists(st.tuples(st.sampled_from(USERS), st.integers(0, 40)), min_size=1, max_size=60),
    min_size=1,
    max_size=3,
)


def popular(models: Recommender) -> Popular:
    model = models.sources["popular"]
    assert isinstance(model, Popular)
    return model


def check(shard: OneShard, slots: Any, now_ms: int) -> None:
    """What is told of the users in `slots` is what the sources say."""
    models = shard.learner.models
    told = models.tell(slots, now_ms)
    plain = models.rank(slots, now_ms)
    assert len(told) == len(plain)
    for (source, at, found), (other, places, lists) in zip(told, plain, strict=True):
        some = slots[at]
        assert source == other and np.array_equal(some, slots[places])
        assert np.array_equal(found.items, lists.items)
        assert np.array_equal(found.models, lists.models)
        assert np.array_equal(found.scores, lists.scores)
        near = popular(models).consumed(some, now_ms, found.consumed.shape[1])
        assert np.array_equal(found.consumed, near)
        reasons = np.full((*found.items.shape, REASONS), -1, np.int32)
        for position, model in enumerate(models.sources.values()):
            own = (found.models == position) & (found.items >= 0)
            explained = model.explain(some, np.where(own, found.items, -1))
            reasons[own, : explained.shape[2]] = explained[own]
        assert np.array_equal(found.reasons, reasons)


@settings(max_examples=25)
@given(taken, st.sampled_from(["ranker", "item-cf", "user-cf", "mf", "popular"]), st.integers(1, 3))
def test_what_is_told_is_what_the_sources_say(
    batches: list[list[tuple[str, int]]], model: Any, least: int
) -> None:
    options = ListOptions(length=LENGTH, model=model, minimum_events=least)
    shard = OneShard(lists=options)
    for number, pairs in enumerate(batches):  # what was kept of the batch before is not valid
        shard.learn(batch_of([(user, f"i{item}") for user, item in pairs]))
        shard.learner.models.clock_ms = NOW + number
        users = sorted({user for user, _ in pairs})
        check(shard, shard.slots(*users), NOW + 10 * number)
        check(shard, shard.slots(users[0]), NOW + 10 * number)


@pytest.mark.parametrize("lasting", [True, False])
def test_more_users_than_are_kept_for_get_the_same(
    lasting: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not lasting:
        changed = [each._replace(lasting=False) for each in features.features()]
        monkeypatch.setattr(blend, "features", lambda settings: changed)
    shard = OneShard(lists=ListOptions(length=LENGTH))
    random = np.random.default_rng(1)
    users = [f"u{n}" for n in range(blend.FEW + 10)]
    shard.learn(batch_of([(user, f"i{random.integers(60)}") for user in users * 6]))
    slots, models = shard.slots(*users), shard.learner.models
    ((_, _, many),) = models.tell(slots, NOW)
    for k in range(0, len(users), 7):
        ((_, _, few),) = models.tell(slots[k : k + 7], NOW)
        for one, all_ in zip(few[:5], many[:5], strict=True):
            assert np.array_equal(one, all_[k : k + 7])
    assert {*SOURCES} >= {[*SOURCES][k] for k in np.unique(many.models)}
