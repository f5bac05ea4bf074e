"""Item-based collaborative filtering against plain dictionaries that keep every pair."""

from __future__ import annotations

import math
from collections import defaultdict
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.udfs.test_kernels import Pages
from udfs import neighbour_kernels as kernels
from udfs.neighbours import Neighbours, NeighbourSettings, Row, Windows
from udfs.ranking import Ranked

USERS, ITEMS, N = 3, 12, 5
ALL = np.arange(USERS, dtype=np.int32)
Amounts = list[tuple[int, float]]
Event = tuple[int, int, float, bool]
"""User slot, item slot, weight, whether consumed."""

weights = st.sampled_from([-1.0, 0.0, 0.5, 1.0, 3.0, 1e30])
events = st.lists(
    st.tuples(st.integers(0, USERS - 1), st.integers(-1, ITEMS - 1), weights, st.booleans()),
    min_size=1,
    max_size=80,
)
chosen = st.builds(
    NeighbourSettings,
    neighbours=st.just(ITEMS),
    window=st.integers(1, 6),
    floor=st.sampled_from([0.0, 0.4]),
    backward=st.sampled_from([0.0, 0.6, 1.0]),
    span=st.sampled_from([0.7, 30.0, math.inf]),
    recent=st.integers(1, 8),
    target_power=st.sampled_from([0.0, 0.5]),
    source_power=st.sampled_from([0.0, 0.6]),
)


class Plain:
    """Every pair and every weight with the number of the event that gave it."""

    def __init__(self, s: NeighbourSettings) -> None:
        self.s, self.now = s, 0
        self.history: dict[int, list[int]] = defaultdict(list)
        self.given: dict[tuple[int, int], Amounts] = defaultdict(list)
        self.weights: dict[int, Amounts] = defaultdict(list)

    def learn(self, part: list[Event]) -> None:
        s = self.s
        for user, item, weight, flag in part:
            past = self.history[user]
            if item < 0 or item in past:
                continue
            if weight > 0:
                weight = min(weight, 16.0)
                self.weights[item].append((self.now, weight))
                for d, h in enumerate(past[::-1][: s.window], 1):
                    f = weight * (math.exp(-(d - 1) / s.window_decay) + s.floor)
                    self.given[h, item].append((self.now, f))
                    self.given[item, h].append((self.now, f * s.backward))
                self.now += 1
            if flag:
                past.append(item)

    def aged(self, amounts: Amounts) -> float:
        return sum(x * math.exp(-(self.now - at) / self.s.span) for at, x in amounts)

    def parts(self, user: int, item: int) -> Amounts:
        """What each history item, newest first, gives to the score of `item`."""
        s, found = self.s, []
        damping = (self.aged(self.weights[item]) + s.shrink) ** -s.target_power
        for k, h in enumerate(self.history[user][::-1][: s.recent]):
            pull = damping * math.exp(-k / s.position_decay)
            pull /= (self.aged(self.weights[h]) + s.shrink) ** s.source_power
            found.append((h, pull * self.aged(self.given[h, item])))
        return found

    def scores(self, user: int) -> list[float]:
        totals = [sum(part for _, part in self.parts(user, item)) for item in range(ITEMS)]
        return [x / (1 + x) for x in totals]


class World:
    """A `Neighbours` with what stands around it: pages and a catalogue, both bare arrays."""

    def __init__(self, s: NeighbourSettings, room: int = 1) -> None:
        self.model = Neighbours(s, room)
        self.pages: Any = Pages(USERS, 64)
        self.catalogue: Any = SimpleNamespace(size=ITEMS, alive=np.ones(ITEMS, np.bool_))

    def learn(self, part: list[Event]) -> Windows:
        users, items, weights, flags = (np.array(column) for column in zip(*part, strict=True))
        windows = self.model.learn(
            self.pages, self.catalogue, users.astype(np.int32), items.astype(np.int32),
            weights.astype(np.float32), flags.astype(np.uint8),
        )  # fmt: skip
        self.pages.add([(u, i, flag) for u, i, _, flag in part])
        return windows

    def rank(self, exclude: bool = True) -> Ranked:
        return self.model.rank(self.pages, self.catalogue, ALL, N, exclude)

    def columns(self) -> list[list[Any]]:
        m = self.model
        return [a[:ITEMS].tolist() for a in (m.ids, m.values, m.lengths, m.counts)]


def both(s: NeighbourSettings, part: list[Event]) -> tuple[World, Plain]:
    world, plain = World(s), Plain(s)
    world.learn(part)
    plain.learn(part)
    return world, plain


def pairs(world: World) -> dict[tuple[int, int], float]:
    rows = [world.model.get_row(slot) for slot in range(ITEMS)]
    return {
        (slot, int(j)): float(row.values[k])
        for slot, row in enumerate(rows)
        for k, j in enumerate(row.slots)
    }


