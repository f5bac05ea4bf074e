"""The learning kernels against the plain reference, and their safety."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.udfs import reference
from tests.udfs.reference import SplitMix64
from udfs import kernels
from udfs.kernels import PAGE

USERS, ITEMS, D = 4, 9, 5
Slots = NDArray[np.int32]


class Pages:
    """The history arrays of `users` users, with room for `room` pages."""

    def __init__(self, users: int, room: int) -> None:
        self.tail, self.fill = np.full(users, -1, np.int32), np.zeros(users, np.int32)
        self.older = np.full(room, -1, np.int32)
        self.pages = np.full((room, PAGE), 77, np.int32)  # what lies beyond `fill` is not read
        self.free, self.count = np.arange(room, dtype=np.int32), room
        self.sealed: list[tuple[int, int]] = []

    def add(self, events: list[tuple[int, int, bool]]) -> None:
        users, items, flags = np.array(events, np.int32).reshape(-1, 3).T
        sealed = np.zeros((len(events), 2), np.int32)
        found, self.count = kernels.remember(
            users.copy(), items.copy(), flags.astype(np.uint8), self.tail, self.fill, self.older,
            self.pages, self.free, self.count, sealed,
        )  # fmt: skip
        self.sealed += [(int(user), int(page)) for user, page in sealed[:found]]

    def arrays(self) -> tuple[Slots, Slots, Slots, Slots]:
        return self.tail, self.fill, self.older, self.pages

    def of(self, user: int) -> list[int]:
        """A user's history, oldest first."""
        chunks, page, length = [], self.tail[user], self.fill[user]
        while page >= 0:
            chunks.append(self.pages[page, :length].tolist())
            page, length = self.older[page], PAGE
        return [item for chunk in reversed(chunks) for item in chunk]


class Model:
    """Random factors, float32, and a call of the kernel on them."""

    def __init__(self, seed: int = 0, users: int = USERS, items: int = ITEMS, d: int = D) -> None:
        random = np.random.default_rng(seed)
        self.p = random.normal(0, 0.3, (users, d)).astype(np.float32)
        self.q = random.normal(0, 0.3, (items, d)).astype(np.float32)
        self.user_bias = random.normal(0, 0.3, users).astype(np.float32)
        self.item_bias = random.normal(0, 0.3, items).astype(np.float32)
        self.alive = np.ones(items, np.bool_)
        self.history = Pages(users, 64)
        self.stamp = np.zeros(items, np.int64)
        self.random = np.array([seed], np.uint64)
        self.calls = 0

    def matrices(self) -> tuple[NDArray[Any], ...]:
        return self.p, self.user_bias, self.q, self.item_bias

    def learn(
        self,
        events: list[reference.Event],
        rate: float = 0.2,
        reg: float = 0.01,
        negatives: int = 3,
    ) -> tuple[list[int], NDArray[np.float32]]:
        users, items, weights = zip(*events, strict=True)
        room = min(len(events) * (1 + negatives), len(self.q))
        touched, before = np.zeros(room, np.int32), np.zeros((room, self.q.shape[1]), np.float32)
        self.calls += 1
        count = kernels.learn(
            self.p, self.user_bias, *self.history.arrays(),
            self.q, self.item_bias, self.alive, len(self.q),
            np.array(users, np.int32), np.array(items, np.int32), np.array(weights, np.float32),
            np.float32(rate), np.float32(reg), negatives, self.random,
            self.stamp, self.calls, touched, before, np.zeros(room, np.float32),
        )  # fmt: skip
        return touched[:count].tolist(), before[:count]


weights = st.one_of(st.just(0.0), st.floats(-3, 3, width=32), st.sampled_from([-1e30, 1e30]))
events = st.lists(
    st.tuples(st.integers(0, USERS - 1), st.integers(-1, ITEMS - 1), weights),
    min_size=1,
    max_size=60,
)
history = st.lists(st.tuples(st.integers(0, USERS - 1), st.integers(0, ITEMS - 1), st.booleans()))


