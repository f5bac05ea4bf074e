"""Counts by segment: sums in whatever order, shared as absolute values, of a bounded number."""

from __future__ import annotations

from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.udfs.builders import NOW
from udfs.models.popular.first import BUCKETS, HALF_LIFE_MS
from udfs.models.segments.counts import MOST, MOST_OF_NAME, Counts

EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["country:DE", "country:FR", "device:tv"]),
        st.integers(0, 9),
        st.integers(NOW - 10**10, NOW + 10**8),
    ),
    max_size=30,
)


def counted(events: list[tuple[str, int, int]]) -> Counts:
    counts = Counts()
    for name, place, ts in events:
        counts.add([counts.number(name)], place, ts)
    return counts


def sums(counts: Counts) -> dict[str, list[float]]:
    return {name: counts.now(k, NOW)[:10].tolist() for k, name in enumerate(counts.names)}


@given(EVENTS, st.randoms(use_true_random=False))
def test_order_does_not_matter(events: list[tuple[str, int, int]], random: Random) -> None:
    other = [*events]
    random.shuffle(other)
    one, two = sums(counted(events)), sums(counted(other))
    assert one.keys() == two.keys()
    for name, values in one.items():
        np.testing.assert_allclose(values, two[name], rtol=1e-9)


@given(EVENTS, EVENTS)
def test_what_two_learners_add_is_the_sum(
    mine: list[tuple[str, int, int]], theirs: list[tuple[str, int, int]]
) -> None:
    """As the first item shard adds it, and a replica takes it."""
    total: dict[str, NDArray[np.float64]] = {}
    for events in (mine, theirs):
        for name, added in counted(events).added().items():
            total[name] = total.get(name, np.zeros(BUCKETS)) + added
    replica, whole = Counts(), sums(counted([*mine, *theirs]))
    for name, values in total.items():
        replica.put(name, values)
    found = sums(replica)
    for name, values in whole.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-9)


def test_an_event_counts_half_after_the_half_life() -> None:
    counts = Counts()
    counts.add([0], 3, NOW)
    assert counts.now(0, NOW)[3] == 1.0
    assert counts.now(0, NOW + HALF_LIFE_MS)[3] == 0.5


def test_what_is_not_told_yet_stays_when_absolute_values_come() -> None:
    counts = Counts()
    number = counts.number("country:DE")
    counts.add([number], 1, NOW)
    counts.put("country:DE", np.zeros(BUCKETS))
    assert counts.now(number, NOW)[1] == 1.0
    assert list(counts.added()) == ["country:DE"]
    assert counts.added() == {}
    counts.put("country:DE", np.zeros(3))
    counts.put("country:DE", np.full(BUCKETS, np.nan))
    assert not counts.now(number, NOW).any()


def test_there_is_room_for_so_many_segments_in_all_and_of_a_name() -> None:
    counts = Counts()
    assert not counts.some
    codes = [counts.number(f"zip:{k}") for k in range(MOST_OF_NAME + 5)]
    assert codes[-6:] == [MOST_OF_NAME, -1, -1, -1, -1, -1]
    assert counts.some
    for k in range(MOST):
        counts.number(f"name {k}:x")
    assert len(counts.names) == MOST
    assert counts.number("zip:3") == codes[3]
    assert counts.number("late:x") == -1
