"""Changes from a learner, applied by the owners of the items."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.udfs.builders import NOW, SETTINGS, OneShard, batch_of, keys
from udfs.errors import ServiceError
from udfs.feed import parameters
from udfs.feed.deltas import VERSION, Deltas, Touched, apply_deltas, pack_deltas, unpack_deltas
from udfs.memory.catalogue import Catalogue

FIXTURES = Path(__file__).parents[1] / "fixtures"
HALF_LIFE_MS = SETTINGS.half_life_ms

events = st.tuples(
    st.sampled_from(["ann", "bob", "eve"]),
    st.integers(0, 30),
    st.sampled_from([1.0, 0.25, -1.0, 0.0, 1e30]),
    st.integers(NOW - 10**6, NOW),
)


@settings(max_examples=40)
@given(st.lists(st.lists(events, min_size=1, max_size=30), min_size=1, max_size=6))
def test_the_owners_hold_what_the_learner_holds(
    batches: list[list[tuple[str, int, float, int]]],
) -> None:
    shard = OneShard()
    owners = [Catalogue(8, SETTINGS.model.seed, 1000) for _ in range(SETTINGS.job.item_shards)]
    for n, rows in enumerate(batches):
        users, items, weights, ts = zip(*rows, strict=True)
        pairs = list(zip(users, [f"item {k}" for k in items], strict=True))
        shard.learn(batch_of(pairs, weights, ts=ts), NOW + n)
        for item_shard, message in shard.messages.items():
            apply_deltas([unpack_deltas(message)], owners[item_shard], HALF_LIFE_MS)
    replica = shard.learner.catalogue
    names = [name for name in replica.ids if name is not None]
    for name in names:
        slot = replica.find([name])
        number = int(replica.checksum[slot][0]) % len(owners)
        assert owners[1 - number].find([name])[0] == -1, "each item has one owner"
        mine, theirs = replica.rows(slot)[0], owners[number].rows(owners[number].find([name]))[0]
        np.testing.assert_allclose(theirs["factor"], mine["factor"], rtol=1e-4, atol=1e-4)
        for column in ("context", "bias", "spread"):
            np.testing.assert_allclose(theirs[column], mine[column], rtol=1e-4, atol=1e-4)
        for column in ("popularity", "sums"):
            np.testing.assert_allclose(theirs[column], mine[column], rtol=1e-6)
        for column in ("events", "seen", "popularity_at"):
            assert theirs[column] == mine[column], column


def message(items: list[str], events: list[int], change: float = 1.0) -> Deltas:
    n = len(items)
    touched = Touched(
        keys(items),
        {k: item for k, item in enumerate(items) if events[k]},
        np.full((n, 8), change, np.float32),
        np.ones(n),
        np.full(n, float(NOW)),
        np.array(events, np.int64),
        np.ones((n, 4)),
        np.zeros(n, np.int32),
    )
    packed = pack_deltas(touched, NOW, [], {})
    return unpack_deltas(packed[0])


def test_a_negative_of_an_item_that_has_expired_is_left_out() -> None:
    owner = Catalogue(2, 1, 10)
    slots = apply_deltas([message(["new", "gone"], [1, 0])], owner, 1e6).slots
    assert slots.tolist() == [0, -1]
    assert owner.find(["new", "gone"]).tolist() == [0, -1]


def test_an_item_counts_from_its_first_event_on_when_messages_are_applied_together() -> None:
    """As a negative it is unknown before, and known in a later message."""
    one_by_one, together = Catalogue(2, 1, 10), Catalogue(2, 1, 10)
    messages = [message(["a", "b"], counts, 0.5) for counts in ([0, 1], [2, 0], [0, 0])]
    for each in messages:
        apply_deltas([each], one_by_one, 1e6)
    applied = apply_deltas(messages, together, 1e6)
    assert applied.slots.tolist() == [-1, 0, 1, 0, 1, 0]
    assert applied.starts.tolist() == [0, 2, 4, 6]
    slots = together.living_slots()
    assert together.ids == one_by_one.ids == ["b", "a"]
    assert together.rows(slots).tobytes() == one_by_one.rows(slots).tobytes()


def test_nothing_to_apply() -> None:
    assert apply_deltas([], Catalogue(2, 1, 10), 1e6).slots.tolist() == []


def test_an_owner_without_room_leaves_new_items_out() -> None:
    owner = Catalogue(2, 1, 1)
    assert apply_deltas([message(["a", "b"], [1, 1])], owner, 1e6).slots.tolist() == [0, -1]
    assert apply_deltas([message(["b"], [1])], owner, 1e6).slots.tolist() == [-1]


def test_a_drawn_negative_does_not_count_as_an_event_or_as_seen() -> None:
    owner = Catalogue(2, 1, 10)
    owner.slots(["a"])
    apply_deltas([message(["a"], [0])], owner, 1e6)
    assert (owner.events[0], owner.seen[0]) == (0, 0)
    apply_deltas([message(["a"], [2])], owner, 1e6)
    assert (owner.events[0], owner.seen[0]) == (2, NOW)


@pytest.mark.parametrize("change", [1e30, -1e30])
def test_factors_stay_within_their_limit(change: float) -> None:
    owner = Catalogue(2, 1, 10)
    for _ in range(3):
        apply_deltas([message(["a"], [1], change)], owner, 1e6)
    assert np.abs(owner.q[0]).tolist() == [16, 16]
    assert np.abs(owner.y[0]).tolist() == [16, 16]
    assert abs(owner.bias[0]) == 16
    assert owner.spread[0].tolist() == [max(min(change, 100), 0)] * 3


def test_shards_get_their_own_items() -> None:
    owner = Catalogue(0, 1, 10)
    touched = Touched(
        keys("abc"),
        dict(enumerate("abc")),
        np.outer([1, 2, 3], np.ones(4)).astype(np.float32),
        np.ones(3),
        np.zeros(3),
        np.array([1, 2, 3]),
        np.outer([1.0, 2, 3], np.ones(4)),
        np.array([5, 2, 5], np.int32),
    )
    packed = pack_deltas(touched, 0, [], {})
    assert sorted(packed) == [2, 5]
    apply_deltas([unpack_deltas(packed[5])], owner, 1e6)
    assert owner.ids == ["a", "c"]
    assert owner.bias[:2].tolist() == [1, 3]
    assert owner.events[:2].tolist() == [1, 3]
    assert owner.sums[:2].tolist() == [[1] * 4, [3] * 4]


def test_another_version_is_refused() -> None:
    other = msgspec.structs.replace(message(["a"], [1]), version=VERSION + 1)
    with pytest.raises(ServiceError, match=r"changes of items have form 8, .* reads 1 to 7"):
        unpack_deltas(msgspec.msgpack.encode(other))


def test_history_factors_are_sent_only_if_changed() -> None:
    change = np.zeros((3, 8), np.float32)
    change[:, 0], change[1, 6:] = 5, [0.5, -0.5]
    touched = Touched(
        keys("abc"),
        dict(enumerate("abc")),
        change,
        np.ones(3),
        np.zeros(3),
        np.ones(3, np.int64),
        np.ones((3, 4)),
        np.zeros(3, np.int32),
    )
    packed = pack_deltas(touched, 0, [], {})
    sent = msgspec.msgpack.decode(packed[0])
    assert [len(part) for part in sent[2:3] + sent[7:9]] == [3 * 6 * 4, 4, 8]
    owner = Catalogue(2, 1, 10)
    apply_deltas([unpack_deltas(packed[0])], owner, 1e6)
    assert owner.y[:3].tolist() == [[0, 0], [0.5, -0.5], [0, 0]]


def applied(data: str) -> Catalogue:
    owner = Catalogue(1, 1, 10)
    owner.slots(["a"])
    owner.q[0], owner.y[0], owner.spread[0] = 0.5, 0.25, 1
    assert apply_deltas([unpack_deltas(bytes.fromhex(data))], owner, 1e6).slots.tolist() == [0]
    assert (owner.q[0, 0], owner.bias[0], owner.popularity[0]) == (1.5, -0.5, 1.0)
    assert (owner.popularity_at[0], owner.events[0], owner.seen[0]) == (1000, 3, 5000)
    assert owner.sums[0, 0] == 1
    return owner


def test_the_bytes_of_version_1_are_still_applied() -> None:
    """They may be in the inbox of an item learner when a job is upgraded."""
    owner = applied(
        "97 01 91 a1 61 c4 08 0000803f 000000bf c4 08 000000000000f03f c4 08 0000000000408f40"
        "c4 08 0300000000000000 cd 1388"
    )
    assert (owner.y[0, 0], owner.spread[0].tolist()) == (0.25 - 1, [1, 1, 1])


def test_the_bytes_of_version_2_are_still_applied() -> None:
    owner = applied(
        "99 02 91 a1 61 c4 14 0000803f 000000bf 00000040 00000000 0000803f"
        "c4 08 000000000000f03f c4 08 0000000000408f40 c4 08 0300000000000000 cd 1388"
        "c4 04 00000000 c4 04 000000bf"
    )
    assert (owner.y[0, 0], owner.spread[0].tolist()) == (-0.25 - 1, [3, 1, 2])


def test_the_bytes_of_version_3_are_still_applied() -> None:
    owner = applied(
        "9c 03 91 a1 61 c4 14 0000803f 000000bf 00000040 00000000 0000803f"
        "c4 08 000000000000f03f c4 08 0000000000408f40 c4 08 0300000000000000 cd 1388"
        "c4 04 00000000 c4 04 000000bf c0 c4 00 c4 08 " + keys("a").tobytes().hex()
    )
    assert (owner.y[0, 0], owner.spread[0].tolist()) == (-0.25 - 1, [3, 1, 2])


def test_the_ranker_of_version_3_is_shared_by_its_name() -> None:
    data = (FIXTURES / "deltas-v3.hex").read_text()
    applied(data)
    found = unpack_deltas(bytes.fromhex(data))
    received = parameters.read(found.parameters)
    assert {name: values.tolist() for name, values in received.items()} == {"ranker": [0.5, -2.0]}


def test_the_bytes_of_version_4_are_applied() -> None:
    data = (
        "9c 04 91 a1 61 c4 14 0000803f 000000bf 00000040 00000000 0000803f"
        "c4 08 000000000000f03f c4 08 0000000000408f40 c4 08 0300000000000000 cd 1388"
        "c4 04 00000000 c4 04 000000bf c0"
        "82 a6 72616e6b6572 c4 08 000000000000e03f a3 736571 c4 08 00000000000000c0"
        "c4 08" + keys("a").tobytes().hex()
    )
    owner = applied(data)
    assert (owner.y[0, 0], owner.spread[0].tolist()) == (-0.25 - 1, [3, 1, 2])
    received = parameters.read(unpack_deltas(bytes.fromhex(data)).parameters)
    assert {name: values.tolist() for name, values in received.items()} == {
        "ranker": [0.5],
        "seq": [-2.0],
    }
    assert unpack_deltas(bytes.fromhex(data)).origin == -1


def test_the_bytes_of_version_5_are_applied() -> None:
    data = (
        "9d 05 91 a1 61 c4 14 0000803f 000000bf 00000040 00000000 0000803f"
        "c4 08 000000000000f03f c4 08 0000000000408f40 c4 08 0300000000000000 cd 1388"
        "c4 04 00000000 c4 04 000000bf c0 80 c4 08" + keys("a").tobytes().hex() + "07"
    )
    owner = applied(data)
    assert (owner.y[0, 0], owner.spread[0].tolist()) == (-0.25 - 1, [3, 1, 2])
    assert unpack_deltas(bytes.fromhex(data)).origin == 7
    assert owner.sums[0].tolist() == [1] * 4, "as if all were of the latest time"


@pytest.mark.parametrize(("version", "context"), [("06", -0.25 - 1), ("07", -0.25)])
def test_the_bytes_of_versions_6_and_7_are_applied(version: str, context: float) -> None:
    """Up to version 6, y did not come on top of q, which moves by 1 here."""
    sums = np.array([1.0, 2.0, 2.5, 3.0])
    data = (
        f"9e {version} 91 a1 61 c4 14 0000803f 000000bf 00000040 00000000 0000803f"
        "c4 08 000000000000f03f c4 08 0000000000408f40 c4 08 0300000000000000 cd 1388"
        "c4 04 00000000 c4 04 000000bf c0 80 c4 08" + keys("a").tobytes().hex() + "07"
        "c4 20" + sums.tobytes().hex()
    )
    owner = applied(data)
    assert (owner.y[0, 0], owner.sums[0].tolist()) == (context, sums.tolist())


def test_shared_parameters_go_to_the_first_shard_whatever_else_there_is() -> None:
    touched = Touched(
        keys("a"),
        {0: "a"},
        np.zeros((1, 8), np.float32),
        np.ones(1),
        np.ones(1),
        np.ones(1, np.int64),
        np.ones((1, 4)),
        np.ones(1, np.int32),
    )
    shared = {"ranker": np.array([0.5, -2.0]), "sequence": np.ones(3)}
    packed = pack_deltas(touched, NOW, [], shared)
    assert sorted(packed) == [0, 1]
    assert parameters.read(unpack_deltas(packed[1]).parameters) == {}
    received = parameters.read(unpack_deltas(packed[0]).parameters)
    assert {name: values.tolist() for name, values in received.items()} == {
        name: values.tolist() for name, values in shared.items()
    }
    assert list(pack_deltas(touched, NOW, [], {})) == [1]
