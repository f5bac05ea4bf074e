"""The event batch: what is packed comes back, and a split loses and reorders nothing."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.errors import SourceError
from udfs.events.batch import (
    EventBatch,
    item_key,
    join,
    make_batch,
    pack,
    split,
    unpack,
    user_shard,
)

ids = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
weights = st.floats(width=32, allow_nan=False, allow_infinity=False)
times = st.integers(-(2**63), 2**63 - 1)


@st.composite
def batches(draw: st.DrawFn) -> EventBatch:
    row = st.tuples(ids, ids, weights, st.integers(0, 255), times, ids)
    rows = draw(st.lists(row, max_size=40))
    users, items, weight, flags, ts, own = map(list, zip(*rows, strict=True)) if rows else [[]] * 6
    return make_batch(
        users,
        items,
        np.array(weight, dtype=np.float32),
        np.array(flags, dtype=np.uint8),
        np.array(ts, dtype=np.int64),
        own,
        draw(st.integers(0, 2**62)),
    )


def rows_of(batch: EventBatch) -> list[tuple[object, ...]]:
    numbers = (batch.weights_array, batch.flags_array, batch.ts_array)
    columns = (batch.users, batch.items, *(column.tolist() for column in numbers), batch.ids)
    return list(zip(*columns, strict=True))


@given(batches())
def test_unpack_undoes_pack(batch: EventBatch) -> None:
    assert unpack(pack(batch)) == batch


@given(batches(), st.data())
def test_split_keeps_every_event_in_its_shard_and_in_order(
    batch: EventBatch, data: st.DataObject
) -> None:
    n = len(batch)
    shard_of = data.draw(st.lists(st.integers(0, 5), min_size=n, max_size=n))
    parts = split(batch, shard_of)
    assert list(parts) == sorted(set(shard_of))
    for shard, part in parts.items():
        expected = [row for row, own in zip(rows_of(batch), shard_of, strict=True) if own == shard]
        assert rows_of(part) == expected
        assert part.opened == batch.opened
        assert unpack(pack(part)) == part


def test_views_read_the_columns() -> None:
    batch = make_batch(
        ["ann", "bob"],
        ["1", "2"],
        np.array([0.5, -1]),
        np.array([1, 2]),
        np.array([7, 8]),
        ["", "e"],
        3,
    )
    assert batch.weights_array.tolist() == [0.5, -1.0]
    assert batch.flags_array.tolist() == [1, 2]
    assert batch.consumed_array.tolist() == [True, False]
    assert batch.ts_array.tolist() == [7, 8]
    assert len(batch) == 2


def test_split_refuses_another_number_of_shards() -> None:
    batch = make_batch(["ann"], ["1"], np.ones(1), np.ones(1), np.ones(1), [""], 0)
    with pytest.raises(ValueError, match="2 shards were given for 1 events"):
        split(batch, [0, 1])


def test_another_version_is_named() -> None:
    batch = make_batch(["ann"], ["1"], np.ones(1), np.ones(1), np.ones(1), [""], 0)
    later = msgspec.structs.replace(batch, version=3)
    with pytest.raises(SourceError, match="version 3, this millirec reads version 2"):
        unpack(pack(later))
    with pytest.raises(SourceError, match="version 9, this millirec reads version 2"):
        unpack(msgspec.msgpack.encode([9, "other columns"]))


@pytest.mark.parametrize("data", [b"", b"\x00", b"\xc1", msgspec.msgpack.encode([1, ["ann"]])])
def test_bytes_that_are_no_batch_get_a_sentence(data: bytes) -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        unpack(data)


def test_columns_of_other_lengths_are_damage() -> None:
    batch = make_batch(["ann"], ["1"], np.ones(1), np.ones(1), np.ones(1), [""], 0)
    with pytest.raises(SourceError, match="other lengths"):
        unpack(pack(msgspec.structs.replace(batch, weights=b"\x00")))
    with pytest.raises(SourceError, match="other lengths"):
        unpack(pack(msgspec.structs.replace(batch, ratings=b"\x00")))


def test_the_packed_form_of_version_1_is_still_read() -> None:
    """Bytes written by version 1, field by field: they may be in flight at an upgrade."""
    data = bytes.fromhex(
        "98 01 91 a3 616e6e 91 a1 37 c4 04 0000803f c4 01 01 c4 08 e803000000000000 91 a1 65 05"
    )
    batch = unpack(data)
    assert rows_of(batch) == [("ann", "7", 1.0, 1, 1000, "e")]
    assert batch.opened == 5
    assert np.isnan(batch.ratings_array).tolist() == [True]


def test_the_packed_form_of_version_2() -> None:
    data = bytes.fromhex(
        "99 02 91 a3 616e6e 91 a1 37 c4 04 0000803f c4 01 01 c4 08 e803000000000000 91 a1 65 05 "
        "c4 04 00009040"
    )
    batch = unpack(data)
    assert rows_of(batch) == [("ann", "7", 1.0, 1, 1000, "e")]
    assert batch.ratings_array.tolist() == [4.5]
    assert pack(batch) == data


def test_ratings_go_with_their_events() -> None:
    batch = make_batch(
        ["ann", "bob", "ann"], ["1", "2", "3"], *np.ones((3, 3)), ["", "", ""], opened=0
    )
    rated = np.array([5, np.nan, 2], "<f4").tobytes()
    parts = split(msgspec.structs.replace(batch, ratings=rated), [1, 0, 1])
    assert parts[1].ratings_array.tolist() == [5, 2]
    assert np.isnan(parts[0].ratings_array).tolist() == [True]
    assert split(batch, [1, 0, 1])[1].ratings == b""


@given(st.lists(batches(), min_size=1, max_size=4))
def test_joined_batches_keep_every_event_in_order(parts: list[EventBatch]) -> None:
    joined = join(parts)
    assert rows_of(joined) == [row for part in parts for row in rows_of(part)]
    assert joined.opened == min(part.opened for part in parts)
    assert unpack(pack(joined)) == joined


def test_joined_ratings_stay_with_their_events() -> None:
    one = make_batch(["u"], ["i"], np.ones(1), np.ones(1), np.ones(1), [""], 0)
    rated = msgspec.structs.replace(one, ratings=np.array([4.5], "<f4").tobytes())
    assert np.isnan(join([one, one]).ratings_array).all()
    np.testing.assert_array_equal(join([one, rated]).ratings_array, [np.nan, 4.5])


@pytest.mark.parametrize(
    ("user", "shard"), [("alice", 7), ("", 0), ("böb 🛒", user_shard("böb 🛒", 32))]
)
def test_user_shards_never_move(user: str, shard: int) -> None:
    assert user_shard(user, 32) == shard


@given(ids, st.integers(1, 1000))
def test_a_shard_lies_in_range(user: str, shards: int) -> None:
    assert 0 <= user_shard(user, shards) < shards


def test_item_keys_never_move() -> None:
    assert item_key("1580") == 4048507677070676398
    assert item_key("") != item_key(" ")
    assert 0 <= item_key("böb 🛒") < 2**64