@settings(max_examples=60)
@given(
    events, history, st.integers(0, 4), st.integers(0, 2**32), st.lists(st.integers(0, ITEMS - 1))
)
def test_learn_is_the_reference(
    events: list[reference.Event], consumed: list[tuple[int, int, bool]], negatives: int,
    seed: int, dead: list[int],
) -> None:  # fmt: skip
    model = Model(seed)
    model.alive[dead] = False
    model.history.add(consumed)
    p, user_bias, q, item_bias = expected = [m.astype(np.float64) for m in model.matrices()]
    first_q, random = model.q.copy(), SplitMix64(seed)
    rate, reg = np.float32(0.2), np.float32(0.01)
    touched = reference.learn(
        p, user_bias, q, item_bias, model.alive.tolist(), reference.remember(consumed), events,
        float(rate), float(reg), negatives, random,
    )  # fmt: skip
    found, before = model.learn(events, 0.2, 0.01, negatives)
    assert found == touched
    assert np.array_equal(before, first_q[touched])
    assert int(model.random[0]) == random.state, "as many draws as the reference"
    for matrix, wanted in zip(model.matrices(), expected, strict=True):
        np.testing.assert_allclose(matrix, wanted, rtol=2e-4, atol=2e-5)
    untouched = np.setdiff1d(np.arange(ITEMS), touched)
    assert np.array_equal(model.q[untouched], first_q[untouched])


