"""Item-based collaborative filtering against plain dictionaries that keep every pair."""

from __future__ import annotations

import functools
import math
from collections import defaultdict
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.udfs.memory.test_history_kernels import Pages
from udfs.memory import history_kernels
from udfs.models.evidence import LINE
from udfs.models.item_cf import counting_kernels, evidence_kernels
from udfs.models.item_cf import neighbours as constants
from udfs.models.item_cf.neighbours import Neighbours, Row, Windows
from udfs.models.options import ItemCF

USERS, ITEMS = 3, 12
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
chosen = st.tuples(
    st.builds(
        ItemCF,
        neighbours=st.just(ITEMS),
        window=st.integers(1, 6),
        span=st.sampled_from([0.7, 30.0, 0.0]),
    ),
    st.fixed_dictionaries(
        {
            "FLOOR": st.sampled_from([0.0, 0.4]),
            "BACKWARD": st.sampled_from([0.0, 0.6, 1.0]),
            "RECENT": st.integers(1, 8),
            "TARGET_POWER": st.sampled_from([0.0, 0.5]),
            "SOURCE_POWER": st.sampled_from([0.0, 0.6]),
        }
    ),
)


def shaped(test: Callable[..., None]) -> Callable[..., None]:
    """A test that gets options `s` drawn from `chosen`, and runs with their constants."""

    @functools.wraps(test)
    def run(**given: Any) -> None:
        options, shape = given.pop("s")
        with patch.multiple(constants, **shape):
            test(s=options, **given)

    return run


class Plain:
    """Every pair and every weight with the number of the event that gave it."""

    def __init__(self, s: ItemCF, repeats: bool = False) -> None:
        self.s, self.now, self.repeats = s, 0, repeats
        self.history: dict[int, list[tuple[int, bool]]] = defaultdict(list)  # and whether liked
        self.given: dict[tuple[int, int], Amounts] = defaultdict(list)
        self.weights: dict[int, Amounts] = defaultdict(list)

    def learn(self, part: list[Event]) -> None:
        s = self.s
        for user, item, weight, flag in part:
            past = self.history[user]
            places = [k for k, (other, _) in enumerate(past) if other == item]
            stood = bool(places) and (not self.repeats or places[-1] == len(past) - 1)
            if places and weight and (stood or not flag):
                past[places[-1]] = item, weight > 0
            if item < 0 or (stood and not self.repeats):
                continue
            if weight > 0:
                weight = min(weight, 16.0)
                self.weights[item].append((self.now, weight))
                for d, (h, liked) in enumerate(past[::-1][: s.window], 1):
                    if not liked:
                        continue
                    f = weight * (math.exp(-(d - 1) / constants.WINDOW_DECAY) + constants.FLOOR)
                    self.given[h, item].append((self.now, f))
                    self.given[item, h].append((self.now, f * constants.BACKWARD))
                self.now += 1
            if flag and not stood:
                past.append((item, weight > 0))

    def aged(self, amounts: Amounts) -> float:
        return sum(x * math.exp(-(self.now - at) / (self.s.span or math.inf)) for at, x in amounts)

    def parts(self, user: int, item: int) -> Amounts:
        """What each history item, newest first, contributes to the score of `item`."""
        c, found = constants, []
        damping = (self.aged(self.weights[item]) + c.SHRINK) ** -c.TARGET_POWER
        for k, (h, liked) in enumerate(self.history[user][::-1][: c.RECENT]):
            pull = damping * math.exp(-k / c.POSITION_DECAY)
            pull /= (self.aged(self.weights[h]) + c.SHRINK) ** c.SOURCE_POWER
            found.append((h, (1 if liked else -1) * pull * self.aged(self.given[h, item])))
        return found

    def scores(self, user: int) -> list[float]:
        return [sum(part for _, part in self.parts(user, item)) for item in range(ITEMS)]


