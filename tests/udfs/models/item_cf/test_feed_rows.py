"""Rows of pairs in the item feed: what is shortened is read, within the precision it has."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.errors import ServiceError
from udfs.models.item_cf import row_kernels
from udfs.models.item_cf.feed_rows import PairRows, read_short
from udfs.models.item_cf.neighbours import Neighbours, Row
from udfs.models.item_cf.short_rows import shorten
from udfs.models.options import ItemCF

K = 6
values = st.one_of(st.just(0.0), st.floats(2**-20, 1e6, width=32))
rows = st.lists(st.dictionaries(st.integers(0, 40), values, max_size=K), min_size=1, max_size=5)


def filled(given_rows: list[dict[int, float]], span: float) -> Neighbours:
    """A table with these rows, after 30 events."""
    table = Neighbours(ItemCF(neighbours=K, span=span))
    table.put_row(0, Row(30, 0.0, np.zeros(0, np.int32), np.zeros(0, np.float32)))
    for slot, row in enumerate(given_rows):
        names = np.fromiter(row, np.int32, len(row))
        counts = np.fromiter(row.values(), np.float32, len(row))
        table.put_row(slot, Row(30 - slot, 0.5 + slot, names, counts))
    return table


@given(rows, st.sampled_from([0.0, 20.0]), st.integers(0, 50))
def test_a_replica_holds_what_was_sent(
    given_rows: list[dict[int, float]], span: float, ahead: int
) -> None:
    owner, keys = filled(given_rows, span), np.arange(41, dtype=np.uint64) * 7 + 2**63
    slots = np.arange(len(given_rows), dtype=np.int32)[::-1].copy()
    found = read_short(shorten(owner, slots, keys[slots], keys))
    assert found.own.tolist() == keys[slots].tolist()
    named = {name for row in given_rows for name in row}
    assert set(found.keys.tolist()) == {int(keys[name]) for name in named}
    replica = Neighbours(owner.settings)
    replica.put_row(99, Row(ahead, 0.0, slots[:0], np.zeros(0, np.float32)))  # another clock
    place = {int(key): n for n, key in enumerate(keys.tolist())}
    others = np.array([place[int(key)] for key in found.keys.tolist()], np.int32)[found.numbers]
    put = found.clocks, found.weights, found.starts, others, found.values
    replica.put_rows(slots, *put)
    assert replica.clock == max(30, ahead)
    for slot in slots.tolist():
        mine, theirs = replica.get_row(slot), owner.get_row(slot)
        faded = 2.0 ** -((replica.clock - owner.clock) * owner.growth)
        assert mine.slots.tolist() == theirs.slots.tolist(), "in the same order"
        assert mine.weight == pytest.approx(theirs.weight * faded, rel=1e-5)
        largest = float(theirs.values.max(initial=0))
        np.testing.assert_allclose(
            mine.values, theirs.values * faded, rtol=1e-4, atol=largest / 60_000
        )


@given(rows)
def test_masses_are_sums(given_rows: list[dict[int, float]]) -> None:
    table = filled(given_rows, 20.0)
    slots = np.arange(len(given_rows), dtype=np.int32)
    out = np.empty(len(slots))
    row_kernels.masses(slots, table.table, table.gain, out)
    plain = table.values[slots].astype(np.float64).sum(axis=1) / table.gain
    np.testing.assert_allclose(out, plain, rtol=1e-5)


def test_a_row_of_no_known_item_is_skipped_and_a_longer_one_is_cut() -> None:
    owner = filled([{k: float(k) for k in range(K)}, {1: 1.0}], 0.0)
    keys = np.arange(K, dtype=np.uint64)
    found = read_short(shorten(owner, np.array([0, 1], np.int32), keys[:2], keys))
    replica = Neighbours(ItemCF(neighbours=2))
    put = found.clocks, found.weights, found.starts, found.numbers.astype(np.int32), found.values
    replica.put_rows(np.array([5, -1], np.int32), *put)
    assert np.flatnonzero(replica.lengths).tolist() == [5]
    assert replica.get_row(5).slots.tolist() == [0, 1]


def test_many_neighbours_have_wider_numbers() -> None:
    count = 1 << 17
    table = Neighbours(ItemCF(neighbours=2), room=count)
    table.ids[:] = np.arange(2 * count).reshape(count, 2)
    table.values[:], table.lengths[:] = 1.0, 2
    keys = np.arange(2 * count, dtype=np.uint64)
    for rows_given, width in ((1 << 15, 2), (count, 4)):
        slots = np.arange(rows_given, dtype=np.int32)
        short = shorten(table, slots, keys[:rows_given], keys)
        assert len(short.numbers) == width * 2 * rows_given
        assert (read_short(short).numbers == np.arange(2 * rows_given)).all()


@pytest.mark.parametrize(
    "damaged",
    [
        PairRows(heads=b"1"),
        PairRows(keys=b"1"),
        PairRows(shares=b"\0\0"),
        PairRows(numbers=b"\0\0", shares=b"\0\0"),
        PairRows(heads=bytes(24) + b"\1\0", numbers=b"\0\0", shares=b"\0\0"),
    ],
)
def test_damage_is_refused(damaged: PairRows) -> None:
    with pytest.raises(ServiceError, match="rows of pairs"):
        read_short(damaged)


def test_nothing_is_read_as_nothing() -> None:
    found = read_short(PairRows())
    assert (len(found.own), found.starts.tolist(), len(found.keys)) == (0, [0], 0)
