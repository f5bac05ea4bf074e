"""Who takes an item for the first time, against sets; and how the count comes to replicas."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.udfs.builders import NOW, SETTINGS, OneShard, batch_of, changed, decode, shown
from udfs.feed.deltas import apply_deltas, unpack_deltas
from udfs.learning.learner import Learner
from udfs.memory.catalogue import Catalogue
from udfs.options.privacy import Privacy

THREE = Privacy(min_users=3)
events = st.lists(
    st.tuples(
        st.integers(0, 4),
        st.integers(0, 6),
        st.sampled_from([1.0, 3.0, -1.0, 0.0]),
        st.sampled_from([0, 1]),
    ),
    min_size=1,
    max_size=60,
)


@settings(max_examples=40)
@given(events, st.integers(1, 60))
def test_each_user_counts_once(rows: list[tuple[int, int, float, int]], size: int) -> None:
    shard = OneShard(privacy=THREE)
    had: set[tuple[int, int]] = set()
    counts = [0] * 7
    owners = [Catalogue(8, SETTINGS.model.seed, 100) for _ in range(SETTINGS.job.item_shards)]
    for begin in range(0, len(rows), size):
        part = rows[begin : begin + size]
        for user, item, weight, flag in part:
            if flag and (user, item) not in had:
                counts[item] += weight > 0
                had.add((user, item))
        pairs = [(f"u{user}", f"i{item}") for user, item, _, _ in part]
        batch = batch_of(pairs, [row[2] for row in part], ts=NOW)
        flags = np.array([row[3] for row in part], np.uint8)
        batch.columns["flags"] = flags
        shard.learn(batch)
        for number, message in shard.messages.items():
            apply_deltas([unpack_deltas(message)], owners[number], SETTINGS.half_life_ms)
    catalogue = shard.learner.catalogue
    for item, count in enumerate(counts):
        slot = catalogue.find([f"i{item}"])
        if slot[0] >= 0:
            assert catalogue.takers[slot[0]] == count
            own = owners[int(catalogue.checksum[slot[0]]) % len(owners)]
            assert own.takers[own.find([f"i{item}"])[0]] == count
            row = own.rows(own.find([f"i{item}"]))[0]
            assert (row["takers"], row["version"], row["d"]) == (count, 4, 8)


def test_without_the_option_nobody_is_counted() -> None:
    shard = OneShard()
    shard.learn(batch_of([("ann", "a"), ("bob", "a")]))
    assert not shard.learner.catalogue.takers.any()
    assert all(unpack_deltas(message).takers == b"" for message in shard.messages.values())


def test_more_than_255_are_255() -> None:
    shard = OneShard(privacy=THREE)
    shard.learn(batch_of([(f"u{k}", "a") for k in range(300)]))
    shard.learn(batch_of([(f"v{k}", "a") for k in range(3)]))
    assert shard.learner.catalogue.takers[shard.learner.catalogue.find(["a"])[0]] == 255


def taken(shard: OneShard) -> None:
    """Item k of ten is taken by k users, and each by one of them often."""
    for k in range(1, 11):
        pairs = [(f"u{u}", f"i{k}") for u in range(k)] + [("u0", f"i{k}")] * 20
        shard.learn(batch_of(pairs))


@pytest.mark.parametrize("model", ["ranker", "mf"])
def test_no_list_for_everybody_has_what_few_took(model: str) -> None:
    shard, plain = OneShard(privacy=THREE, served=model), OneShard(served=model)
    taken(shard)
    taken(plain)
    found = decode(shard.learner.shared.updates(NOW, everything=True))
    few = {"i1", "i2"}
    assert {key for key in found if key.startswith("similar:")} == {
        f"similar:i{k}" for k in range(3, 11)
    }
    assert found["popular"]["items"]
    for value in found.values():
        assert not few & set(shown(value))
    whole = decode(plain.learner.shared.updates(NOW, everything=True))
    assert any(few & set(shown(value)) for value in whole.values())
    # A user's own list has no such bound.
    assert shard.lists("u9") == plain.lists("u9")
    shard.learn(batch_of([("v", "i2")]))
    found = decode(shard.learner.shared.updates(NOW, everything=True))
    assert "similar:i2" in found


def test_rows_of_state_keep_the_count() -> None:
    shard = OneShard(privacy=THREE)
    taken(shard)
    catalogue = shard.learner.catalogue
    slots = catalogue.living_slots()
    again = Learner(changed(SETTINGS, privacy=THREE)).catalogue
    again.put_rows(catalogue.names(slots.tolist()), catalogue.rows(slots))
    assert again.takers[:10].tolist() == list(range(1, 11))
    compacted = again.compact()
    assert again.takers[compacted[:10]].tolist() == list(range(1, 11))
