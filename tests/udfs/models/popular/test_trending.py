"""What is trending, in shops of a few items, and against a twin that keeps names."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.udfs import reference
from tests.udfs.builders import NOW, OneShard, batch_of, decode, shown
from tests.udfs.reference import Trends
from udfs.memory.catalogue import Catalogue
from udfs.models.popular.trending import LEAST_SURPRISE, Trending, surprise

HOUR = 3_600_000
HALF_LIFE = 24 * HOUR
START = NOW - NOW % HOUR
EARLIER = {"hit": 900.0, "steady": 300.0, "riser": 30.0, "rare": 3.0}
"""Earlier popularity, in events."""


class Shop:
    """A catalogue, its trending items, and a clock: the newest event time."""

    def __init__(self, window_ms: float = HOUR) -> None:
        self.catalogue = Catalogue(2, 1, 10_000)
        self.trending = self.catalogue.attach(Trending(window_ms, HALF_LIFE))
        self.clock = 0

    def take(self, at: int, **weights: float) -> Shop:
        """One event of this weight for each item: the same as that many events of weight 1."""
        c = self.catalogue
        slots = c.slots(list(weights))
        what, ts = np.array([*weights.values()], np.float32), np.full(len(slots), at)
        reference.add_popularity(
            slots, what, ts, HALF_LIFE, c.popularity, c.popularity_at, c.events
        )  # fmt: skip
        c.seen[slots] = at
        self.clock = max(self.clock, at)
        return self

    def look(self, n: int = 5) -> list[str]:
        items, scores = self.trending.look(self.catalogue, self.clock, n)
        found = items[0][items[0] >= 0]
        shares = scores[0, : len(found)]
        assert shares.tolist() == sorted(shares.tolist(), reverse=True)
        assert not len(found) or (shares[0] == 1 and shares[-1] > 0)
        assert (items[0, len(found) :] == -1).all() and np.isneginf(scores[0, len(found) :]).all()
        return self.catalogue.names(found.tolist())

    def expire(self, before_ms: int) -> None:
        self.catalogue.expire(before_ms)

    def compact(self) -> None:
        self.catalogue.compact()


def shop() -> Shop:
    """A shop that has looked at `EARLIER`, and is now an hour later."""
    shop = Shop().take(START, **EARLIER)
    assert shop.look() == [], "nothing to compare with"
    return shop


def times(factor: float, **others: float) -> dict[str, float]:
    """`factor` tenths of `EARLIER`; others as given."""
    return {name: factor * value / 10 for name, value in EARLIER.items()} | others


def test_an_item_chosen_much_more_than_before_beats_items_that_are_always_popular() -> None:
    assert shop().take(START + HOUR, **times(1, riser=30)).look() == ["riser"]


def test_overall_growth_is_not_a_trend_and_does_not_hide_one() -> None:
    assert shop().take(START + HOUR, **times(10)).look() == []
    assert shop().take(START + HOUR, **times(10, riser=90)).look() == ["riser"]


def test_falling_and_stable_items_are_not_trending() -> None:
    assert shop().take(START + HOUR, **times(1, hit=45)).look() == []
    # Shares are compared: if most items are no longer chosen, the rest are trending.
    assert shop().take(START + HOUR, **times(1, hit=0)).look() == ["steady"]


def test_the_most_surprising_come_first_up_to_the_requested_number() -> None:
    now = times(1, riser=30, rare=60, new=40)
    assert shop().take(START + HOUR, **now).look() == ["rare", "new", "riser"]
    assert shop().take(START + HOUR, **now).look(2) == ["rare", "new"]


def test_one_visitor_of_a_new_item_is_not_a_trend_but_several_are() -> None:
    visit = 1.0 + 1.2 + 1.6 + 2.0  # view, click, cart, purchase
    assert shop().take(START + HOUR, **times(1, new=visit)).look() == []
    assert shop().take(START + HOUR, **times(1, new=2 * visit)).look() == ["new"]


def test_a_trend_lasts_one_to_two_windows() -> None:
    """The burst of the minute after a snapshot is seen until the second snapshot after it."""
    trending = shop()
    seen = []
    for minute in range(1, 241):
        weights = {name: value / 600 for name, value in EARLIER.items()}
        trending.take(START + minute * 60_000, **weights | ({"riser": 40} if minute == 1 else {}))
        seen += [minute] if trending.look() == ["riser"] else []
    assert seen == list(range(1, 120))


def test_snapshots_are_taken_together_whenever_a_subtask_started() -> None:
    early, late = shop(), Shop().take(START, **EARLIER)
    late.clock = START + 40 * 60_000
    assert late.look() == []
    for each in (early, late):
        each.take(START + 70 * 60_000, **times(1)).look()
        each.take(START + 130 * 60_000, **times(1, riser=40))
    assert early.look() == late.look() == ["riser"]
    snapshots = [each.trending._taken for each in (early, late)]
    assert snapshots[0] == snapshots[1] == [START + 70 * 60_000, START + 130 * 60_000]


@pytest.mark.parametrize("days", [1, 9, 400])
def test_the_clock_may_jump_by_days(days: int) -> None:
    later = START + days * 24 * HOUR
    assert shop().take(later, **times(10)).look() == []
    leapt = shop().take(later, **times(10, rare=90))
    assert leapt.look() == ["rare"]
    assert leapt.take(later + 9 * 24 * HOUR, **times(10, rare=9)).look() == []


def test_late_events_count_by_their_decayed_weight() -> None:
    trending = shop().take(START + HOUR, **times(1))
    assert trending.look() == []
    # An item's first event sets its time; the clock does not move.
    trending.take(START - 24 * HOUR, new=14).take(START - 40 * 24 * HOUR, older=1000)
    assert trending.look() == []
    assert trending.take(START - 24 * HOUR, new=14).look() == ["new"]


def test_new_items_beyond_the_first_room() -> None:
    trending = shop().take(START + 1, **{f"item {n}": 1.0 for n in range(600)})
    assert trending.look() == []
    assert trending.take(START + HOUR, **times(1, **{"item 599": 20.0})).look() == ["item 599"]


def test_an_expired_item_is_not_trending_and_comes_back_as_a_new_one() -> None:
    trending = shop().take(START + 1, riser=90).take(START + 2, hit=90, steady=30)
    assert trending.look() == ["riser"]
    trending.expire(START + 2)
    assert trending.look() == []
    # If it had not expired, it would have to be chosen much more.
    assert trending.take(START + HOUR, hit=90, steady=30, riser=12).look() == ["riser"]
    assert shop().take(START + HOUR, hit=180, steady=60, riser=12).look() == []


def test_slots_are_renumbered() -> None:
    trending = Shop().take(START - 1, **{f"old {n}": 9.0 for n in range(50)})
    trending.take(START, **EARLIER)
    assert trending.look() == []
    trending.take(START + HOUR, **times(1)).look()
    trending.expire(START)
    trending.compact()
    assert trending.catalogue.size == len(EARLIER)
    trending.take(START + 2 * HOUR - 1, **times(1, riser=40))
    assert trending.look() == ["riser"]


def test_after_a_start_everything_counts_as_popular_before() -> None:
    trending = shop().take(START + HOUR, **times(1, riser=40))
    trending.trending.forget()
    assert trending.look() == []
    assert trending.take(START + HOUR + 1, new=40).look() == ["new"]


def test_a_late_row_of_the_feed_does_not_affect_other_items() -> None:
    trending = shop().take(START + HOUR, **times(1, riser=30))
    trending.catalogue.popularity[trending.catalogue.find(["hit"])] = 0.0
    assert trending.look() == ["riser"]
    trending.catalogue.popularity[:] = 0.0
    assert trending.look() == []


def test_without_items_nothing_is_trending() -> None:
    assert Shop().look() == []
    assert surprise(np.zeros(0), np.zeros(0)).tolist() == []
    assert surprise(np.array([3.0, 0]), np.zeros(2)).tolist() == [0, 0]
    # If there was nothing before, nothing is a surprise.
    assert (surprise(np.zeros(3), np.array([1e9, 1, 0])) <= 0).all()


sums = st.floats(0, 1e30)


@given(st.lists(st.tuples(sums, sums), min_size=1, max_size=20))
def test_the_equation(rows: list[tuple[float, float]]) -> None:
    total = math.fsum(g for _, g in rows)
    r = total / (math.fsum(v for v, _ in rows) + 0.5)
    expected = [(g - r * (v + 0.5)) / math.sqrt(r * (v + 0.5) * (1 + r) + 4) for v, g in rows]
    found = surprise(*(np.array(column) for column in zip(*rows, strict=True)))
    scale = np.sqrt(total) + 1  # a difference of two large numbers is only as exact as they are
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9 * scale)


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1))
def test_any_sequence_of_events_equals_the_twin_with_names(seed: int) -> None:
    """Growth beyond the first room, late events, jumps, expiry, slots that are reused."""
    random = np.random.default_rng(seed)
    one, twin = Shop(), Trends(HOUR, HALF_LIFE)
    one.clock = START

    def take(at: int, weights: dict[str, float]) -> None:
        one.take(at, **weights)
        for name, weight in weights.items():
            twin.events.setdefault(name, []).append((weight, at))

    def check() -> None:
        expected = twin.surprises(one.clock)
        found = one.look(1000)
        ranked = [expected[name] for name in found]
        assert len(set(found)) == len(found)
        assert {name for name, z in expected.items() if z > LEAST_SURPRISE + 1e-6} <= set(found)
        assert min(ranked, default=LEAST_SURPRISE) > LEAST_SURPRISE - 1e-6
        np.testing.assert_allclose(ranked, sorted(ranked, reverse=True), atol=1e-6)

    for _ in range(60):
        step = random.choice(["take", "look", "stock", "expire", "forget"], p=_OFTEN)
        if step == "take":
            at = one.clock + int(random.integers(-2 * HOUR, HOUR))
            names = {f"item {n}" for n in random.integers(0, 12, 4).tolist()}
            take(at, {name: float(random.integers(0, 30)) for name in sorted(names)})
        elif step == "look":
            one.clock += int(random.choice([0, HOUR // 3, HOUR, 30 * HOUR]))
            check()
        elif step == "stock":
            take(one.clock, {f"item {n}": 1.0 for n in range(10, 300)})
        elif step == "expire":
            names = {name for name in twin.events if random.random() < 0.4}
            one.catalogue.seen[one.catalogue.find(sorted(names))] = 0
            one.expire(1)
            twin.expire(names)
            if random.random() < 0.5:
                one.compact()
        else:
            one.trending.forget()
            twin.taken = []
    check()


_OFTEN = [0.5, 0.36, 0.02, 0.1, 0.02]


def crowd(**counts: int) -> list[tuple[str, str]]:
    return [(f"user {n}", item) for item, count in counts.items() for n in range(count)]


@pytest.mark.parametrize("shards", [1, 3])
def test_the_learner_writes_the_list_with_the_popular_one(shards: int) -> None:
    shard = OneShard(item_shards=shards, length=3)
    learner = shard.learner
    shard.learn(batch_of(crowd(hit=60, steady=30, riser=2), ts=START))
    first = decode(learner.shared.updates(NOW))["trending"]
    assert first == {"id": f"{NOW:x}", "at": NOW, "v": 1, "source": "trending", "items": []}
    shard.learn(batch_of(crowd(hit=20, steady=10, riser=20), ts=START + HOUR))
    assert "trending" not in decode(learner.shared.updates(NOW + 999))
    values = decode(learner.shared.updates(NOW + 1000))
    assert shown(values["popular"]) == ["hit", "steady", "riser"]
    assert values["trending"]["items"] == [
        {"item": "riser", "score": 1.0, "why": {"model": "trending"}}
    ]


def test_the_learner_forgets_and_renumbers_expired_items() -> None:
    shard = OneShard()
    learner = shard.learner
    old = batch_of([("ann", f"old {n}") for n in range(1500)], ts=START)
    shard.learn(old, NOW - 10_000)
    shard.learn(batch_of(crowd(hit=60, steady=30, riser=2), ts=START), NOW)
    assert decode(learner.shared.updates(NOW))["trending"]["items"] == []
    learner.users.forget("ann")
    learner.expire_items(NOW - 5000)
    assert learner.catalogue.size == 3, "their space is given back"
    shard.learn(batch_of(crowd(hit=20, steady=10, riser=20), ts=START + HOUR), NOW)
    assert shown(decode(learner.shared.updates(NOW + 1000))["trending"]) == ["riser"]
