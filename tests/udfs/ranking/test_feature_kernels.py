"""The ranker's features of what a user had before, against plain Python."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.udfs.memory.test_history_kernels import Pages
from udfs.ranking.feature_kernels import Had, fill_had

takes = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 40), st.just(True)), max_size=150)


@given(takes, st.integers(0, 80), st.permutations(range(45)))
def test_had_is_whether_an_item_is_among_the_last(
    events: list[tuple[int, int, bool]], length: int, candidates: list[int]
) -> None:
    pages = Pages(2, 32, repeats=True)
    pages.add(events)
    slots, count = np.array(candidates, np.int32), 40
    out = np.full(45, 7.0, np.float32)
    for user in (0, 1):
        last = pages.of(user)[-length:] if length else []
        fill_had(Had(pages.view, length), 0, user, slots, count, np.zeros((1, 45)), out)
        assert out[:count].tolist() == [float(j in last) for j in candidates[:count]]
        assert out[count:] == pytest.approx(7.0)