class World:
    """A `Neighbours` with its surroundings: pages and a catalogue, both bare arrays."""

    def __init__(self, s: ItemCF, room: int = 1, repeats: bool = False) -> None:
        self.model = Neighbours(s, room)
        self.model.reserve(ITEMS)
        self.pages: Any = Pages(USERS, 64, repeats)
        self.catalogue: Any = SimpleNamespace(size=ITEMS, shown=np.ones(ITEMS, np.bool_))

    def learn(self, part: list[Event]) -> Windows:
        users, items, weights, flags = (np.array(column) for column in zip(*part, strict=True))
        batch = history_kernels.Batch(
            users.astype(np.int32),
            items.astype(np.int32),
            weights.astype(np.float32),
            flags.astype(np.uint8),
        )
        reach, latest = self.model.settings.window, np.full(len(self.pages.tail), -1, np.int32)
        out = Windows.room(len(part), len(part) * reach)
        m = counting_kernels.windows(batch, self.view, reach, latest, out)
        windows = out.first(m, m, out.starts[m])
        self.model.count(windows, windows.heads, windows.others)
        self.remember(part)
        return windows

    def remember(self, part: list[Event]) -> None:
        spare = self.pages.spare(len(part))
        for user, item, weight, flag in part:
            if item >= 0:
                history_kernels.note(item, user, bool(flag), weight, self.view, spare)
        self.pages.take_back(spare)

    def scores(self) -> Any:
        """float32[USERS, ITEMS]."""
        pairs = self.model.pairs
        damping = [(n / pairs.gain + pairs.shrink) ** -pairs.target_power for n in pairs.counts]
        evidence = np.zeros((USERS, ITEMS), np.float32)
        for user in range(USERS):
            touched = np.zeros(ITEMS // LINE + 1, np.uint8)
            evidence_kernels.gather(pairs, user, self.view, evidence[user], touched)
            assert {*np.flatnonzero(evidence[user]) // LINE} <= {*np.flatnonzero(touched)}
        return evidence * np.array(damping, np.float32)[:ITEMS]

    @property
    def view(self) -> history_kernels.History:
        view: history_kernels.History = self.pages.view
        return view

    def columns(self) -> list[list[Any]]:
        m = self.model
        return [a[:ITEMS].tolist() for a in (m.ids, m.values, m.lengths, m.counts)]


def both(s: ItemCF, part: list[Event], repeats: bool = False) -> tuple[World, Plain]:
    world, plain = World(s, repeats=repeats), Plain(s, repeats)
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
@given(chosen, events, st.integers(0, 79), st.booleans())
@shaped
def test_pairs_are_the_reference_however_events_are_batched(
    s: ItemCF, given_events: list[Event], cut: int, repeats: bool
) -> None:
    world, plain = World(s, repeats=repeats), Plain(s, repeats)
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


AGAIN = [(0, 1, -1.0, True), (0, 0, -1.0, True), (0, 1, -1.0, True), (0, 1, 0.5, False)]
ONE = ItemCF(neighbours=12, window=1), {"RECENT": 1}


@settings(max_examples=80)
@given(chosen, events, st.booleans())
@example(ONE, AGAIN, True).via("a word on the last of two places in a history")
@shaped
def test_evidence_is_the_reference(s: ItemCF, given_events: list[Event], repeats: bool) -> None:
    world, plain = both(s, given_events, repeats)
    found = world.scores()
    for user in range(USERS):
        np.testing.assert_allclose(found[user], plain.scores(user), rtol=1e-4, atol=1e-20)


@settings(max_examples=60)
@given(chosen, events)
@shaped
def test_reasons_are_the_largest_parts(s: ItemCF, given_events: list[Event]) -> None:
    world, plain = both(s, given_events)
    items = np.tile(np.append(np.arange(ITEMS), -1), (USERS, 1)).astype(np.int32)
    for _ in range(2):
        reasons, shares = world.model.explain(SimpleNamespace(view=world.view), ALL, items)
    for user in range(USERS):
        rows = zip(items[user, :-1], reasons[user], shares[user], strict=False)
        for item, why, share in rows:
            parts = {h: max(part, 0.0) for h, part in plain.parts(user, int(item))}
            total = sum(parts.values())
            if total < 1e-20:
                continue
            wanted = sorted((x / total for x in parts.values() if x / total > 1e-6), reverse=True)
            np.testing.assert_allclose(share[: len(wanted)], wanted[:3], rtol=1e-3)
            named = [parts[h] / total if h >= 0 else 0.0 for h in why.tolist()]
            np.testing.assert_allclose(share, named, rtol=1e-3, atol=1e-9)


@given(chosen, events)
@shaped
def test_an_item_that_was_taken_again_is_one_reason(s: ItemCF, given_events: list[Event]) -> None:
    world, _ = both(s, given_events, repeats=True)
    items = np.tile(np.arange(ITEMS), (USERS, 1)).astype(np.int32)
    reasons, _ = world.model.explain(SimpleNamespace(view=world.view), ALL, items)
    for named in reasons.reshape(-1, reasons.shape[2]).tolist():
        known = [h for h in named if h >= 0]
        assert len({*known}) == len(known)


@given(chosen, events)
@shaped
def test_renormalising_changes_no_score(s: ItemCF, given_events: list[Event]) -> None:
    world = World(s)
    world.learn(given_events)
    model = world.model
    model.values *= np.float32(2.0**32)
    model.counts *= 2.0**32
    model.log_gain += 32
    before, rows = world.scores(), pairs(world)
    counting_kernels.renormalise(model.values, model.counts)
    model.log_gain -= 32
    np.testing.assert_allclose(world.scores(), before, rtol=1e-5)
    assert pairs(world) == rows


@settings(max_examples=60)
@given(chosen, events, events)
@shaped
def test_rows_carry_everything(s: ItemCF, first: list[Event], second: list[Event]) -> None:
    """Rows put into an empty model, whatever its gain, continue like the old model."""
    (old, history), new = both(s, first), World(s)
    new.pages = old.pages
    for slot in range(ITEMS):
        new.model.put_row(slot, old.model.get_row(slot))
    np.testing.assert_allclose(new.scores(), old.scores(), rtol=1e-4, atol=1e-20)
    old.learn(second)
    new.pages = Pages(USERS, 64)
    past = [(u, i, liked) for u in range(USERS) for i, liked in history.history[u]]
    new.remember([(u, i, 1.0 if liked else -1.0, True) for u, i, liked in past])
    new.learn(second)
    assert new.model.clock == old.model.clock
    found, wanted = pairs(new), pairs(old)
    assert list(found) == list(wanted)
    np.testing.assert_allclose([*found.values()], [*wanted.values()], rtol=1e-4, atol=1e-20)


def test_a_row_of_an_earlier_clock_has_aged() -> None:
    model = Neighbours(ItemCF(span=100.0, neighbours=2))
    model.put_row(0, Row(5000, 1.0, np.ones(1, np.int32), np.ones(1, np.float32)))
    slots = np.array([7, 8, 900], np.int32)
    model.put_row(3, Row(4900, 2.0, slots, np.array([1.0, 3.0, 2.0], np.float32)))
    row = model.get_row(3)
    assert model.clock == 5000
    assert row.weight == pytest.approx(2 / math.e)
    assert row.slots.tolist() == [8, 900], "the largest K"
    assert row.values.tolist() == pytest.approx([3 / math.e, 2 / math.e], rel=1e-5)


@given(events, st.integers(1, 4))
def test_a_full_row_has_no_more_than_was_counted(given_events: list[Event], room: int) -> None:
    world, plain = both(ItemCF(neighbours=room), given_events)
    for (slot, other), value in pairs(world).items():
        assert 0 < value <= plain.aged(plain.given[slot, other]) * 1.00001
    for slot in range(ITEMS):
        found = world.model.get_row(slot).slots.tolist()
        counted = [pair for pair in plain.given if pair[0] == slot]
        assert len(set(found)) == len(found) == min(room, len(counted))


def test_a_newcomer_replaces_the_smallest() -> None:
    ids, values = np.array([[4, 5, 6]], np.int32), np.array([[3.0, 1.0, 1.0]], np.float32)
    bits = values.view(np.int32)
    assert counting_kernels.add_pair(ids, values, bits, 0, 3, 9, np.float32(2.0)) == 3
    assert (ids.tolist(), values.tolist()) == ([[4, 9, 6]], [[3.0, 2.0, 1.0]])


@given(chosen, st.lists(events, min_size=1, max_size=3), st.sets(st.integers(0, ITEMS - 1)))
@shaped
def test_owners_of_some_items_count_the_same_as_an_owner_of_all(
    s: ItemCF, batches: list[list[Event]], own: set[int]
) -> None:
    """Two owners that get only their pairs have the same rows as a single owner."""
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
    world = World(ItemCF())
    world.learn(given_events)
    slots = sorted(kept)
    wanted = {pair: value for pair, value in pairs(world).items() if set(pair) <= kept}
    weights = world.model.counts[slots]
    world.model.renumber(world.model.keep(np.array(slots)))
    assert np.array_equal(world.model.counts[: len(slots)], weights)
    found = {(slots[a], slots[b]): value for (a, b), value in pairs(world).items()}
    assert found == wanted
    world.model.clear(np.arange(len(slots)))
    assert not pairs(world)


def test_10_000_events_of_an_item_stay_finite() -> None:
    world = World(ItemCF(span=10.0, neighbours=3))
    world.pages.add([(user, 0, True) for user in range(USERS)])
    world.learn([(k % USERS, k * 7 % ITEMS, 1e30, False) for k in range(10_000)])
    assert np.isfinite(world.model.values).all()
    assert np.isfinite(world.model.counts).all()
    assert np.isfinite(world.scores()).all()


@given(chosen, events, st.lists(st.integers(0, ITEMS - 1)), st.integers(1, ITEMS))
@shaped
def test_similar_items_are_those_chosen_together(
    s: ItemCF, given_events: list[Event], dead: list[int], n: int
) -> None:
    world, plain = both(s, given_events)
    world.catalogue.shown[dead] = False
    items, scores = world.model.similar(world.catalogue, np.arange(ITEMS), n)
    for h in range(ITEMS):
        wanted = {
            j: plain.aged(plain.given[h, j])
            / (plain.aged(plain.weights[j]) + constants.SHRINK) ** constants.TARGET_POWER
            for j in range(ITEMS)
            if (h, j) in plain.given and j not in dead and j != h
        }
        best = sorted((x for x in wanted.values() if x > 1e-20), reverse=True)[:n]
        found = [j for j in items[h].tolist() if j >= 0]
        assert len(found) >= len(best)
        if best:
            shares = [wanted[j] / best[0] for j in found]
            np.testing.assert_allclose(scores[h, : len(found)], shares, rtol=1e-3, atol=1e-6)
            np.testing.assert_allclose(scores[h, : len(best)], np.array(best) / best[0], rtol=1e-3)
