"""How often items were offered: counted once, kept once, with the items wherever they move."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from udfs.ranking.steps.tried import SILENT_MS, Tried

NOW = 1_700_000_000_000
SLOTS = st.lists(st.integers(-1, 9), max_size=8)


def slots(*some: int) -> np.ndarray:
    return np.array(some, np.int32)


@given(st.lists(SLOTS, max_size=6))
def test_what_was_added_sums_up_to_what_was_seen(batches: list[list[int]]) -> None:
    tried, kept = Tried(), np.zeros(10, np.int64)
    for number, some in enumerate(batches):
        tried.see(slots(*some), NOW)
        if number % 2:
            at, grown = tried.added()
            assert (grown > 0).all()
            np.add.at(kept, at, grown)
    at, grown = tried.added()
    np.add.at(kept, at, grown)
    expected = [sum(some.count(j) for some in batches) for j in range(10)]
    assert kept.tolist() == tried.count[:10].tolist() == expected
    assert not len(tried.added()[0])


def test_what_is_recalled_counts_and_is_not_added_again() -> None:
    tried = Tried()
    tried.recall(slots(3, -1, 3, 4), np.array([5, 9, 2, 1]))
    tried.see(slots(4), NOW)
    assert tried.count[:5].tolist() == [0, 0, 0, 7, 2]
    assert [some.tolist() for some in tried.added()] == [[4], [1]]


def test_a_shop_tells_what_is_seen_until_it_has_been_silent_for_a_day() -> None:
    tried = Tried()
    assert not tried.told(0.0)
    tried.see(slots(), NOW)
    assert tried.told(0.0) and tried.told(NOW + SILENT_MS - 1)
    assert not tried.told(NOW + SILENT_MS)
    tried.see(slots(), NOW - 5)  # late
    assert tried.told(NOW + SILENT_MS - 1)
