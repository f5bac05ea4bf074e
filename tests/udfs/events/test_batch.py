"""The event batch: what is packed comes back, and a split loses and reorders nothing."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.udfs.builders import batch_of, with_columns
from udfs.errors import SourceError
from udfs.events.batch import (
    EventBatch,
    cut,
    item_key,
    join,
    make_batch,
    pack,
    split,
    unpack,
    user_shard,
)

FIXTURES = Path(__file__).parents[1] / "fixtures"

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
    numbers = (batch.weights, batch.flags, batch.ts)
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
    assert batch.weights.tolist() == [0.5, -1.0]
    assert batch.flags.tolist() == [1, 2]
    assert batch.consumed.tolist() == [True, False]
    assert batch.ts.tolist() == [7, 8]
    assert len(batch) == 2


def test_split_refuses_another_number_of_shards() -> None:
    batch = make_batch(["ann"], ["1"], np.ones(1), np.ones(1), np.ones(1), [""], 0)
    with pytest.raises(ValueError, match="2 shards were given for 1 events"):
        split(batch, [0, 1])


def packed(columns: dict[str, object], version: int = 3) -> bytes:
    return msgspec.msgpack.encode([version, 5, columns])


WHOLE: dict[str, object] = {
    "users": ["ann"], "items": ["1"], "weights": bytes(4), "flags": b"\x01", "ts": bytes(8),
}  # fmt: skip


def test_another_version_is_named() -> None:
    with pytest.raises(SourceError, match="version 4, this millirec reads version 3"):
        unpack(packed(WHOLE, version=4))
    with pytest.raises(SourceError, match="version 9, this millirec reads version 3"):
        unpack(msgspec.msgpack.encode([9, "other columns"]))


@pytest.mark.parametrize("data", [b"", b"\x00", b"\xc1", msgspec.msgpack.encode([1, ["ann"]])])
def test_bytes_that_are_no_batch_get_a_sentence(data: bytes) -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        unpack(data)


def test_columns_of_other_lengths_are_damage() -> None:
    assert len(unpack(packed(WHOLE))) == 1
    with pytest.raises(SourceError, match="other lengths, such as 'weights'"):
        unpack(packed(WHOLE | {"weights": b"\x00"}))
    with pytest.raises(SourceError, match="other lengths, such as 'ratings'"):
        unpack(packed(WHOLE | {"ratings": b"\x00"}))
    with pytest.raises(SourceError, match="'ts' of another kind"):
        unpack(packed(WHOLE | {"ts": ["a"]}))
    with pytest.raises(SourceError, match="has no column 'items'"):
        unpack(packed({name: WHOLE[name] for name in WHOLE if name != "items"}))


def test_an_unknown_column_is_ignored() -> None:
    batch = unpack(packed(WHOLE | {"mood": ["merry"], "noise": bytes(8)}))
    assert set(batch.columns) == set(WHOLE)
    assert (batch.users, batch.opened) == (["ann"], 5)


@pytest.mark.parametrize("version", [1, 2])
def test_older_packed_forms_are_still_read(version: int) -> None:
    """They may be in the state of a job, or in flight, during an upgrade."""
    batch = unpack(bytes.fromhex((FIXTURES / f"batch-v{version}.hex").read_text()))
    assert batch.users == ["ann", "böb 🛒", "ann"]
    assert batch.items == ["7", "1580", "a b"]
    assert batch.weights.tolist() == [np.float32(1.2), -1, 0]
    assert batch.flags.tolist() == [1, 1, 0]
    assert batch.ts.tolist() == [1661431896711, 1661431896712, 1700000000000]
    assert batch.ids == ["", "e-2", ""]
    assert batch.opened == 1700000000123
    ratings = [np.nan, 4.5, 2] if version == 2 else [np.nan] * 3
    np.testing.assert_array_equal(batch.ratings, ratings)
    assert unpack(pack(batch)) == batch


def test_a_damaged_older_batch_is_reported() -> None:
    data = msgspec.msgpack.encode([2, ["ann"], ["7"], bytes(3), b"\x00", bytes(8), [""], 5, b""])
    with pytest.raises(SourceError, match="other lengths, such as 'weights'"):
        unpack(data)


def test_the_packed_form_of_version_3() -> None:
    batch = make_batch(
        ["ann"], ["7"], np.ones(1), np.ones(1), np.array([1000]), ["e"], 5, ratings=[4.5]
    )
    data = bytes.fromhex(
        "93 03 05 87 a5 7573657273 91 a3 616e6e a5 6974656d73 91 a1 37"
        "a7 77656967687473 c4 04 0000803f a5 666c616773 c4 01 01"
        "a2 7473 c4 08 e803000000000000 a3 696473 91 a1 65 a7 726174696e6773 c4 04 00009040"
    )
    assert pack(batch) == data
    assert unpack(data) == batch


def test_ratings_go_with_their_events() -> None:
    batch = make_batch(
        ["ann", "bob", "ann"], ["1", "2", "3"], *np.ones((3, 3)), ["", "", ""], opened=0
    )
    parts = split(with_columns(batch, ratings=[5, np.nan, 2]), [1, 0, 1])
    assert parts[1].ratings.tolist() == [5, 2]
    assert np.isnan(parts[0].ratings).tolist() == [True]
    assert "ratings" not in split(batch, [1, 0, 1])[1].columns


def test_arrays_are_read_only_wherever_a_batch_comes_from() -> None:
    """Or kernels would be compiled twice, the second time in the stream."""
    one = make_batch(["u"], ["i"], np.ones(1), np.ones(1), np.ones(1), [""], 0, ratings=np.ones(1))
    taken = one.take(np.array([0])), one.take(np.array([True])), *cut(join([one, one]), [1])
    for batch in (one, unpack(pack(one)), join([one, one]), *taken):
        assert not any(
            batch.column(name).flags.writeable for name in ("weights", "flags", "ts", "ratings")
        )


@given(st.lists(batches(), min_size=1, max_size=4))
def test_joined_batches_keep_every_event_in_order(parts: list[EventBatch]) -> None:
    joined = join(parts)
    assert rows_of(joined) == [row for part in parts for row in rows_of(part)]
    assert joined.opened == min(part.opened for part in parts)
    assert unpack(pack(joined)) == joined


def test_joined_ratings_stay_with_their_events() -> None:
    one = make_batch(["u"], ["i"], np.ones(1), np.ones(1), np.ones(1), [""], 0)
    rated = with_columns(one, ratings=[4.5])
    assert np.isnan(join([one, one]).ratings).all()
    np.testing.assert_array_equal(join([one, rated]).ratings, [np.nan, 4.5])


@pytest.mark.parametrize(
    ("user", "shard"), [("alice", 7), ("", 0), ("böb 🛒", user_shard("böb 🛒", 32))]
)
def test_user_shards_never_move(user: str, shard: int) -> None:
    assert user_shard(user, 32) == shard


@given(ids, st.integers(1, 1000))
def test_a_shard_is_in_range(user: str, shards: int) -> None:
    assert 0 <= user_shard(user, shards) < shards


def test_item_keys_never_move() -> None:
    assert item_key("1580") == 4048507677070676398
    assert item_key("") != item_key(" ")
    assert 0 <= item_key("böb 🛒") < 2**64


def numbered(n: int) -> EventBatch:
    pairs = [(f"u{k}", f"i{k}") for k in range(n)]
    return batch_of(pairs, [float(k) for k in range(n)], ts=list(range(n)))


def test_selected_events_keep_all_their_columns() -> None:
    whole = numbered(4)
    some = whole.take(np.array([True, False, False, True]))
    assert (some.users, some.items, some.opened) == (["u0", "u3"], ["i0", "i3"], whole.opened)
    assert some.weights.tolist() == [0, 3]
    rated = with_columns(whole, ratings=np.arange(4))
    assert rated.take(np.array([False, True, True, False])).ratings.tolist() == [1, 2]
    assert some.ts.tolist() == [0, 3]
    assert [part.users for part in cut(whole, range(1, 4))] == [["u0"], ["u1"], ["u2"], ["u3"]]
    kept = np.arange(4)
    for part, begin, end in zip(cut(rated, [1, 3]), (0, 1, 3), (1, 3, 4), strict=True):
        assert part == rated.take((kept >= begin) & (kept < end))
    assert list(cut(whole.take(kept > 9), [])) == []
