"""Scores of items for users without events, against a plain twin, item by item."""

from __future__ import annotations

from math import log

import numpy as np
import pytest

from tests.udfs.builders import NOW
from udfs.models.popular.first import BUCKETS
from udfs.models.segments.beginning import SHRINK, SHRINK_ALL, begin, scores
from udfs.models.segments.counts import Counts

PLACES = np.array([7, 7, 9, 11], np.intp)  # the first two items share a bucket
FIRST = np.array([4, 2, 1, 0]) / 7


def counts() -> Counts:
    found = Counts()
    for place, times in ((7, 3), (9, 12)):
        for _ in range(times):
            found.add([0], place, NOW)
    for _ in range(40):
        found.add([0, found.number("country:DE")], 7, NOW)
    return found


def test_a_segment_moves_items_and_less_if_it_is_small() -> None:
    many, few = counts(), counts()
    for _ in range(5):
        few.add([few.number("country:FR")], 7, NOW)
    found = begin(FIRST, PLACES, many, NOW)
    lift = scores(found, [1], many, NOW) - found.base
    taken = dict(zip(found.items.tolist(), lift.tolist(), strict=True))
    early = (43 + SHRINK_ALL * 6 / 7) / (55 + SHRINK_ALL)
    assert taken[0] == pytest.approx(log((40 + SHRINK * early) / (40 + SHRINK) / early), abs=1e-6)
    assert taken[0] == pytest.approx(taken[1]) and taken[1] > 0 > taken[2]
    other = begin(FIRST, PLACES, few, NOW)
    small = scores(other, [2], few, NOW) - other.base
    assert abs(small).max() < abs(lift).max()


def test_without_segments_it_is_what_strangers_take() -> None:
    found = begin(FIRST, PLACES, Counts(), NOW)
    assert found.items.tolist() == [0, 1, 2], "the last one is not to be listed"
    assert np.allclose(np.exp(found.base - found.base[0]), [1, 0.5, 0.25])
    assert len(found.early) == BUCKETS
