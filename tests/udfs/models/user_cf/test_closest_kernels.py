"""The most alike users against a list that is kept sorted."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from udfs.models.user_cf.closest_kernels import closest


def kept(weights: list[float], users: list[int], most: int) -> list[tuple[float, int]]:
    """A list of the best, filled in order: who is as good as the last comes too late."""
    best: list[tuple[float, int]] = []
    for weight, user in zip(weights, users, strict=True):
        if len(best) < most or weight > -best[-1][0]:
            best = sorted([*best, (-weight, user)])[:most]
    return [(-weight, user) for weight, user in best]


@given(st.lists(st.integers(1, 6), max_size=60), st.integers(1, 20), st.randoms())
def test_the_closest_are_those_of_a_sorted_list(
    found: list[int], most: int, random: object
) -> None:
    weights = [n / 8 for n in found]
    users = [*range(len(found))]
    random.shuffle(users)  # type: ignore[attr-defined]
    who, amounts = np.zeros(61, np.int32), np.zeros(61, np.float32)
    who[: len(users)], amounts[: len(users)] = users, weights
    count = closest(who, amounts, len(users), most)
    right = kept(weights, users, most)
    assert list(zip(amounts[:count].tolist(), who[:count].tolist(), strict=True)) == right
