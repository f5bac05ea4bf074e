"""The loops between a batch and its messages against plain Python."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.feed import change_kernels
from udfs.feed.change_kernels import Demand, Grouped, Owed, People
from udfs.memory.history_kernels import Batch
from udfs.memory.popularity_kernels import SPANS
from udfs.models.factors.arrays import ItemFactors

D, USERS, ITEMS, HALF_LIFE = 2, 4, 9, 1000.0
WIDTH = 2 * D + 4

events = st.tuples(
    st.integers(0, USERS - 1),
    st.integers(-1, ITEMS - 1),
    st.sampled_from([1.0, 0.5, 0.0, -1.0]),
    st.integers(0, 1),
    st.one_of(st.integers(0, 5000), st.integers(0, 10**9)),
)
batches = st.lists(st.lists(events, min_size=1, max_size=12), min_size=1, max_size=4)


class World:
    """Items and users before anything was learned, and what is owed of them."""

    def __init__(self) -> None:
        random = np.random.default_rng(1)

        def factors(*shape: int) -> Any:
            return random.normal(size=shape).astype(np.float32)

        self.items = ItemFactors(
            factors(ITEMS, D), factors(ITEMS, D), factors(ITEMS), factors(ITEMS, 3),
            np.ones(ITEMS, np.bool_),
        )  # fmt: skip
        self.people = People(*(np.zeros(USERS, np.int64) for _ in range(3)))
        self.demand = Demand(
            np.zeros(ITEMS), np.zeros(ITEMS), np.zeros((ITEMS, 4)), np.zeros(ITEMS, np.int64),
            np.zeros(ITEMS, np.int64),
        )  # fmt: skip
        room = 2 * ITEMS + 64
        self.owed = Owed(
            np.full(room, -7, np.int32), np.full((room, WIDTH), 77, np.float32),
            np.full(room, 77.0), np.full(room, 77.0), np.full(room, 77), np.full((room, 4), 77.0),
            random.integers(0, ITEMS, ITEMS).astype(np.int32),  # what is left of earlier batches
        )  # fmt: skip
        self.count = 0

    def row(self, j: int) -> list[float]:
        """The factors of an item in the order of `Owed.before`."""
        i = self.items
        return [*i.q[j].tolist(), float(i.bias[j]), *i.spread[j].tolist(), *i.y[j].tolist()]

    def tally(self, rows: list[Any], touched: list[int], now: int) -> tuple[int, int]:
        """Touch items as the step of the factors does, change them, count the events."""
        for k, j in enumerate(touched):
            self.owed.slots[self.count + k] = j
            self.owed.before[self.count + k] = self.row(j)
            for column in self.items[:4]:
                column[j] += np.float32(0.5)
        users, items, weights, flags, ts = (np.array(x) for x in zip(*rows, strict=True))
        batch = Batch(
            users.astype(np.int32), items.astype(np.int32),
            weights.astype(np.float32), flags.astype(np.uint8),
        )  # fmt: skip
        self.count, fresh, newest = change_kernels.tally(
            batch, ts.astype(np.int64), now, HALF_LIFE, self.people, self.demand, self.items,
            self.owed, self.count, len(touched),
        )  # fmt: skip
        return fresh, newest


def decayed(rows: list[tuple[float, int]], half_life: float = HALF_LIFE) -> tuple[float, float]:
    """The sum at the latest time."""
    at = max((ms for _, ms in rows), default=0)
    return sum(w * 2 ** (-(at - ms) / half_life) for w, ms in rows), float(at)


@given(batches, st.data())
def test_a_batch_is_counted_for_its_users_and_its_items(
    parts: list[list[Any]], data: st.DataObject
) -> None:
    world, before = World(), {}
    first = [world.row(j) for j in range(ITEMS)]
    met: set[int] = set()
    for now, rows in enumerate(parts, 10_000):
        touched = data.draw(st.lists(st.integers(0, ITEMS - 1), unique=True))
        fresh, newest = world.tally(rows, touched, now)
        users = {row[0] for row in rows}
        assert (fresh, newest) == (len(users - met), max(row[4] for row in rows))
        met |= users
        for j in [*touched, *(row[1] for row in rows if row[1] >= 0)]:
            before.setdefault(j, first[j])
        assert all(world.people.seen[u] == now for u in users)
    whole = [row for rows in parts for row in rows]
    for u in range(USERS):
        own = [row for row in whole if row[0] == u]
        assert world.people.events[u] == sum(row[2] != 0 or row[3] == 1 for row in own)
        assert world.people.last[u] == max((row[4] for row in own), default=0)
    slots = world.owed.slots[: world.count].tolist()
    assert sorted(slots) == sorted(before), "each item once, whenever it was touched"
    for at, j in enumerate(slots):
        own = [row for row in whole if row[1] == j]
        weights = [(max(row[2], 0), row[4]) for row in own]
        total, latest = decayed(weights)
        owed, demand = world.owed, world.demand
        for value, when, count, sums in (
            (owed.weight[at], owed.weight_at[at], owed.events[at], owed.sums[at]),
            (demand.popularity[j], demand.popularity_at[j], demand.events[j], demand.sums[j]),
        ):
            assert [value, when, count] == [pytest.approx(total), latest, len(own)]
            if own:
                wanted = [decayed(weights, span)[0] for span in SPANS]
                assert sums.tolist() == pytest.approx(wanted)
        assert world.owed.before[at].tolist() == before[j], "what it was before the first batch"


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.booleans()), max_size=20),
)
def test_changes_are_grouped_by_shard(rows: list[tuple[int, int, bool]]) -> None:
    n, shards = len(rows), np.array([shard for shard, _, _ in rows], np.int32)
    random = np.random.default_rng(n)
    change = random.normal(size=(n, WIDTH)).astype(np.float32)
    change[[not moved for _, _, moved in rows], D + 4 :] = 0
    keys, weight, at = random.integers(0, 2**64, n, np.uint64), random.random(n), random.random(n)
    counts = np.array([count for _, count, _ in rows], np.int64)
    sums = random.random((n, 4))
    out = Grouped.room(n, D, 4)
    change_kernels.group(change, keys, weight, at, counts, sums, shards, out)
    for shard in range(4):
        own = np.flatnonzero(shards == shard)
        (a, b), (c, e), (f, g) = (out.starts[k, shard : shard + 2].tolist() for k in range(3))
        for found, wanted in (
            (out.keys, keys), (out.weight, weight), (out.weight_at, at), (out.events, counts),
            (out.change, change[:, : D + 4]),
        ):  # fmt: skip
            assert np.array_equal(found[a:b], wanted[own])
        moved = [k for k, j in enumerate(own) if rows[j][2]]
        assert out.moved[c:e].tolist() == moved
        assert np.array_equal(out.context[c:e], change[own][moved, D + 4 :])
        named = [j for j in own if rows[j][1] > 0]
        assert out.named[f:g].tolist() == named
        assert np.array_equal(out.sums[f:g], sums[named])


def test_an_item_changes_by_what_it_gained() -> None:
    world = World()
    world.tally([(0, 3, 0.0, 1, 5)], [1, 2], 9)
    n = world.count
    change, keys = np.empty((n, WIDTH), np.float32), np.empty(n, np.uint64)
    shards, own = np.empty(n, np.int32), np.arange(ITEMS, dtype=np.int32) % 2
    names = np.arange(100, 100 + ITEMS, dtype=np.uint64)
    found = SimpleNamespace(slots=world.owed.slots[:n], before=world.owed.before)
    change_kernels.changes(found.slots, found.before, world.items, names, own, change, keys, shards)
    np.testing.assert_allclose(change, np.array([[0.5] * WIDTH] * 2 + [[0] * WIDTH]), atol=1e-6)
    assert (keys.tolist(), shards.tolist()) == ([101, 102, 103], [1, 0, 1])
