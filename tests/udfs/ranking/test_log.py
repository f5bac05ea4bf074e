"""What the ranker's log tells: the very ranking of the next list, and of whom."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.udfs.builders import NOW, SETTINGS, OneShard, batch_of, shown
from udfs.learning.learner import Learner
from udfs.models.options import RankerOptions
from udfs.ranking.features import ACTIVITY, names
from udfs.ranking.log import LAST, Ranking

USERS = [f"u{n}" for n in range(6)]
pairs = st.lists(
    st.tuples(st.sampled_from(USERS), st.integers(0, 20).map(lambda n: f"i{n}")),
    min_size=20,
    max_size=60,
)
MIXED = [(USERS[n % 6], f"i{(5 * n + n // 6) % 11}") for n in range(24)]


def shard_of(log: str = "ranked", **options: Any) -> OneShard:
    ranker = RankerOptions(log=log, **{"sample": 1.0, **options})
    return OneShard(ranker=ranker, length=5, strict=True)


def told(shard: OneShard, events: list[tuple[str, str]], size: int = 1) -> list[Ranking]:
    """Learn events in batches of a size; all that was logged."""
    found = []
    for begin in range(0, len(events), size):
        shard.learn(batch_of(events[begin : begin + size], ts=NOW + begin), NOW + begin)
        assert shard.learner.models.log
        found += shard.learner.models.log.take()
    return found


@settings(max_examples=15)
@given(pairs)
def test_the_best_of_a_ranking_are_the_list_of_that_moment(events: list[tuple[str, str]]) -> None:
    shard, known = shard_of(), set()
    for number, (user, item) in enumerate(events):
        listed = shown(shard.lists(user)["rec:" + user]) if user in known else []
        scores = shard.lists(user)
        (found,) = told(shard, [(user, item)]) or [None]
        known.add(user)
        if found is None:
            continue
        assert (found.at, found.user, found.taken) == (NOW, None, item), number
        best = found.items[:5]
        assert best == listed[: len(best)], scores
        # Whoever has a list at that moment was shown these places.
        place = {name: at + 1 for at, name in enumerate(listed)}
        assert found.position == [place.get(name, 0) for name in found.items]
        assert set(found.propensity) <= {1.0}


@settings(max_examples=15)
@given(pairs)
def test_histories_are_told_as_they_were_before(events: list[tuple[str, str]]) -> None:
    shard, before = shard_of(), {user: [] for user in USERS}
    for user, item in events:
        for found in told(shard, [(user, item)]):
            assert found.history == before[user][-LAST:]
        if item not in before[user]:
            before[user].append(item)


@settings(max_examples=10)
@given(pairs)
def test_what_is_learned_is_the_same_with_a_log(events: list[tuple[str, str]]) -> None:
    one, other = shard_of(), shard_of(log="")
    told(one, events, 7)
    for begin in range(0, len(events), 7):
        other.learn(batch_of(events[begin : begin + 7], ts=NOW + begin), NOW + begin)
    assert one.rows.data == other.rows.data
    rankers = one.learner.models.ranker, other.learner.models.ranker
    assert np.array_equal(rankers[0].parameters, rankers[1].parameters)
    assert one.lists(*USERS) == other.lists(*USERS)


def test_each_candidate_has_all_features_by_name() -> None:
    shard = shard_of()
    found = told(shard, MIXED)[-1]
    assert tuple(found.features) == names()
    assert {len(column) for column in found.features.values()} == {len(found.items)}
    assert len(found.items) > 2 and len(set(found.features[ACTIVITY])) == 1
    taken = found.features["taken"]
    catalogue = shard.learner.catalogue
    counts = catalogue.events[catalogue.find(found.items)] - [i == found.taken for i in found.items]
    assert taken == pytest.approx(np.log(1 + counts).tolist(), rel=1e-6)


def test_the_share_of_users_is_that_of_the_option_and_always_the_same() -> None:
    some, same, more = (Learner(changed(sample)) for sample in (0.1, 0.1, 0.4))
    names = [f"user-{n}" for n in range(4000)]
    chosen = [name for name in names if some.models.log.chooses(name)]
    assert len(chosen) == pytest.approx(400, abs=80)
    assert chosen == [name for name in names if same.models.log.chooses(name)]
    assert all(more.models.log.chooses(name) for name in chosen)


def test_a_user_who_is_not_chosen_is_in_no_ranking() -> None:
    shard = shard_of(sample=0.5, log_users=True)
    log = shard.learner.models.log
    chosen = {user for user in USERS if log.chooses(user)}
    assert chosen and chosen < set(USERS)
    found = told(shard, MIXED)
    assert {one.user for one in found} == chosen


def test_an_item_that_was_drawn_has_its_probability() -> None:
    shard = shard_of()
    told(shard, MIXED)
    (slot,) = shard.slots("u0").tolist()
    listed = shown(shard.lists("u0")["rec:u0"])
    slots = shard.learner.catalogue.find(listed)
    chances = np.zeros((1, len(listed)), np.float32)
    chances[0, -1] = 0.25
    shard.learner.models.log.listed(np.array([slot], np.int32), slots[None], chances)
    (found,) = told(shard, [("u0", listed[0])])
    place = found.items.index(listed[-1])
    assert found.position[place] == len(listed) and found.propensity[place] == 0.25
    assert sum(found.propensity) == len(found.items) - 0.75


def changed(sample: float) -> Any:
    return msgspec.structs.replace(SETTINGS, ranker=RankerOptions(log="a", sample=sample))