@given(events, st.integers(1, 59))
def test_learning_in_two_calls_is_learning_in_one(events: list[reference.Event], cut: int) -> None:
    whole, parts = Model(7), Model(7)
    whole.learn(events)
    for start, piece in ((0, events[:cut]), (cut, events[cut:])):
        if piece:
            parts.random[0] = (7 + start * kernels.EVENT_STRIDE) % 2**64
            parts.learn(piece)
    for one, other in zip(whole.matrices(), parts.matrices(), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("weight", [1.0, -1.0, 1e30, -1e30, 3.4e38, 1e-38])
@pytest.mark.parametrize("same", ["user", "item", "pair", "mixed"])
def test_a_user_or_an_item_10_000_times_stays_finite(weight: float, same: str) -> None:
    model, n = Model(3), 10_000
    users = [0] * n if same in ("user", "pair") else [k % USERS for k in range(n)]
    items = [0] * n if same in ("item", "pair") else [k * 7 % ITEMS for k in range(n)]
    signs = [(-1) ** k if same == "mixed" else 1 for k in range(n)]
    model.learn([(u, i, weight * s) for u, i, s in zip(users, items, signs, strict=True)], 1.0)
    for matrix in model.matrices():
        assert np.isfinite(matrix).all()
        assert np.abs(matrix).max() <= kernels.LIMIT


def test_it_goes_on_learning_after_extremes() -> None:
    """Factors pushed to their limit by one event repeated 10,000 times come back."""
    model = Model(3)

    def score() -> float:
        return float(model.user_bias[0] + model.item_bias[0] + model.p[0] @ model.q[0])

    model.learn([(0, 0, 1e30)] * 10_000, 1.0, 0.0)
    high = score()
    model.learn([(0, 0, -1.0)] * 200, 0.2, 0.0)
    assert high > 2 > -2 > score()


@pytest.mark.parametrize("weight", [1.0, 1e30])
def test_a_checkerboard_is_learned(weight: float) -> None:
    """Even users consume even items, odd users odd ones; the pair (k, k) is held out."""
    n = 16
    model = Model(5, n, n, 8)
    pairs = [(u, i) for u in range(n) for i in range(n) if (u + i) % 2 == 0 and u != i]
    model.history = Pages(n, n)
    model.history.add([(u, i, True) for u, i in pairs])
    order = np.random.default_rng(1)
    for _ in range(30):
        batch = [(*pairs[k], weight) for k in order.permutation(len(pairs))]
        model.learn(batch, 0.1 if weight == 1 else 1.0, 0.01, 2)
    scores = model.p @ model.q.T + model.item_bias
    held_out = np.diagonal(scores)
    of_the_others = np.array([scores[u, (u + 1) % 2 :: 2].mean() for u in range(n)])
    assert (held_out > of_the_others).mean() >= (0.9 if weight == 1 else 0.7)


rows = st.lists(st.tuples(st.integers(0, 2), st.integers(-1, 120), st.booleans()), max_size=300)


@given(rows, rows)
def test_remember_is_the_reference(
    first: list[tuple[int, int, bool]], second: list[tuple[int, int, bool]]
) -> None:
    pages = Pages(3, 32)
    for part in (first, second):
        if part:
            pages.add(part)
    expected = reference.remember(first + second)
    for user in range(3):
        wanted = expected.get(user, [])
        assert pages.of(user) == wanted
        full = [page for owner, page in pages.sealed if owner == user]
        assert pages.pages[full].ravel().tolist() == wanted[: len(full) * PAGE]
        assert len(full) == len(wanted) // PAGE
        for item in range(125):
            assert kernels.consumed(item, user, *pages.arrays()) == (item in wanted)
    used = sum(-(-len(items) // PAGE) for items in expected.values())
    assert pages.count == 32 - used


@given(st.integers(0, 2**64 - 1))
def test_the_generator_is_splitmix64(seed: int) -> None:
    state, random = np.array([seed], np.uint64), SplitMix64(seed)
    drawn = [int(kernels.next_random(state)) for _ in range(4)]
    assert drawn == [random.draw() for _ in range(4)]


def test_the_generator_draws_its_published_numbers() -> None:
    """The first outputs for the seed 1234567, as other implementations print them."""
    state = np.array([1234567], np.uint64)
    drawn = [int(kernels.next_random(state)) for _ in range(2)]
    assert drawn == [6457827717110365317, 3203168211198807973]


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=5), st.integers(0, 2**32 - 1))
def test_first_factors_depend_on_key_and_seed_alone(keys: list[int], seed: int) -> None:
    out = np.zeros((len(keys), 6), np.float32)
    kernels.initial_factors(np.array(keys, np.uint64), seed, out)
    expected = [reference.initial_factors(key, seed, 6) for key in keys]
    np.testing.assert_allclose(out, expected, rtol=1e-6, atol=1e-7)


def test_first_factors_have_a_standard_deviation_of_a_tenth() -> None:
    out = np.zeros((5000, 8), np.float32)
    kernels.initial_factors(np.arange(5000, dtype=np.uint64), 1, out)
    assert abs(float(out.std()) - 0.1) < 0.001
    assert abs(float(out.mean())) < 0.002


events_in_time = st.lists(
    st.tuples(st.floats(-2, 5, width=32), st.integers(10**12, 10**12 + 10**9)), min_size=1
)


@given(events_in_time, st.sampled_from([1e3, 1e6, 1e9]))
def test_decayed_popularity_is_its_sum_in_any_order(
    events: list[tuple[float, int]], half_life: float
) -> None:
    value, at, count = np.zeros(1), np.zeros(1), np.zeros(1, np.int64)
    given_weights, ts = zip(*events, strict=True)
    kernels.add_popularity(
        np.zeros(len(events), np.int32), np.array(given_weights, np.float32),
        np.array(ts, np.int64), half_life, value, at, count,
    )  # fmt: skip
    assert (at[0], count[0]) == (max(ts), len(events))
    assert value[0] == pytest.approx(reference.popularity(events, max(ts), half_life), rel=1e-6)


@given(events_in_time, events_in_time)
def test_popularity_merges(first: list[tuple[float, int]], second: list[tuple[float, int]]) -> None:
    sums = []
    for events in (first, second, first + second):
        value, at, count = np.zeros(1), np.zeros(1), np.zeros(1, np.int64)
        given_weights, ts = zip(*events, strict=True)
        kernels.add_popularity(
            np.array([0] * len(events), np.int32), np.array(given_weights, np.float32),
            np.array(ts, np.int64), 1e8, value, at, count,
        )  # fmt: skip
        sums.append((value, at))
    (value, at), (more, more_at), (both, both_at) = sums
    nothing, none = np.zeros((1, 3), np.float32), np.zeros(1, np.int64)
    q, bias, count, last = np.ones((1, 2), np.float32), np.ones(1, np.float32), none + 3, none + 9
    kernels.apply_changes(
        np.zeros(1, np.int32), nothing + 1, more, more_at, none, 99, 1e8,
        q, bias, value, at, count, last,
    )  # fmt: skip
    assert (q.tolist(), bias.tolist()) == ([[2.0, 2.0]], [2.0])
    assert (count.tolist(), last.tolist()) == ([3], [9]), "no event, not seen"
    assert at[0] == both_at[0]
    assert value[0] == pytest.approx(both[0], rel=1e-6, abs=1e-12)
