from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from udfs.ranking.steps.debias import BOUND, weigh_rare


def run(items: list[int], events: list[int], strength: float) -> list[float]:
    values = np.zeros((1, len(items)), np.float32)
    weigh_rare(np.array([items], np.int32), values, np.array(events, np.int64), strength)
    return list(map(float, values[0]))


@given(
    st.lists(st.integers(0, 10**6), min_size=5, max_size=5),
    st.permutations(range(5)),
    st.floats(0.01, 1.0),
)
def test_the_kernel_does_what_its_plain_twin_does(
    events: list[int], items: list[int], strength: float
) -> None:
    most = max(events)
    expected = [strength * min(np.log((1 + most) / (1 + events[item])), BOUND) for item in items]
    made = run(items, events, strength)
    np.testing.assert_allclose(made, expected, rtol=1e-4, atol=1e-5)
    assert min(made) == 0.0 and max(made) <= strength * BOUND + 1e-6


def test_equally_popular_items_and_the_end_of_a_list_stay() -> None:
    assert run([2, 0, -1], [7, 9, 7], 0.5)[2] == 0.0
    assert run([2, 0], [7, 9, 7], 0.5) == [0.0, 0.0]
