"""The learning of explicit ratings against the plain reference, and its safety."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.udfs import reference
from tests.udfs.models.factors.test_softmax_kernels import ITEMS, PULL, RATE, USERS, D, Model
from udfs.memory import vector_kernels
from udfs.memory.history_kernels import PAGE, Batch
from udfs.models.factors import rating_kernels
from udfs.models.factors.arrays import Ratings

NONE = math.nan
Row = tuple[int, int, float, float, int]
"""User slot, item slot, weight, rating, flag."""


class Rated(Model):
    """Random factors, float32, and a call of the kernel of ratings on them."""

    def __init__(
        self, seed: int = 0, users: int = USERS, items: int = ITEMS, d: int = D, window: int = 3
    ) -> None:
        super().__init__(seed, users, items, d, window)
        self.spread = np.floor(self.spread * 5)
        self.mean, self.error = np.zeros(2), np.zeros(2)
        self.places = self.places._replace(shared=np.float32(0))

    def rate(
        self, rows: list[Row], rate: float = RATE, pull: float = PULL, first: int = 0
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        users, items, weights, ratings, flags = zip(*rows, strict=True)
        batch = Batch(
            np.array(users, np.int32),
            np.array(items, np.int32),
            np.array(weights, np.float32),
            np.array(flags, np.uint8),
        )
        given = Ratings(np.array(ratings, np.float32), self.mean, first, self.error)
        return self.call(rating_kernels.learn, batch, rate, pull, given)

    def rmse(self, rows: list[Row], **given: float) -> float:
        """Of the predictions while the rows are learned."""
        self.error[:] = 0
        self.rate(rows, **given)
        return float(np.sqrt(self.error[1] / self.error[0]))


class Plain(reference.Factors):
    """The same in float64, as the formulas of `rating_kernels.learn` read."""

    def __init__(self, model: Rated) -> None:
        super().__init__(model)
        self.count = self.mean = 0.0
        self.errors: list[float] = []

    def predict(self, user: int, item: int) -> float:
        theirs = self.bias[item] + self.vector(user, self.left_out(item)) @ self.q[item]
        return float(self.mean + self.user_spread[user] + theirs)

    def rate(self, rows: list[Row], rate: float, pull: float) -> None:
        for user, item, weight, rating, flag in rows:
            if item < 0:
                continue
            if math.isfinite(rating):
                self.errors.append(rating - self.predict(user, item))
                self.count += 1
                self.mean += (rating - self.mean) / self.count
                miss = float(np.clip(rating - self.predict(user, item), -16, 16))
                self.learn_one(user, item, miss, rate, 0.4 * pull)
            if flag & 1 and item not in [old for old, _ in self.history[user]]:
                self.history[user].append((item, weight > 0))

    def learn_one(self, user: int, item: int, miss: float, rate: float, pull: float) -> None:
        left = self.left_out(item)
        window, v = self.window(user, left), self.vector(user, left)
        q, p = self.q[item].copy(), self.p[user].copy()
        shares = sum(share[0] ** 2 for _, share in window)
        step = 4.8 * rate
        e = miss / (1 + step * (v @ v + q @ q + q @ q * shares / 2))
        self.touch(item)
        self.spread[item, 2] = min(self.spread[item, 2] + 1, 100)
        self.user_spread[user] = np.clip(self.user_spread[user] + step * miss / 8, -16, 16)
        self.bias[item] = np.clip(self.bias[item] + miss / (self.spread[item, 2] + 3), -16, 16)
        self.q[item] = reference.clip(q + step * (e * v - pull * q))
        self.p[user] = reference.clip(p + step * (e * q - pull * p))
        for j, share in window:
            self.touch(j)
            y = self.y[j]
            self.y[j] = reference.clip(y + step / 2 * share * (e * q - pull * y))


COLUMNS = "p", "user_spread", "q", "y", "bias", "spread"
rows_of_events = st.lists(
    st.tuples(
        st.integers(0, USERS - 1),
        st.integers(-1, ITEMS - 1),
        st.sampled_from([-1.0, 0.0, 1.0]),
        st.one_of(st.just(NONE), st.just(math.inf), st.floats(-1, 3, width=32)),
        st.integers(0, 1),
    ),
    min_size=1,
    max_size=60,
)


@settings(max_examples=100, derandomize=True)
@given(
    rows_of_events,
    st.integers(0, 4),
    st.integers(0, 2**32),
    st.lists(st.integers(0, ITEMS - 1)),
    st.integers(1, 60),
    st.booleans(),
)
def test_learn_is_the_reference(
    rows: list[Row], window: int, seed: int, dead: list[int], size: int, again: bool
) -> None:
    model = Rated(seed, window=window)
    model.alive[dead], model.again = False, again
    first, expected = model.row(np.arange(ITEMS, dtype=np.int32)), Plain(model)
    expected.rate(rows, float(RATE), float(PULL))
    whole = Rated(seed, window=window)
    whole.alive[dead], whole.again = False, again
    touched, before = whole.rate(rows)
    assert touched.tolist() == expected.touched
    assert np.array_equal(before, first[touched])
    for name in COLUMNS:
        np.testing.assert_allclose(
            getattr(whole, name), getattr(expected, name), rtol=2e-3, atol=2e-4
        )
    np.testing.assert_allclose(whole.mean, [expected.count, expected.mean], rtol=1e-6, atol=1e-7)
    assert whole.error[0] == len(expected.errors)
    np.testing.assert_allclose(
        whole.error[1], np.square(expected.errors).sum(), rtol=1e-3, atol=1e-4
    )
    for begin in range(0, len(rows), size):
        model.rate(rows[begin : begin + size])
    for name in (*COLUMNS, "mean", "error"):  # bit for bit, however events are batched
        assert np.array_equal(getattr(model, name), getattr(whole, name))


def test_histories_longer_than_a_page_are_sealed() -> None:
    model = Rated(2, items=40)
    model.rate([(0, k, 1.0, k % 5, 1) for k in range(40)])
    assert [user for user, _ in model.history.sealed] == [0]
    assert model.history.of(0) == list(range(40))
    assert len(model.history.of(0)) > PAGE


def test_errors_count_from_the_first_on_and_are_those_before_learning() -> None:
    model = Rated(1)
    model.rate([(0, 0, 1.0, 2.0, 0), (1, 1, 1.0, 1.0, 0)])
    prediction = (2 + 1 + 1) / 3 + model.user_spread[0] + model.score(0, 1)
    model.error[:] = 0
    model.rate([(1, 2, 1.0, 1.0, 0), (2, 2, 1.0, NONE, 0), (0, 1, 1.0, 1.5, 0)], first=2)
    assert model.error[0] == 1
    assert model.error[1] == pytest.approx((1.5 - prediction) ** 2, rel=1e-4)


def test_an_event_without_a_rating_changes_no_factor() -> None:
    model = Rated(4)
    before = [getattr(model, name).copy() for name in COLUMNS]
    touched, _ = model.rate([(0, 1, 1.0, NONE, 1), (0, 2, -1.0, NONE, 1)])
    assert len(touched) == 0
    assert model.error[0] == model.mean[0] == 0
    for name, old in zip(COLUMNS, before, strict=True):
        assert np.array_equal(getattr(model, name), old)
    # But the liked one has a part in what the user wants.
    np.testing.assert_allclose(model.vectors()[0], model.p[0] + model.y[1], rtol=1e-5)


@pytest.mark.parametrize("rating", [1.0, -1.0, 40.0, 1e30, -3.4e38, 1e-38])
@pytest.mark.parametrize("same", ["user", "item", "pair", "mixed"])
@pytest.mark.parametrize(("rate", "pull"), [(1.0, 0.0), (1.0, 1.0), (0.12, 0.1)])
def test_a_user_or_an_item_10_000_times_stays_finite(
    rating: float, same: str, rate: float, pull: float
) -> None:
    model, n = Rated(3), 10_000
    model.again = True
    users = [0] * n if same in ("user", "pair") else [k % USERS for k in range(n)]
    items = [0] * n if same in ("item", "pair") else [k * 7 % ITEMS for k in range(n)]
    signs = [(-1) ** k if same == "mixed" else 1 for k in range(n)]
    rows = [(u, i, 1.0, rating * s, 1) for u, i, s in zip(users, items, signs, strict=True)]
    model.rate(rows, rate, pull)
    assert np.isfinite(model.mean).all()
    assert np.isfinite(model.error).all()
    for name in COLUMNS:
        limit = vector_kernels.SPREAD_LIMIT if name == "spread" else vector_kernels.LIMIT
        assert np.abs(getattr(model, name)).max() <= limit
    model.rate([(0, 0, 1.0, 1.0, 1)] * 3000, 0.12, 0.0)
    if abs(rating) < 2:  # and what was pushed to its limit comes back
        prediction = model.mean[1] + model.user_spread[0] + model.score(0, 0)
        assert prediction == pytest.approx(1.0, abs=0.5)


@pytest.mark.parametrize("window", [0, 5])
def test_a_checkerboard_is_learned(window: int) -> None:
    """Even users rate even items high and odd ones low; the pair (k, k) is held out."""
    n = 16
    model = Rated(5, n, n, 8, window)
    model.user_spread[:] = model.spread[:] = 0
    pairs = [(u, i) for u in range(n) for i in range(n) if u != i]
    order = np.random.default_rng(1)
    errors = []
    for _ in range(20):
        chosen = [pairs[k] for k in order.permutation(len(pairs))]
        batch = [
            (u, i, 1.0 if (u + i) % 2 == 0 else -1.0, 2.0 if (u + i) % 2 == 0 else 0.0, 1)
            for u, i in chosen
        ]
        errors.append(model.rmse(batch, rate=0.12, pull=0.01))
    assert errors[0] > 0.7  # chance is 1
    assert errors[-1] < 0.2
    scores = model.mean[1] + model.user_spread[:, None] + model.vectors() @ model.q.T + model.bias
    assert np.abs(np.diagonal(scores) - 2.0).mean() < 0.4
