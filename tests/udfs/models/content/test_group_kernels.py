"""Groups of items: the laws that they keep, whatever comes and goes."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from udfs.models.content import group_kernels
from udfs.models.content.features import WIDTH
from udfs.models.content.group_kernels import FULL, ITEMS, USED
from udfs.models.content.source import Described


def described(room: int) -> Described:
    """A table with so much room."""
    table = Described()
    table.reserve(room)
    return table


def unit(x: Any) -> Any:
    """Rows as int8 unit vectors."""
    x = np.asarray(x, np.float64)
    return np.rint(127 * x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.int8)


def chains(table: Described) -> list[list[int]]:
    """The items of each group, read along the chains, which are sound both ways."""
    groups, found = table.groups, []
    for group in range(int(table.counts[USED])):
        at, before, items = int(groups.heads[group]), 0, []
        while at > 0:
            assert groups.before[at - 1] == before
            assert groups.of[at - 1] == group + 1
            items.append(at - 1)
            at, before = int(groups.after[at - 1]), at
        assert groups.sizes[group] == len(items)
        found.append(items)
    return found


@settings(max_examples=30)
@given(st.integers(1, 400), st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_each_described_item_is_in_one_group(items: int, kinds: int, seed: int) -> None:
    random, table = np.random.default_rng(seed), described(512)
    known: set[int] = set()
    centres = random.normal(size=(kinds, WIDTH))
    for _ in range(6):
        slots = random.choice(items, random.integers(1, items + 1), replace=False)
        noise = random.choice([0.0, 0.5])
        kind = random.integers(kinds, size=len(slots))
        vectors = unit(centres[kind] + noise * random.normal(size=(len(slots), WIDTH)))
        vectors[random.random(len(slots)) < 0.2] = 0
        table.put(slots.astype(np.int32), vectors)
        known -= set(slots.tolist())
        known |= set(slots[vectors.any(axis=1)].tolist())
        if random.random() < 0.3:
            gone = random.choice(items, random.integers(1, items + 1), replace=False)
            table.clear(gone)
            known -= set(gone.tolist())
        every = [item for chain in chains(table) for item in chain]
        assert sorted(every) == sorted(known)
        assert table.counts[ITEMS] == len(known)


def test_a_large_group_is_split_where_its_items_differ() -> None:
    random, table = np.random.default_rng(1), described(2048)
    centres = random.normal(size=(8, WIDTH))
    kind = np.repeat(np.arange(8), 100)
    random.shuffle(kind)
    vectors = unit(centres[kind] + 0.2 * random.normal(size=(800, WIDTH)))
    table.put(np.arange(800, dtype=np.int32), vectors)
    sizes = [len(chain) for chain in chains(table)]
    assert max(sizes) < 2 * FULL
    mixed = sum(len(set(kind[chain].tolist())) - 1 for chain in chains(table) if chain)
    assert mixed <= 3


def test_equal_items_stay_together() -> None:
    table = described(1024)
    one = unit(np.ones((1, WIDTH)))
    table.put(np.arange(500, dtype=np.int32), np.repeat(one, 500, axis=0))
    assert [len(chain) for chain in chains(table)] == [500]


def test_moved_items_are_grouped_again() -> None:
    random, table = np.random.default_rng(2), described(512)
    vectors = unit(random.normal(size=(300, WIDTH)))
    table.put(np.arange(300, dtype=np.int32), vectors)
    kept = np.arange(299, 99, -1)
    place = table.keep(kept)
    table.renumber(place)
    assert (table.vectors[:200] == vectors[kept]).all()
    assert sorted(item for chain in chains(table) for item in chain) == list(range(200))


def test_the_nearest_centre() -> None:
    random = np.random.default_rng(3)
    vectors, centres = unit(random.normal(size=(50, WIDTH))), unit(random.normal(size=(9, WIDTH)))
    products = vectors.astype(np.int64) @ centres.astype(np.int64).T
    for row in range(50):
        found = group_kernels.nearest(row, vectors, centres, 7)
        assert found == products[row, :7].argmax()
