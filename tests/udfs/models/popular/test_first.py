"""What strangers take: counts of whatever order, and the chances that follow, item by item."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.udfs.builders import NOW, OneShard, batch_of, decode, shown
from udfs.models.popular.first import BUCKETS, HALF_LIFE_MS, SHRINK, First

KEYS = np.array([7, 7 + BUCKETS, 9, 11, 13], np.uint64)  # the first two items share a bucket
SHARES = np.array([1.0, 0.5, 0.25, 0.0, 0.25], np.float32)
EVENTS = st.lists(st.tuples(st.integers(0, 4), st.integers(NOW - 10**10, NOW + 10**8)), max_size=30)


def counted(events: list[tuple[int, int]]) -> First:
    first = First()
    for item, ts in events:
        first.count(KEYS[[item]], ts)
    return first


@given(EVENTS, st.randoms(use_true_random=False))
def test_the_chances_are_those_of_the_twin(events: list[tuple[int, int]], random: object) -> None:
    first = counted(events)
    counts = dict.fromkeys([7, 9, 11, 13], 0.0)
    for item, ts in events:
        counts[int(KEYS[item]) % BUCKETS] += 0.5 ** ((NOW - ts) / HALF_LIFE_MS)
    shares = {7: 0.75, 9: 0.125, 13: 0.125}
    total = sum(counts[place] for place in shares) + SHRINK
    twin = []
    for key, share in zip(KEYS.tolist(), (SHARES / 2).tolist(), strict=True):
        of = shares.get(key % BUCKETS, 0.0)
        twin.append(share / of * (counts[key % BUCKETS] + SHRINK * of) / total if of else 0.0)
    found = first.chances(SHARES, KEYS, NOW)
    np.testing.assert_allclose(found, twin, rtol=1e-9)
    assert found.sum() == pytest.approx(1.0)


@given(EVENTS, EVENTS)
def test_what_two_learners_add_is_the_sum(
    mine: list[tuple[int, int]], theirs: list[tuple[int, int]]
) -> None:
    whole, replica, total = counted([*theirs, *mine]), First(), np.zeros(BUCKETS)
    for events in (mine, theirs):
        if (added := counted(events).added()) is not None:
            total += added
    replica.put(total)
    np.testing.assert_allclose(replica.now(NOW), whole.now(NOW), rtol=1e-9)


def test_without_counts_it_is_popularity_and_without_that_nothing() -> None:
    np.testing.assert_allclose(First().chances(SHARES, KEYS, NOW), SHARES / 2)
    none = np.zeros(5, np.float32)
    assert not counted([(0, NOW)]).chances(none, KEYS, NOW).any()
    assert First().chances(none[:0], KEYS[:0], NOW).shape == (0,)


def test_damaged_counts_are_mended_and_those_of_another_length_passed_over() -> None:
    first = counted([(0, NOW)])
    first.put(np.zeros(3))
    assert first.now(NOW)[7] == 1.0
    first.added()
    first.put(np.full(BUCKETS, np.nan))
    assert not first.now(NOW).any()


def test_strangers_get_what_strangers_take_and_regulars_what_regulars_take() -> None:
    shard = OneShard(length=5)
    bread = [(f"old {k}", f"bread {k}") for k in range(20)]
    for n in range(60):
        rest = [(f"new {n}", f"bread {(n + k) % 20}") for k in range(9)]
        shard.learn(batch_of([*bread, (f"new {n}", "guide"), *rest, *bread]))
        shard.learner.models.forget_popular()
    lists = decode(shard.learner.shared.updates(NOW, everything=True))
    assert shown(lists["popular"])[0] == "guide"
    users, popular = shard.learner.users, shard.learner.models.popular
    slots = np.array([users.find("old 3"), -1], np.int32)
    items, scores = shard.learner.models.by_popularity(slots, NOW)
    names = [[shard.learner.catalogue.ids[item] for item in row] for row in items.tolist()]
    assert names[0][0].startswith("bread") and "bread 3" not in names[0]
    assert names[1][0] == "guide" and scores[:, 0].tolist() == [1.0, 1.0]
    assert popular.near(NOW)[shard.learner.catalogue.find(["guide"])[0]], "it is in the list"
