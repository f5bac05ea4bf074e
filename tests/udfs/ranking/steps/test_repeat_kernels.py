from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from udfs.ranking.steps.repeat_kernels import LEAST, SINK, Seen, see, sink, take

HALF_LIFE, KEPT, ITEMS = 1000.0, 4, 9
KEYS = np.arange(100, 100 + ITEMS, dtype=np.uint64)

impressions = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, ITEMS - 1), st.integers(0, 6000)), max_size=12
)


def empty() -> Seen:
    counts = np.zeros((2, KEPT), np.float32)
    return Seen(np.zeros((2, KEPT), np.uint64), counts, np.zeros(2, np.int64))


def shown(some: list[tuple[int, int, int]]) -> Seen:
    seen = empty()
    users = np.array([user for user, _, _ in some], np.int32)
    keys = KEYS[[item for _, item, _ in some]] if some else KEYS[:0]
    see(users, keys, np.array([ts for _, _, ts in some], np.int64), seen, HALF_LIFE)
    return seen


def counts(seen: Seen, user: int) -> dict[int, float]:
    found = zip(seen.keys[user].tolist(), seen.counts[user].tolist(), strict=True)
    return {key - 100: count for key, count in found if count > 0}


def plain(some: list[tuple[int, int, int]], user: int) -> dict[int, float]:
    """The same, plain: sums that fade."""
    found, at = dict[int, float](), 0
    for who, item, ts in some:
        if who != user:
            continue
        worth = 0.5 ** (max(at - ts, 0) / HALF_LIFE)
        left = 0.5 ** (max(ts - at, 0) / HALF_LIFE)
        found = {key: count * left for key, count in found.items() if count * left >= LEAST}
        at = max(at, ts)
        if item not in found and len(found) == KEPT:
            del found[min(found, key=lambda key: found[key])]
        found[item] = found.get(item, 0.0) + worth
    return found


@given(impressions)
def test_impressions_are_counted_and_fade(some: list[tuple[int, int, int]]) -> None:
    if len({item for _, item, _ in some}) > KEPT:
        some = [one for one in some if one[1] < KEPT]  # which of equal ones goes is of no matter
    seen = shown(some)
    for user in range(2):
        expected = plain(some, user)
        made = counts(seen, user)
        assert {k for k, v in expected.items() if v > 2 * LEAST} <= made.keys() <= expected.keys()
        for item, count in made.items():
            assert abs(count - expected[item]) < 1e-3


@given(impressions, st.integers(0, 1), st.integers(1, 4), st.integers(0, 8000))
def test_what_was_seen_often_sinks_and_nothing_else(
    some: list[tuple[int, int, int]], user: int, first: int, now: int
) -> None:
    seen = shown(some)
    items = np.array([[*range(ITEMS), -1]], np.int32)
    values = np.linspace(0, -2, ITEMS + 1, dtype=np.float32)[None]
    before = values.copy()
    users = np.array([user], np.int32)
    sink(users, items, values, KEYS, seen, (float(first), HALF_LIFE), float(now))
    left = 0.5 ** (max(now - int(seen.at[user]), 0) / HALF_LIFE)
    known = counts(seen, user)
    for k in range(ITEMS):
        over = max(known.get(k, 0.0) * left - (first - 1), 0.0)
        np.testing.assert_allclose(values[0, k], before[0, k] - SINK * over, atol=1e-3)
    assert values[0, ITEMS] == before[0, ITEMS]
    nobody = before.copy()
    given_rule = (float(first), HALF_LIFE)
    sink(np.array([-1], np.int32), items, nobody, KEYS, seen, given_rule, float(now))
    assert (nobody == before).all()


def test_an_event_takes_all_impressions_of_its_item_back() -> None:
    seen = shown([(0, 3, 10), (0, 3, 20), (0, 4, 20), (1, 3, 20)])
    took = np.ones(3, np.bool_)
    take(np.array([0, 0, 1], np.int32), np.array([3, -1, 5], np.int32), KEYS, seen, took)
    assert took.tolist() == [True, False, False]
    assert [*counts(seen, 0)] == [4] and [*counts(seen, 1)] == [3]


def test_the_least_makes_room() -> None:
    some = [(0, item, 1000 * item) for item in range(KEPT + 1)]
    assert {*counts(shown(some), 0)} == {1, 2, 3, 4}
