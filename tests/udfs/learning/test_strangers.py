"""What users began with counts once they have stayed, against a plain twin."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.udfs.builders import NOW, OneShard, batch_of, part
from udfs.events.batch import item_key
from udfs.learning.strangers import FIRST, STAYED
from udfs.models.popular.first import BUCKETS, HALF_LIFE_MS

HOUR = 3_600_000
EVENTS = st.lists(
    st.tuples(st.sampled_from("xyz"), st.sampled_from("abcdef"), st.sampled_from([1.0, 1.0, -1.0])),
    min_size=1,
    max_size=60,
)


def counts(shard: OneShard) -> dict[str, float]:
    """What is counted of each item, as of `NOW`."""
    taken = shard.learner.models.popular.first.now(NOW)
    return {item: float(taken[item_key(item) % BUCKETS]) for item in "abcdef"}


@given(EVENTS, st.integers(1, 5))
def test_of_users_who_stayed_the_first_items_that_they_like_count(
    events: list[tuple[str, str, float]], size: int
) -> None:
    shard, twin = OneShard(), dict.fromkeys("abcdef", 0.0)
    pairs, weights = [(user, item) for user, item, _ in events], [w for _, _, w in events]
    batch = batch_of(pairs, weights, ts=[NOW + k * HOUR for k in range(len(events))])
    histories: dict[str, dict[str, bool]] = {user: {} for user in "xyz"}
    had, last = dict.fromkeys("xyz", 0), dict.fromkeys("xyz", 0)
    for begin in range(0, len(events), size):
        shard.learn(part(batch, begin, begin + size))
        before = dict(had)
        for k, (user, item, w) in enumerate(events[begin : begin + size], begin):
            histories[user][item], last[user] = w > 0, k  # a later word keeps the item's place
            had[user] += 1
        for user in "xyz":
            if before[user] < STAYED <= had[user]:
                for item in [one for one, liked in histories[user].items() if liked][:FIRST]:
                    twin[item] += 2.0 ** (last[user] * HOUR / HALF_LIFE_MS)
    assert counts(shard) == pytest.approx(twin)


def test_users_who_do_not_stay_count_nothing_and_others_once() -> None:
    shard = OneShard()
    for n in range(20):
        shard.learn(batch_of([(f"farm {n}", "f"), *[(f"farm {n}", "a")] * (STAYED - 2)]))
    assert not any(counts(shard).values())
    for item in "abcdef" * 4:
        shard.learn(batch_of([("ann", item)]))
    assert {k: round(v, 6) for k, v in counts(shard).items() if v} == {"a": 1, "b": 1}


def test_where_no_list_is_made_of_it_nothing_is_counted() -> None:
    shard = OneShard(popularity_half_life_s=3600.0)
    shard.learn(batch_of([("ann", "a")] * STAYED))
    assert not any(counts(shard).values())
    shard.learner.models.segments.counts.number("country:DE")
    shard.learn(batch_of([("bob", "a")] * STAYED))
    assert counts(shard)["a"] == pytest.approx(1)


def test_a_user_who_is_read_from_the_state_counts_the_same() -> None:
    """So what follows does not depend on what was in memory."""
    small, large = OneShard(user_cache=1), OneShard()
    for shard in (small, large):
        for n in range(STAYED):
            shard.learn(batch_of([("ann", "abcdef"[n % 6])]))
            shard.learn(batch_of([("bob", "fedcba"[n % 6])]))
    assert counts(small) == counts(large)
    assert np.isclose(sum(counts(small).values()), 2 * FIRST)


@pytest.mark.parametrize("size", [1, 3])
def test_what_somebody_took_first_does_not_depend_on_where_batches_end(size: int) -> None:
    shard = OneShard()
    shard.learn(batch_of([(f"old {k}", "b") for k in range(5)]))
    shard.learner.models.forget_popular()
    before = shard.learner.models.popular.parameters
    batch = batch_of([("z", "a"), ("z", "b"), ("z", "b")], [-1, 1, 1])
    for begin in range(0, 3, size):
        shard.learn(part(batch, begin, begin + size))
    assert shard.learner.models.popular.parameters.tolist() == before.tolist()