@settings(max_examples=80)
@given(chosen, events, st.integers(0, 79))
def test_pairs_are_the_reference_however_events_are_batched(
    s: NeighbourSettings, given_events: list[Event], cut: int
) -> None:
    world, plain = World(s), Plain(s)
    for part in filter(None, (given_events[:cut], given_events[cut:])):
        world.learn(part)
        plain.learn(part)
    assert world.model.clock == plain.now
    assert 0 <= world.model.log_gain < 32
    found = pairs(world)
    for pair, amounts in plain.given.items():
        assert found.pop(pair, 0.0) == pytest.approx(plain.aged(amounts), rel=1e-5, abs=1e-30)
    assert not found
    weights = [world.model.get_row(slot).weight for slot in range(ITEMS)]
    wanted = [plain.aged(plain.weights[slot]) for slot in range(ITEMS)]
    assert weights == pytest.approx(wanted, rel=1e-6, abs=1e-30)


@settings(max_examples=80)
@given(chosen, events, st.booleans(), st.lists(st.integers(0, ITEMS - 1)))
def test_lists_are_all_scores_sorted(
    s: NeighbourSettings, given_events: list[Event], exclude: bool, dead: list[int]
) -> None:
    world, plain = both(s, given_events)
    world.catalogue.alive[dead] = False
    for _ in range(2):  # a call leaves nothing behind for the next
        items, scores = world.rank(exclude=exclude)
    for user in range(USERS):
        eaten = plain.history[user] if exclude else []
        wanted = plain.scores(user)
        left = [j for j in range(ITEMS) if j not in eaten and j not in dead and wanted[j] > 1e-20]
        best = sorted((wanted[j] for j in left), reverse=True)[:N]
        count = (items[user] >= 0).sum()
        found, values = items[user, :count].tolist(), scores[user, :count]
        assert len(set(found)) == count >= len(best)
        assert set(found) <= set(range(ITEMS)) - set(eaten) - set(dead)
        np.testing.assert_allclose(values[: len(best)], best, rtol=1e-4)
        np.testing.assert_allclose(values, [wanted[j] for j in found], rtol=1e-4, atol=1e-20)
        assert np.isneginf(scores[user, count:]).all()


@settings(max_examples=60)
@given(chosen, events)
def test_reasons_are_the_largest_parts(s: NeighbourSettings, given_events: list[Event]) -> None:
    world, plain = both(s, given_events)
    items, _ = world.rank()
    for _ in range(2):
        reasons, shares = world.model.explain(world.pages, ALL, items)
    for user in range(USERS):
        for item, why, share in zip(items[user], reasons[user], shares[user], strict=True):
            parts = dict(plain.parts(user, int(item)))
            total = sum(parts.values())
            if total < 1e-20:
                assert item >= 0 or why.tolist() == [-1] * 3
                continue
            wanted = sorted((x / total for x in parts.values() if x / total > 1e-6), reverse=True)
            np.testing.assert_allclose(share[: len(wanted)], wanted[:3], rtol=1e-3)
            named = [parts[h] / total if h >= 0 else 0.0 for h in why.tolist()]
            np.testing.assert_allclose(share, named, rtol=1e-3, atol=1e-9)


@given(st.tuples(*[st.integers(1, 3)] * (ITEMS - 1)), st.permutations(range(1, ITEMS)))
def test_equal_scores_stand_by_lower_slot(values: tuple[int, ...], order: list[int]) -> None:
    world = World(NeighbourSettings(target_power=0.0, source_power=0.0))
    world.pages.add([(user, 0, True) for user in range(USERS)])
    amounts = np.array([values[slot - 1] for slot in order], np.float32)
    world.model.put_row(0, Row(0, 1.0, np.array(order, np.int32), amounts))
    wanted = sorted(range(1, ITEMS), key=lambda slot: (-values[slot - 1], slot))
    assert world.rank()[0].tolist() == [wanted[:N]] * USERS


@given(chosen, events)
def test_renormalising_changes_no_score(s: NeighbourSettings, given_events: list[Event]) -> None:
    world = World(s)
    world.learn(given_events)
    model = world.model
    model.values *= np.float32(2.0**32)
    model.counts *= 2.0**32
    model.log_gain += 32
    before, rows = world.rank(), pairs(world)
    kernels.renormalise(model.values, model.counts)
    model.log_gain -= 32
    assert all(map(np.array_equal, before, world.rank()))
    assert pairs(world) == rows


