"""The measures of the job's tests, against those of the baselines'."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.learning import quality, quality_kernels
from udfs.learning.quality import CUTS, MEASURES

ITEMS = 40
lists_of_items = st.lists(
    st.tuples(st.permutations(range(ITEMS)), st.integers(0, 25), st.integers(-1, ITEMS - 1)),
    min_size=1,
    max_size=6,
)


@given(lists_of_items, st.lists(st.integers(0, 9), min_size=ITEMS, max_size=ITEMS), st.data())
def test_measures_and_what_is_shown_first(
    tests: list[tuple[list[int], int, int]], counts: list[int], data: st.DataObject
) -> None:
    items = np.full((len(tests), 25), -1, np.int32)
    for row, (order, length, _) in enumerate(tests):
        items[row, :length] = order[:length]
    wanted = np.array([item for _, _, item in tests], np.int32)
    events = np.array(counts)
    before = np.array(data.draw(st.lists(st.booleans(), min_size=ITEMS, max_size=ITEMS)))
    sums, fresh, seen = np.zeros(len(MEASURES)), np.empty(10 * len(tests), np.int32), before.copy()
    total = quality_kernels.all_events(events, ITEMS)
    result = quality_kernels.Result(sums, fresh, seen)
    count = quality_kernels.score(items, wanted, events, total, np.array(CUTS), result)
    at_least_one = np.maximum(events, 1)
    assert total == at_least_one.sum()
    expected = quality.sums(items, wanted, at_least_one / total)
    assert dict(zip(MEASURES, sums.tolist(), strict=True)) == pytest.approx(expected)
    shown = {slot for slot in items[:, :10].ravel().tolist() if slot >= 0}
    assert sorted(fresh[:count].tolist()) == sorted(s for s in shown if not before[s])
    assert seen.tolist() == [bool(before[s]) or s in shown for s in range(ITEMS)]
