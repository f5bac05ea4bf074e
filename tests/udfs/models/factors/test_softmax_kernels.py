"""The learning of factors against the plain reference, and its safety."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.udfs import reference
from tests.udfs.memory.test_history_kernels import Pages
from tests.udfs.reference import Event, SplitMix64
from udfs.memory import random_kernels, vector_kernels
from udfs.memory.history_kernels import PAGE, Batch
from udfs.models.factors import softmax_kernels, window_kernels
from udfs.models.factors.arrays import (
    Draws,
    ItemFactors,
    Places,
    Ratings,
    Rule,
    Touched,
    UserFactors,
)

USERS, ITEMS, D = 4, 9, 5
RATE, PULL = np.float32(0.2), np.float32(0.05)
COLUMNS = "p", "user_spread", "q", "y", "bias", "spread"


class Model:
    """Random factors, float32, and a call of the kernel on them."""

    def __init__(
        self, seed: int = 0, users: int = USERS, items: int = ITEMS, d: int = D, window: int = 3
    ) -> None:
        random = np.random.default_rng(seed)
        self.p = random.normal(0, 0.3, (users, d)).astype(np.float32)
        self.q, self.y = random.normal(0, 0.3, (2, items, d)).astype(np.float32)
        self.bias = random.normal(0, 0.3, items).astype(np.float32)
        self.user_spread = random.uniform(0, 1, users).astype(np.float32)
        self.spread = random.uniform(0, 1, (items, 3)).astype(np.float32)
        self.alive = np.ones(items, np.bool_)
        self.history = Pages(users, 256)
        self.history.disliked[:] = 0xFFFFFFFF  # what a page was before is not read
        first = np.exp(-np.arange(window) / 2)
        scale = np.append(0, 1 / np.sqrt(np.cumsum(first))).astype(np.float32)
        weights = np.repeat(first[:, None], d, axis=1).astype(np.float32)
        self.places, self.again = (
            Places(weights, np.zeros_like(weights), scale, np.float32(1)),
            False,
        )
        self.stamp, self.size = np.zeros(items, np.int64), items
        self.random = np.array([seed], np.uint64)
        self.eaten, self.events = np.zeros(items, np.int64), 1
        self.calls = 0

    def learn(
        self,
        events: list[Event],
        flags: list[int] | None = None,
        rate: float = RATE,
        pull: float = PULL,
        negatives: int = 3,
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        users, items, weights = zip(*events, strict=True)
        batch = Batch(
            np.array(users, np.int32),
            np.array(items, np.int32),
            np.array(weights, np.float32),
            np.array(flags or [0] * len(events), np.uint8),
        )
        draws = Draws(negatives, self.size, self.random, self.eaten, self.events)
        self.events += len(batch.users)
        return self.call(softmax_kernels.learn, batch, rate, pull, draws)

    def call(
        self, learn: Any, batch: Batch, rate: float, pull: float, more: Draws | Ratings
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """One call of a kernel that learns: what it touched."""
        self.calls += 1
        room, pages = len(self.q), self.history
        spare = pages.spare(len(batch.users))
        before = np.zeros((room, 2 * self.q.shape[1] + 4), np.float32)
        touched = Touched(self.stamp, self.calls, np.zeros(room, np.int32), before)
        count = learn(
            UserFactors(self.p, self.user_spread),
            pages.view,
            spare,
            ItemFactors(self.q, self.y, self.bias, self.spread, self.alive),
            batch,
            Rule(np.float32(rate), np.float32(pull), self.places, self.again),
            more,
            touched,
        )
        pages.take_back(spare)
        return touched.slots[:count], before[:count]

    def vectors(self) -> NDArray[np.float32]:
        out = np.empty_like(self.p)
        window_kernels.vectors(
            np.arange(len(self.p), dtype=np.int32),
            self.p,
            self.history.view,
            self.q,
            self.y,
            self.alive,
            self.places,
            out,
        )
        return out

    def score(self, user: int, item: int) -> float:
        return float(self.bias[item] + self.vectors()[user] @ self.q[item])

    def row(self, items: NDArray[np.int32]) -> NDArray[np.float32]:
        """What `before` holds of the items."""
        parts = self.q[items], self.bias[items, None], self.spread[items], self.y[items]
        return np.hstack(parts)


weights = st.one_of(st.just(0.0), st.floats(-3, 3, width=32), st.sampled_from([-1e30, 1e30]))
events = st.lists(
    st.tuples(st.integers(0, USERS - 1), st.integers(-1, ITEMS - 1), weights, st.integers(0, 1)),
    min_size=1,
    max_size=60,
)
Rows = list[tuple[int, int, float, int]]


def split(rows: Rows) -> tuple[list[Event], list[int]]:
    return [row[:3] for row in rows], [row[3] for row in rows]


# The same examples each time: a chance may fall between the roundings of both.
@settings(max_examples=150, derandomize=True)
@given(
    events,
    st.integers(0, 4),
    st.integers(0, 4),
    st.integers(1, ITEMS),
    st.integers(0, 2**32),
    st.lists(st.integers(0, ITEMS - 1)),
    st.booleans(),
)
def test_learn_is_the_reference(
    rows: Rows, negatives: int, window: int, size: int, seed: int, dead: list[int], again: bool
) -> None:
    model, random = Model(seed, window=window), SplitMix64(seed)
    model.alive[dead], model.size, model.again = False, size, again
    first, expected = model.row(np.arange(ITEMS, dtype=np.int32)), reference.Factors(model)
    expected.learn(*split(rows), size, float(RATE), float(PULL), negatives, random)
    touched, before = model.learn(*split(rows), negatives=negatives)
    assert touched.tolist() == expected.touched
    assert np.array_equal(before, first[touched])
    untouched = np.setdiff1d(np.arange(ITEMS, dtype=np.int32), touched)
    assert np.array_equal(model.row(untouched), first[untouched])
    for name in COLUMNS:
        found, wanted = getattr(model, name), getattr(expected, name)
        np.testing.assert_allclose(found, wanted, rtol=2e-3, atol=2e-4, err_msg=name)
    np.testing.assert_allclose(model.places.weights, expected.places, rtol=2e-3, atol=2e-4)
    np.testing.assert_allclose(model.places.squares, expected.squares, rtol=5e-3, atol=2e-4)
    wants = [expected.vector(user) for user in range(USERS)]
    np.testing.assert_allclose(model.vectors(), wants, rtol=2e-3, atol=5e-4)
    for user in range(USERS):
        assert model.history.of(user) == [item for item, _ in expected.history[user]]


@given(events, st.integers(1, 59))
def test_learning_in_two_calls_is_learning_in_one(rows: Rows, cut: int) -> None:
    whole, parts = Model(7), Model(7)
    whole.learn(*split(rows))
    for start, piece in ((0, rows[:cut]), (cut, rows[cut:])):
        if piece:
            parts.random[0] = (7 + start * random_kernels.EVENT_STRIDE) % 2**64
            parts.learn(*split(piece))
    for name in COLUMNS:
        assert np.array_equal(getattr(whole, name), getattr(parts, name)), name


def test_a_history_of_many_pages_is_read_from_its_end() -> None:
    model = Model(2, items=100, window=50)
    rows: Rows = [(k % 2, k, -1.0 if k % 5 == 0 else 1.0, 1) for k in range(96)]
    expected = reference.Factors(model)
    expected.learn(*split(rows), 100, float(RATE), float(PULL), 3, SplitMix64(2))
    model.learn(*split(rows))
    assert [user for user, _ in model.history.sealed] == [0, 1]
    assert model.history.of(0) == list(range(0, 96, 2))
    assert len(model.history.of(0)) > PAGE
    wants = [expected.vector(user) for user in range(USERS)]
    np.testing.assert_allclose(model.vectors(), wants, rtol=1e-3, atol=1e-4)


def test_without_a_window_it_is_plain_matrix_factorisation() -> None:
    model = Model(4, window=0)
    first = model.y.copy()
    model.learn([(k % USERS, k % ITEMS, 1.0) for k in range(50)], [1] * 50)
    assert np.array_equal(model.vectors(), model.p)
    assert np.array_equal(model.y, first)


@pytest.mark.parametrize("weight", [1.0, -1.0, 1e30, -1e30, 3.4e38, 1e-38])
@pytest.mark.parametrize("same", ["user", "item", "pair", "mixed"])
@pytest.mark.parametrize("pull", [0.0, 1.0])
def test_a_user_or_an_item_10_000_times_stays_finite(weight: float, same: str, pull: float) -> None:
    model, n = Model(3), 10_000
    users = [0] * n if same in ("user", "pair") else [k % USERS for k in range(n)]
    items = [0] * n if same in ("item", "pair") else [k * 7 % ITEMS for k in range(n)]
    signs = [(-1) ** k if same == "mixed" else 1 for k in range(n)]
    rows = [(u, i, weight * s) for u, i, s in zip(users, items, signs, strict=True)]
    model.learn(rows, [1] * n, 1.0, pull)
    for name in COLUMNS:
        matrix = getattr(model, name)
        assert np.isfinite(matrix).all()
        limit = vector_kernels.SPREAD_LIMIT if "spread" in name else vector_kernels.LIMIT
        assert np.abs(matrix).max() <= limit
    assert np.isfinite(model.places.squares).all()
    assert np.abs(model.places.weights).max() <= vector_kernels.LIMIT


def test_it_goes_on_learning_after_extremes() -> None:
    """Factors pushed to their limit by one event repeated 10,000 times come back."""
    model = Model(3)
    model.learn([(0, 0, 1e30)] * 10_000, None, 1.0, 0.0)
    high = [model.score(0, 0) - model.score(0, j) for j in range(1, ITEMS)]
    model.learn([(0, 0, -1.0)] * 500, None, 0.2, 0.0)
    low = [model.score(0, 0) - model.score(0, j) for j in range(1, ITEMS)]
    assert min(high) > 2
    assert np.median(low) < 0


@pytest.mark.parametrize("liked", [True, False])
def test_an_event_moves_its_item_for_its_user_in_its_direction(liked: bool) -> None:
    model = Model(6)
    model.learn([(1, 4, 1.0), (1, 5, 1.0)], [1, 1])
    before = model.score(1, 0) - np.mean([model.score(1, j) for j in (2, 3, 6, 7, 8)])
    model.learn([(1, 0, 1.0 if liked else -1.0)] * 5)
    after = model.score(1, 0) - np.mean([model.score(1, j) for j in (2, 3, 6, 7, 8)])
    assert bool(after > before) is liked
    assert abs(after - before) > 0.1


def test_what_was_disliked_is_no_part_of_what_a_user_wants() -> None:
    model = Model(1)
    model.learn([(0, 2, -1.0), (0, 3, 0.0)], [1, 1])
    assert np.array_equal(model.vectors()[0], model.p[0])
    model.learn([(0, 4, 1.0)], [1])
    np.testing.assert_allclose(model.vectors()[0], model.p[0] + model.q[4] + model.y[4], rtol=1e-5)


@pytest.mark.parametrize("weight", [1.0, 1e30])
def test_a_checkerboard_is_learned(weight: float) -> None:
    """Even users consume even items, odd users odd ones; the pair (k, k) is held out."""
    n = 16
    model = Model(5, n, n, 8)
    pairs = [(u, i) for u in range(n) for i in range(n) if (u + i) % 2 == 0 and u != i]
    order = np.random.default_rng(1)
    for _ in range(30):
        batch = [(*pairs[k], weight) for k in order.permutation(len(pairs))]
        model.learn(batch, [1] * len(batch), 0.1 if weight == 1 else 1.0, 0.01, 4)
    scores = model.vectors() @ model.q.T + model.bias
    held_out = np.diagonal(scores)
    of_the_others = np.array([scores[u, (u + 1) % 2 :: 2].mean() for u in range(n)])
    assert (held_out > of_the_others).mean() >= (0.9 if weight == 1 else 0.7)