@settings(max_examples=60)
@given(chosen, events, events)
def test_rows_carry_everything(
    s: NeighbourSettings, first: list[Event], second: list[Event]
) -> None:
    """What has been put into an empty model, whatever its gain, goes on as the old one does."""
    (old, history), new = both(s, first), World(s)
    new.pages = old.pages
    for slot in range(ITEMS):
        new.model.put_row(slot, old.model.get_row(slot))
    np.testing.assert_allclose(new.rank()[1], old.rank()[1], rtol=1e-4, atol=1e-20)
    old.learn(second)
    new.pages = Pages(USERS, 64)
    new.pages.add([(u, i, True) for u in range(USERS) for i in history.history[u]])
    new.learn(second)
    assert new.model.clock == old.model.clock
    found, wanted = pairs(new), pairs(old)
    assert list(found) == list(wanted)
    np.testing.assert_allclose([*found.values()], [*wanted.values()], rtol=1e-4, atol=1e-20)


def test_a_row_of_an_earlier_clock_has_aged() -> None:
    model = Neighbours(NeighbourSettings(span=100.0, neighbours=2))
    model.put_row(0, Row(5000, 1.0, np.ones(1, np.int32), np.ones(1, np.float32)))
    slots = np.array([7, 8, 900], np.int32)
    model.put_row(3, Row(4900, 2.0, slots, np.array([1.0, 3.0, 2.0], np.float32)))
    row = model.get_row(3)
    assert model.clock == 5000
    assert row.weight == pytest.approx(2 / math.e)
    assert row.slots.tolist() == [8, 900], "the largest K"
    assert row.values.tolist() == pytest.approx([3 / math.e, 2 / math.e], rel=1e-5)


@given(events, st.integers(1, 4))
def test_a_full_row_holds_no_more_than_was_counted(given_events: list[Event], room: int) -> None:
    world, plain = both(NeighbourSettings(neighbours=room), given_events)
    for (slot, other), value in pairs(world).items():
        assert 0 < value <= plain.aged(plain.given[slot, other]) * 1.00001
    for slot in range(ITEMS):
        found = world.model.get_row(slot).slots.tolist()
        counted = [pair for pair in plain.given if pair[0] == slot]
        assert len(set(found)) == len(found) == min(room, len(counted))


def test_a_newcomer_replaces_the_smallest() -> None:
    ids, values = np.array([4, 5, 6], np.int32), np.array([3.0, 1.0, 1.0], np.float32)
    length = kernels.add_pair(ids, values, 3, 9, np.float32(2.0))
    assert (length, ids.tolist(), values.tolist()) == (3, [4, 9, 6], [3.0, 2.0, 1.0])


@given(chosen, st.lists(events, min_size=1, max_size=3), st.sets(st.integers(0, ITEMS - 1)))
def test_owners_of_some_items_count_what_the_owner_of_all_does(
    s: NeighbourSettings, batches: list[list[Event]], own: set[int]
) -> None:
    """Two owners with rows of their own, told the pairs alone, have the rows of one for all."""
    world = World(s, ITEMS)
    owners = [Neighbours(s, ITEMS) for _ in range(2)]
    kept = np.array([j in own for j in range(ITEMS)])
    rows = [np.where(mask, np.arange(ITEMS), -1).astype(np.int32) for mask in (kept, ~kept)]
    for part in batches:
        before, changed = world.columns(), set()
        windows = world.learn(part)
        for owner, row in zip(owners, rows, strict=True):
            changed |= set(owner.count(windows, row[windows.heads], row[windows.others]).tolist())
        for j in set(range(ITEMS)) - changed:
            assert world.model.growth or [c[j] for c in before] == [c[j] for c in world.columns()]
    for owner, mask in zip(owners, (kept, ~kept), strict=True):
        assert owner.clock == world.model.clock
        for j in np.flatnonzero(mask):
            found, wanted = owner.get_row(j), world.model.get_row(j)
            assert found.slots.tolist() == wanted.slots.tolist()
            np.testing.assert_allclose(found.values, wanted.values, rtol=1e-5)
            assert found.weight == pytest.approx(wanted.weight)


@given(events, st.sets(st.integers(0, ITEMS - 1), min_size=1))
def test_compacting_keeps_the_pairs_of_the_kept(given_events: list[Event], kept: set[int]) -> None:
    world = World(NeighbourSettings())
    world.learn(given_events)
    slots = sorted(kept)
    wanted = {pair: value for pair, value in pairs(world).items() if set(pair) <= kept}
    weights = world.model.counts[slots]
    world.model = world.model.compact(np.array(slots))
    assert np.array_equal(world.model.counts[: len(slots)], weights)
    found = {(slots[a], slots[b]): value for (a, b), value in pairs(world).items()}
    assert found == wanted
    world.model.clear(np.arange(len(slots)))
    assert not pairs(world)


def test_an_item_10_000_times_stays_finite() -> None:
    world = World(NeighbourSettings(span=10.0, neighbours=3))
    world.pages.add([(user, 0, True) for user in range(USERS)])
    world.learn([(k % USERS, k * 7 % ITEMS, 1e30, False) for k in range(10_000)])
    assert np.isfinite(world.model.values).all()
    assert np.isfinite(world.model.counts).all()
    items, scores = world.rank()
    assert ((scores > 0) & (scores <= 1)).all(where=items >= 0)
