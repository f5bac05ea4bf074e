"""The ranker's features of content, against plain NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from udfs.models.content.features import WIDTH
from udfs.models.content.near_kernels import LENGTH
from udfs.ranking.likeness_kernels import Likeness, New, fill_likeness, price_new


@pytest.mark.parametrize("fade", [20.0, 3.0])
def test_it_is_the_cosine_that_fades_with_events(fade: float) -> None:
    random = np.random.default_rng(1)
    vectors = random.integers(-20, 20, (30, WIDTH)).astype(np.int8)
    profiles = random.integers(-900, 900, (2, WIDTH)).astype(np.int16)
    events, slots = random.integers(0, 9, 30), random.permutation(30)[:20].astype(np.int32)
    out, shares = np.full(25, 7.0, np.float32), np.zeros((2, 25), np.float32)
    view = Likeness(vectors, np.array([1, 30]), profiles, events, fade)
    fill_likeness(view, 1, 0, slots, 20, shares, out)
    want = vectors[slots].astype(float) @ profiles[1].astype(float) / (127 * float(LENGTH))
    want *= fade / (events[slots] + fade)
    assert out[:20] == pytest.approx(want, abs=1e-6)
    assert (out[20:] == 7).all()


def test_nothing_described_is_exactly_nothing() -> None:
    vectors, profiles = np.zeros((4, WIDTH), np.int8), np.full((1, WIDTH), 9, np.int16)
    out = np.ones(4, np.float32)
    view = Likeness(vectors, np.array([0, 0]), profiles, np.zeros(4, np.int64), 20.0)
    slots, shares = np.arange(4, dtype=np.int32), np.zeros((2, 4), np.float32)
    fill_likeness(view, 0, 0, slots, 3, shares, out)
    assert out.tolist() == [0, 0, 0, 1]


def test_new_items_are_those_described_with_few_events() -> None:
    of, events, out = np.array([1, 0, 3]), np.array([0, 0, 4]), np.empty(3, np.float32)
    slots = np.arange(3, dtype=np.int32)
    price_new(New(of, np.array([1, 2]), events), slots, out)
    assert out.tolist() == pytest.approx([1, 0, 0.2])
    price_new(New(of, np.array([0, 0]), events), slots, out)
    assert out.tolist() == [0, 0, 0]
